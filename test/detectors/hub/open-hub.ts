/** A hub in a folder of its own, with a clock that tests move, and what tests ask of it. */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { createDownloader } from '../../../detectors/hub/download.ts';
import { createHub, type Hub } from '../../../detectors/hub/hub.ts';
import { type HubDisk, hubDisk } from '../../../detectors/hub/hub-disk.ts';
import { readHubSource } from '../../../detectors/hub/hub-source.ts';
import { type ItemRef, type ItemType, parseItemType } from '../../../detectors/hub/item-type.ts';
import { allStates, itemState, type ItemState } from '../../../detectors/hub/local-state.ts';
import type { ChangeRequest } from '../../../detectors/hub/plan.ts';
import type { HubFolders } from '../../../detectors/hub/hub-folders.ts';

/** A real clock that does not wait between attempts. */
export function hastyClock(now: () => number = () => Date.now()): Clock {
  return {
    now,
    monotonic: () => performance.now(),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
    every: () => ({ cancel: () => {} }),
    sleep: () => Promise.resolve(),
  };
}

export interface OpenHubOptions {
  readonly source: string;
  readonly data?: string;
  readonly folder: string;
  readonly disk?: HubDisk;
  readonly clock?: Clock;
  readonly timeoutMs?: number;
}

export function hubFolders(folder: string): HubFolders {
  return { hub: join(folder, 'hub'), items: join(folder, 'items'), data: join(folder, 'items', 'data') };
}

export function openHub({
  source,
  data,
  folder,
  disk = hubDisk,
  clock = hastyClock(),
  timeoutMs = 5_000,
}: OpenHubOptions): {
  readonly hub: Hub;
  readonly close: () => Promise<void>;
} {
  const context = { branch: 'master', cwd: '/' };
  const downloader = createDownloader({ clock, random: createSystemRandom(), env: {}, timeoutMs });
  const hub = createHub(
    {
      folders: hubFolders(folder),
      source: readHubSource(source, context),
      dataMirror: data === undefined ? null : readHubSource(data, context),
    },
    { clock, disk, downloader },
  );
  return { hub, close: () => downloader.close() };
}

interface Teardown {
  teardown(run: () => unknown): void;
}

export function temporaryFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'hub-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `scenarios:crowdsecurity/ssh-bf` */
export function ref(text: string): ItemRef {
  const [type = '', name = ''] = text.split(':');
  return { type: parseItemType(type) as ItemType, name };
}

export function install(...names: string[]): ChangeRequest {
  return { verb: 'install', items: names.map(ref), force: false, downloadOnly: false };
}

export function upgrade(names: string[] | null = null, force = false): ChangeRequest {
  return { verb: 'upgrade', items: names?.map(ref) ?? null, force };
}

export function remove(
  names: string[],
  rest: { force?: boolean; purge?: boolean; keepDependencies?: boolean } = {},
): ChangeRequest {
  return { verb: 'remove', items: names.map(ref), force: false, purge: false, keepDependencies: false, ...rest };
}

export async function installedNames(hub: Hub): Promise<string[]> {
  const states = allStates(await hub.state('stored'));
  return states.filter((one) => one.installed).map(({ type, name }) => `${type}:${name}`);
}

export async function stateOf(hub: Hub, text: string): Promise<ItemState> {
  const state = itemState(await hub.state('stored'), ref(text));
  if (state === null) throw new Error(`no ${text}`);
  return state;
}

/** Everything below a folder: contents of files, targets of links. Empty folders and the lock do not count. */
export function snapshot(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (entry.name.startsWith('.lock')) continue;
    if (entry.isSymbolicLink()) found[name] = `-> ${readlinkSync(path)}`;
    else if (entry.isFile()) found[name] = readFileSync(path, 'utf8');
  }
  return found;
}
