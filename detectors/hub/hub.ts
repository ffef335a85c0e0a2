/**
 * A hub on disk: the folder of downloaded files with their index, the folder of installed items, and their data. Reading is
 * free; whatever changes holds a lock, first makes good what an earlier crash interrupted, then fetches and verifies all it
 * needs, and only then changes everything at once (`transaction.ts`).
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import * as z from 'zod';
import type { Clock } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { mapBounded } from './bounded.ts';
import { type DataOutcome, stageData } from './data-files.ts';
import type { Downloader } from './download.ts';
import type { HubDisk } from './hub-disk.ts';
import {
  type HubIndex,
  type IndexItem,
  indexItems,
  largestIndexBytes,
  readHubIndex,
  resolveIndexItem,
} from './hub-index.ts';
import { type HubSource, indexFile, readHubSource } from './hub-source.ts';
import { type ItemDocument, readItemDocument } from './item-document.ts';
import { type ItemRef, refText } from './item-type.ts';
import { itemState, type LocalState, largestItemBytes, readLocalState } from './local-state.ts';
import { withLock } from './lock.ts';
import { type Change, type ChangeRequest, type Plan, planChange } from './plan.ts';
import { clearStaging, commit, isInterrupted, recover, stagingFolder, type Wanted } from './transaction.ts';
import type { HubFolders } from './hub-folders.ts';

export interface HubSettings {
  readonly folders: HubFolders;
  /** Where an index is fetched from. Items come from where the stored index came from. */
  readonly source: HubSource;
  /** A mirror of the public data files. */
  readonly dataMirror: HubSource | null;
}

export interface HubDeps {
  readonly clock: Clock;
  readonly disk: HubDisk;
  readonly downloader: Downloader;
}

export interface IndexUpdate {
  readonly index: HubIndex;
  readonly location: string;
  /** False when it is the index that was there. */
  readonly changed: boolean;
  /** Against the index that was there; all 0 when there was none. */
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
}

export interface Applied {
  readonly plan: Plan;
  readonly data: readonly DataOutcome[];
}

/** What is being fetched, for a line of progress. */
export type HubProgress = (name: string, receivedBytes: number, totalBytes: number | null) => void;

export interface Hub {
  readonly folders: HubFolders;
  hasIndex(): Promise<boolean>;
  /** Fetches the index and keeps it. @throws GatewayError HUB_UNREACHABLE, HUB_INDEX_INVALID */
  update(progress?: HubProgress): Promise<IndexUpdate>;
  /**
   * What is installed, against the stored index, against the one of the source, which is then not kept, or against none.
   * @throws GatewayError HUB_INDEX_INVALID when there is no index.
   */
  state(from: 'stored' | 'source' | 'none'): Promise<LocalState>;
  /**
   * Makes what was asked for so, all of it or nothing.
   * @throws GatewayError HUB_UNREACHABLE, HUB_DIGEST_MISMATCH, HUB_REFUSED, NOT_FOUND; nothing has changed then.
   */
  apply(request: ChangeRequest, progress?: HubProgress): Promise<Applied>;
  /** The current text of an item, verified. */
  text(item: IndexItem): Promise<string>;
}

/** Items that are fetched at a time. */
const atOnce = 6;
const sourceFile = '.source.json';
const sourceSchema = z.object({ location: z.string(), index: z.string() });

export function createHub(settings: HubSettings, deps: HubDeps): Hub {
  return new DiskHub(settings, deps);
}

class DiskHub implements Hub {
  private readonly settings: HubSettings;
  private readonly deps: HubDeps;

  constructor(settings: HubSettings, deps: HubDeps) {
    this.settings = settings;
    this.deps = deps;
  }

  get folders(): HubFolders {
    return this.settings.folders;
  }

  async hasIndex(): Promise<boolean> {
    return (await this.storedText()) !== null;
  }

  async update(progress: HubProgress = () => {}): Promise<IndexUpdate> {
    const { location } = this.settings.source;
    const text = await this.fetch(this.settings.source, indexFile, largestIndexBytes, progress);
    const index = readHubIndex(text);
    return this.alone(async (folders) => {
      const before = await this.storedText();
      if (before !== text || (await this.storedSource())?.location !== location) {
        await this.store(folders, {
          [indexFile]: text,
          [sourceFile]: `${JSON.stringify({ location, index: sha256(text) })}\n`,
        });
      }
      return { index, location, changed: before !== text, ...differences(before, index) };
    });
  }

  async state(from: 'stored' | 'source' | 'none'): Promise<LocalState> {
    const folders = await realFolders(this.folders);
    if (await isInterrupted(folders)) await this.alone(async () => {});
    return readLocalState(await this.indexOf(from), folders);
  }

  private async indexOf(from: 'stored' | 'source' | 'none'): Promise<HubIndex> {
    switch (from) {
      case 'stored':
        return this.storedIndex();
      case 'source':
        return readHubIndex(await this.fetch(this.settings.source, indexFile, largestIndexBytes));
      case 'none':
        return { items: new Map(), faults: [] };
      default:
        return from satisfies never;
    }
  }

  apply(request: ChangeRequest, progress: HubProgress = () => {}): Promise<Applied> {
    return this.alone(async (folders) => {
      const state = await readLocalState(await this.storedIndex(), folders);
      const plan = planChange(state, request);
      const items = await this.stageItems(plan.changes, folders, progress);
      const needs = request.verb === 'remove' ? [] : dataNeeds(plan, state, items.documents);
      const data = await stageData(
        {
          needs,
          folders,
          mirror: this.settings.dataMirror,
          force: request.verb === 'upgrade' && request.force,
          onProgress: progress,
        },
        this.deps,
      );
      const links = plan.changes.flatMap((change) => linksOf(change, folders));
      await commit([...items.wanted, ...data.wanted, ...links], folders, this.deps.disk);
      return { plan, data: data.outcomes };
    });
  }

  async text(item: IndexItem): Promise<string> {
    const text = await this.fetch(await this.itemSource(), item.path, largestItemBytes);
    if (sha256(text) !== item.digest) throw mismatch([item]);
    return text;
  }

  /** Holds the lock, with folders that are there and nothing half done in them. */
  private async alone<T>(work: (folders: HubFolders) => Promise<T>): Promise<T> {
    try {
      for (const folder of Object.values(this.folders)) await this.deps.disk.makeFolder(folder);
      const folders = await realFolders(this.folders);
      return await withLock(folders.hub, () => this.recovered(folders, work));
    } catch (thrown) {
      throw isSystemError(thrown) ? notWritable(thrown) : thrown;
    }
  }

  private async recovered<T>(folders: HubFolders, work: (folders: HubFolders) => Promise<T>): Promise<T> {
    await recover(folders, this.deps.disk);
    try {
      return await work(folders);
    } finally {
      // What cannot be cleared now is cleared by whoever comes next.
      await clearStaging(folders, this.deps.disk).catch(() => {});
    }
  }

  /** Fetches every file that the changes need, and proves each, before anything is touched. */
  private async stageItems(
    changes: readonly Change[],
    folders: HubFolders,
    progress: HubProgress,
  ): Promise<StagedItems> {
    const items = changes.flatMap((change) => (change.kind !== 'remove' && change.fetch ? [change.item] : []));
    const documents = new Map<string, ItemDocument>();
    const staging = stagingFolder(folders, 'hub');
    const source = await this.itemSource();
    const wrong: IndexItem[] = [];
    if (items.length > 0) await this.deps.disk.makeFolder(staging);
    const wanted = await mapBounded([...items.entries()], atOnce, async ([number, item]): Promise<Wanted> => {
      const staged = `new-${number}`;
      const to = join(staging, staged);
      const onProgress = (received: number, total: number | null): void => progress(item.name, received, total);
      const got = await this.deps.downloader.download({
        location: source.locate(item.path),
        to,
        maxBytes: largestItemBytes,
        onProgress,
      });
      if (got.kind !== 'fetched' || got.sha256 !== item.digest) wrong.push(item);
      else documents.set(refText(item), readItemDocument(await readFile(to, 'utf8'), item.type));
      return { kind: 'file', folder: 'hub', path: item.path, staged };
    });
    if (wrong.length > 0) throw mismatch(wrong);
    return { wanted, documents };
  }

  /** Where the stored index came from: its digests are those of the files there. */
  private async itemSource(): Promise<HubSource> {
    const stored = await this.storedSource();
    return stored === null ? this.settings.source : readHubSource(stored.location, { branch: '', cwd: '/' });
  }

  private async storedSource(): Promise<z.output<typeof sourceSchema> | null> {
    try {
      const stored = sourceSchema.parse(JSON.parse(await readFile(join(this.folders.hub, sourceFile), 'utf8')));
      return stored.index === sha256((await this.storedText()) ?? '') ? stored : null;
    } catch {
      return null;
    }
  }

  private storedText(): Promise<string | null> {
    return readFile(join(this.folders.hub, indexFile), 'utf8').catch(() => null);
  }

  private async storedIndex(): Promise<HubIndex> {
    const text = await this.storedText();
    if (text !== null) return readHubIndex(text);
    throw new GatewayError('HUB_INDEX_INVALID', 'the index of the hub is not here yet', {
      remedy: 'Fetch it with `portcullis hub update`.',
    });
  }

  private async store(folders: HubFolders, files: Readonly<Record<string, string>>): Promise<void> {
    const staging = stagingFolder(folders, 'hub');
    await this.deps.disk.makeFolder(staging);
    const wanted: Wanted[] = [];
    for (const [number, [path, text]] of Object.entries(files).entries()) {
      const staged = `new-${number}`;
      await this.deps.disk.writeFile(join(staging, staged), text);
      wanted.push({ kind: 'file', folder: 'hub', path, staged });
    }
    await commit(wanted, folders, this.deps.disk);
  }

  private async fetch(source: HubSource, path: string, maxBytes: number, progress?: HubProgress): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-hub-'));
    try {
      const to = join(folder, 'file');
      const onProgress = (received: number, total: number | null): void => progress?.(path, received, total);
      await this.deps.downloader.download({ location: source.locate(path), to, maxBytes, onProgress });
      return await readFile(to, 'utf8');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

interface StagedItems {
  readonly wanted: readonly Wanted[];
  /** Of what was fetched. */
  readonly documents: ReadonlyMap<string, ItemDocument>;
}

function dataNeeds(plan: Plan, state: LocalState, fetched: ReadonlyMap<string, ItemDocument>) {
  return plan.dataOf.flatMap((ref: ItemRef) => {
    const document = fetched.get(refText(ref)) ?? itemState(state, ref)?.document();
    return (document?.data ?? []).map((need) => ({ ...need, ref }));
  });
}

/** Where an installed item has its link, below the items folder. */
export function linkPath({ type, stage, fileName }: IndexItem): string {
  return join(type, stage ?? '', fileName);
}

function linksOf(change: Change, folders: HubFolders): Wanted[] {
  if (change.kind !== 'remove') {
    if (!change.link) return [];
    const path = linkPath(change.item);
    const target = relative(dirname(join(folders.items, path)), join(folders.hub, change.item.path));
    return [{ kind: 'link', path, target }];
  }
  const { path, index } = change.state;
  const wanted: Wanted[] = [];
  if (path !== null) wanted.push({ kind: 'link', path: relative(folders.items, path), target: null });
  if (change.purge && index !== null) wanted.push({ kind: 'file', folder: 'hub', path: index.path, staged: null });
  return wanted;
}

function mismatch(items: readonly IndexItem[]): GatewayError {
  const names = items.map(refText).sort().join(', ');
  const message = `the file of ${names} is not the one that the index describes (SHA-256 differs)`;
  return new GatewayError('HUB_DIGEST_MISMATCH', message, {
    remedy:
      'Nothing was changed. Get the latest index with `portcullis hub update`; if it stays so, do not trust that hub.',
  });
}

/** Of the file system, or of SQLite about the file of the lock. */
function isSystemError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && !(thrown instanceof GatewayError) && 'code' in thrown;
}

function notWritable(cause: Error): GatewayError {
  return new GatewayError('HUB_REFUSED', `the folders of the hub cannot be changed: ${cause.message}`, {
    remedy: 'Run this as the user that the gateway runs as, and see that there is room on the disk.',
    cause,
  });
}

function differences(before: string | null, index: HubIndex): Pick<IndexUpdate, 'added' | 'updated' | 'removed'> {
  const old = before === null ? null : readableIndex(before);
  if (old === null) return { added: 0, updated: 0, removed: 0 };
  const now = indexItems(index);
  const was = (item: IndexItem): IndexItem | null => resolveIndexItem(old, item.type, item.name);
  return {
    added: now.filter((item) => was(item) === null).length,
    updated: now.filter((item) => (was(item)?.digest ?? item.digest) !== item.digest).length,
    removed: indexItems(old).filter(({ type, name }) => resolveIndexItem(index, type, name) === null).length,
  };
}

/** A stored index that was damaged is replaced like any other. */
function readableIndex(text: string): HubIndex | null {
  try {
    return readHubIndex(text);
  } catch {
    return null;
  }
}

/** Links are relative, so they must start from where the folders really are. */
async function realFolders({ hub, items, data }: HubFolders): Promise<HubFolders> {
  const real = (path: string): Promise<string> => realpath(path).catch(() => path);
  return { hub: await real(hub), items: await real(items), data: await real(data) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
