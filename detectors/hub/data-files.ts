/**
 * The data files that items name: which are fetched, and where to. A file that is there is asked for again after a week, and
 * only replaced when the server has a newer one. Its age is that of the last look (its modification time); what the server
 * said of it then is kept beside it. Where two items name one file with different addresses, the first counts, as it does
 * when the engine loads it. Specification: CrowdSec `pkg/cwhub/dataset.go`; docs/hub.md.
 */
import { mkdir, readFile, realpath, stat, utimes } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import * as z from 'zod';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { mapBounded } from './bounded.ts';
import type { Downloader } from './download.ts';
import { dataLocation, type HubSource } from './hub-source.ts';
import type { NeededData } from './item-document.ts';
import { type ItemRef, refText } from './item-type.ts';
import type { HubDisk } from './hub-disk.ts';
import { stagingFolder, type Wanted } from './transaction.ts';
import type { HubFolders } from './hub-folders.ts';

/** A MaxMind city database has 60 MB. */
const largestDataBytes = 512 * 1024 * 1024;
const shelfLifeMs = 7 * 24 * 3_600_000;
const atOnce = 4;
const recordFile = '.hub-data.json';

/** What became of one data file. */
export interface DataOutcome {
  readonly destFile: string;
  readonly url: string;
  /** `fresh`: looked at within a week. `unchanged`: the server has nothing newer. */
  readonly kind: 'fetched' | 'fresh' | 'unchanged' | 'failed';
  readonly bytes: number;
  /** Why it failed, or "". */
  readonly problem: string;
  /** It failed, and an earlier copy is in use. */
  readonly kept: boolean;
}

export interface DataRequest {
  readonly needs: readonly (NeededData & { readonly ref: ItemRef })[];
  readonly folders: HubFolders;
  readonly mirror: HubSource | null;
  /** Fetch everything anew. */
  readonly force: boolean;
  readonly onProgress: (destFile: string, receivedBytes: number, totalBytes: number | null) => void;
}

export interface DataDeps {
  readonly downloader: Downloader;
  readonly disk: HubDisk;
  readonly clock: Clock;
}

export interface StagedData {
  readonly outcomes: readonly DataOutcome[];
  readonly wanted: readonly Wanted[];
}

const recordSchema = z.record(
  z.string(),
  z.object({ url: z.string(), etag: z.string().nullable(), lastModified: z.string().nullable() }),
);
type Records = z.output<typeof recordSchema>;

/** Fetches what is missing or old into the staging folder. A file that cannot be had is an outcome, not an error. */
export async function stageData(request: DataRequest, deps: DataDeps): Promise<StagedData> {
  const { folders } = request;
  const records = await readRecords(folders);
  const next: Records = { ...records };
  const staging = stagingFolder(folders, 'data');
  const needs = distinct(request.needs);
  if (needs.length > 0) await deps.disk.makeFolder(staging);
  const wanted: Wanted[] = [];
  const outcomes = await mapBounded([...needs.entries()], atOnce, async ([number, need]) => {
    const { destFile, url } = need;
    const outcome = (kind: DataOutcome['kind'], rest: Partial<DataOutcome> = {}): DataOutcome => {
      return { destFile, url, kind, bytes: 0, problem: '', kept: false, ...rest };
    };
    const problem = await placeProblem(need, folders.data);
    if (problem !== null) return outcome('failed', { problem: `${refText(need.ref)}: ${problem}` });
    const place = join(folders.data, destFile);
    const there = await stat(place).catch(() => null);
    const record = records[destFile]?.url === url ? records[destFile] : undefined;
    const age = there === null ? Number.POSITIVE_INFINITY : deps.clock.now() - there.mtimeMs;
    const moved = record === undefined && records[destFile] !== undefined;
    if (!request.force && !moved && age >= 0 && age < shelfLifeMs) return outcome('fresh');
    try {
      const staged = `new-${number}`;
      const known = request.force || moved || there === null ? null : there.mtime.toUTCString();
      const got = await deps.downloader.download({
        location: dataLocation(url, request.mirror),
        to: join(staging, staged),
        maxBytes: largestDataBytes,
        etag: known === null ? null : (record?.etag ?? null),
        lastModified: known === null ? null : (record?.lastModified ?? known),
        onProgress: (received, total) => request.onProgress(destFile, received, total),
      });
      const looked = new Date(deps.clock.now());
      await utimes(got.kind === 'fetched' ? join(staging, staged) : place, looked, looked);
      if (got.kind === 'unchanged') return outcome('unchanged');
      wanted.push({ kind: 'file', folder: 'data', path: destFile, staged });
      next[destFile] = { url, etag: got.etag, lastModified: got.lastModified };
      return outcome('fetched', { bytes: got.bytes });
    } catch (thrown) {
      return outcome('failed', { problem: messageOf(thrown), kept: there !== null });
    }
  });
  if (wanted.length > 0) {
    await deps.disk.writeFile(join(staging, 'records'), `${JSON.stringify(next, null, 2)}\n`);
    wanted.push({ kind: 'file', folder: 'data', path: recordFile, staged: 'records' });
  }
  return { outcomes, wanted };
}

function distinct(needs: DataRequest['needs']): DataRequest['needs'] {
  const byFile = new Map<string, DataRequest['needs'][number]>();
  for (const need of needs) if (!byFile.has(need.destFile)) byFile.set(need.destFile, need);
  return [...byFile.values()];
}

/** What is wrong with a data file's name or address, or null. */
async function placeProblem({ destFile, url }: NeededData, dataFolder: string): Promise<string | null> {
  if (!/^https?:\/\/[^\s]+$/i.test(url) || !URL.canParse(url)) return `${url} is no web address`;
  if (!isSafePath(destFile)) return `dest_file ${destFile} leads out of the data folder`;
  // A link in the folder could lead elsewhere too.
  const folder = dirname(join(dataFolder, destFile));
  await mkdir(folder, { recursive: true });
  const below = relative(await realpath(dataFolder), await realpath(folder));
  return below === '..' || below.startsWith(`..${sep}`) ? `dest_file ${destFile} leads out of the data folder` : null;
}

/** Relative, without steps upwards, hidden names, or what another system could take for a separator. */
export function isSafePath(path: string): boolean {
  if (path.length > 512 || !/^[^\\\0:]+$/.test(path)) return false;
  const segments = path.split('/');
  return segments.length <= 8 && segments.every((one) => one !== '' && !one.startsWith('.') && one.length <= 200);
}

async function readRecords({ data }: HubFolders): Promise<Records> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(data, recordFile), 'utf8')));
  } catch {
    // Without them, files are compared by their times.
    return {};
  }
}
