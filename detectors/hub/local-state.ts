/**
 * What is on disk, compared with the index: which items are installed, in which version, which were changed by hand
 * (tainted), and which are the operator's own (local). An item is installed when a link below the items folder leads to its
 * file in the hub folder. Any other file there is local, and wins over a hub item of the same name.
 * Specification: CrowdSec `pkg/cwhub/sync.go`.
 */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type HubIndex, type IndexItem, indexItems, resolveIndexItem } from './hub-index.ts';
import { type ItemDocument, readItemDocument } from './item-document.ts';
import { hasStages, type ItemRef, type ItemType, itemTypes, refText } from './item-type.ts';
import type { HubFolders } from './hub-folders.ts';

/** Items above this are none: the hub's largest has 60 KB. */
export const largestItemBytes = 1_048_576;

const deepestFolder = 8;

export interface ItemState extends ItemRef {
  /** What the index says of it; null for local items that the hub does not have, and for those it no longer has. */
  readonly index: IndexItem | null;
  readonly stage: string | null;
  /** A file or link of it is below the items folder. */
  readonly installed: boolean;
  /** It is the operator's own: no hub verb changes it. */
  readonly local: boolean;
  /** Its file is in the hub folder. */
  readonly downloaded: boolean;
  /** The file or link below the items folder, absolute; null when it is not installed. */
  readonly path: string | null;
  /** Null when it is not downloaded, when it was changed, and for local items. */
  readonly version: string | null;
  /** Its own file is none of the versions that the index knows. */
  readonly modified: boolean;
  /** Why it counts as tainted: itself, or what it holds, with what is wrong. Empty: it is not tainted. */
  readonly taintedBy: readonly Taint[];
  /** It and all that it holds are of the current version. True for local items. */
  readonly upToDate: boolean;
  /** What it holds as it is installed, else as the index says. */
  readonly dependencies: readonly ItemRef[];
  /** The document as it is on disk, read when it is first asked for; null when it is not there. */
  readonly document: () => ItemDocument | null;
}

export interface Taint {
  readonly ref: ItemRef;
  readonly reason: 'modified' | 'missing';
}

export interface LocalState {
  readonly index: HubIndex;
  /** Where that is, as the file system spells it. */
  readonly folders: HubFolders;
  readonly items: ReadonlyMap<ItemType, ReadonlyMap<string, ItemState>>;
  /** What could not be made sense of, one sentence each. */
  readonly faults: readonly string[];
}

/** A hub in which nothing is installed has a state too, so absent folders are empty ones. */
export async function readLocalState(index: HubIndex, folders: HubFolders): Promise<LocalState> {
  const reader = new StateReader(index, folders);
  await reader.readInstalled();
  await reader.readDownloaded();
  return reader.settle();
}

export function itemState({ items }: LocalState, { type, name }: ItemRef): ItemState | null {
  return items.get(type)?.get(name) ?? null;
}

/** Every item, type by type, sorted by name. */
export function allStates({ items }: LocalState): ItemState[] {
  return itemTypes.flatMap((type) =>
    [...(items.get(type)?.values() ?? [])].sort((left, right) => (left.name < right.name ? -1 : 1)),
  );
}

/** Installed collections that hold an item directly. */
export function holdersOf(state: LocalState, ref: ItemRef): ItemState[] {
  const collections = [...(state.items.get('collections')?.values() ?? [])];
  return collections.filter((one) => one.installed && one.dependencies.some((held) => refText(held) === refText(ref)));
}

/** What is known of a file before its members are looked at. */
interface Found {
  installedPath: string | null;
  local: boolean;
  stage: string | null;
  content: { readonly digest: string; readonly document: () => ItemDocument } | null;
}

class StateReader {
  private readonly index: HubIndex;
  private readonly folders: HubFolders;
  private readonly byPath: ReadonlyMap<string, IndexItem>;
  private readonly found = new Map<string, ItemRef & Found>();
  private readonly settled = new Map<string, ItemState>();
  private readonly faults: string[] = [];

  constructor(index: HubIndex, folders: HubFolders) {
    this.index = index;
    this.folders = folders;
    this.byPath = new Map(indexItems(index).map((item) => [item.path, item]));
  }

  async readInstalled(): Promise<void> {
    for (const type of itemTypes) {
      for (const { path, segments, isLink } of await filesBelow(join(this.folders.items, type))) {
        const stage = hasStages(type) && segments.length > 1 ? (segments[0] ?? null) : null;
        const target = isLink ? resolve(dirname(path), await readlink(path)) : null;
        // A link to nowhere is how people hide an item of a package.
        if (target === '/dev/null') continue;
        const below = target === null ? null : pathBelow(this.folders.hub, target);
        const item = below === null ? undefined : this.byPath.get(below);
        const content = await this.contentOf(target ?? path, type);
        if (item !== undefined && item.type === type && item.stage === stage) {
          this.add({ type, name: item.name, installedPath: path, local: false, stage, content });
        } else {
          const name = content?.document().name || (segments.at(-1) ?? '');
          this.add({ type, name, installedPath: path, local: below === null, stage, content });
        }
      }
    }
  }

  async readDownloaded(): Promise<void> {
    for (const type of itemTypes) {
      for (const { path } of await filesBelow(join(this.folders.hub, type))) {
        const item = this.byPath.get(pathBelow(this.folders.hub, path) ?? '');
        if (item === undefined || this.found.has(refText(item))) continue;
        const content = await this.contentOf(path, type);
        this.found.set(refText(item), {
          type,
          name: item.name,
          installedPath: null,
          local: false,
          stage: item.stage,
          content,
        });
      }
    }
  }

  settle(): LocalState {
    const items = new Map<ItemType, Map<string, ItemState>>(itemTypes.map((type) => [type, new Map()]));
    for (const ref of [...indexItems(this.index), ...this.found.values()]) {
      items.get(ref.type)?.set(ref.name, this.stateOf(ref));
    }
    return { index: this.index, folders: this.folders, items, faults: this.faults };
  }

  /** The operator's own file wins over a hub item of its name; of two files the first in order is used. */
  private add(one: ItemRef & Found): void {
    const other = this.found.get(refText(one));
    if (other === undefined || (one.local && !other.local)) this.found.set(refText(one), one);
    if (other !== undefined) {
      const [used, unused] = one.local && !other.local ? [one, other] : [other, one];
      this.faults.push(
        `${refText(one)} is installed twice: ${used.installedPath} counts, ${unused.installedPath} does not`,
      );
    }
  }

  private async contentOf(path: string, type: ItemType): Promise<Found['content']> {
    try {
      const stats = await stat(path);
      // A pipe would be waited for without end, and a device has none.
      if (!stats.isFile()) {
        this.faults.push(`${path} is not a regular file`);
        return null;
      }
      const { size } = stats;
      if (size > largestItemBytes) {
        this.faults.push(`${path} is larger than the ${largestItemBytes} bytes of an item`);
        return null;
      }
      const bytes = await readFile(path);
      const digest = createHash('sha256').update(bytes).digest('hex');
      let document: ItemDocument | null = null;
      return { digest, document: () => (document ??= readItemDocument(bytes.toString('utf8'), type)) };
    } catch (thrown) {
      if (!isMissing(thrown)) this.faults.push(`${path} cannot be read`);
      return null;
    }
  }

  /** A collection is what its members are. One that holds itself is cut where it comes round. */
  private stateOf(ref: ItemRef, above: readonly string[] = []): ItemState {
    const key = refText(ref);
    const known = this.settled.get(key);
    if (known !== undefined) return known;
    const own = this.ownState(ref);
    const round = above.includes(key);
    const members = own.installed && !round ? own.dependencies.map((held) => this.stateOf(held, [...above, key])) : [];
    const taintedBy = [...own.taintedBy];
    for (const member of members) {
      if (!member.installed) taintedBy.push({ ref: refOf(member), reason: 'missing' });
      for (const taint of member.installed ? member.taintedBy : []) {
        if (!taintedBy.some((one) => refText(one.ref) === refText(taint.ref))) taintedBy.push(taint);
      }
    }
    const upToDate = own.upToDate && members.every((member) => !member.installed || member.upToDate);
    const state = { ...own, taintedBy, upToDate };
    if (!round) this.settled.set(key, state);
    return state;
  }

  private ownState({ type, name }: ItemRef): ItemState {
    const index = resolveIndexItem(this.index, type, name);
    const found = this.found.get(refText({ type, name }));
    const content = found?.content ?? null;
    const local = found?.local ?? false;
    const installed = found !== undefined && found.installedPath !== null;
    const version = index?.versions.find(({ digest }) => digest === content?.digest)?.version ?? null;
    // The same text can have been several versions; it is the current one when it is that one's.
    const current = content !== null && content.digest === index?.digest;
    const modified = !local && content !== null && version === null;
    const lost = installed && !local && content === null;
    return {
      type,
      name,
      index,
      stage: found?.stage ?? index?.stage ?? null,
      installed,
      local,
      downloaded: !local && content !== null,
      path: found?.installedPath ?? null,
      version: local ? null : current ? (index?.version ?? null) : version,
      modified,
      taintedBy: modified
        ? [{ ref: { type, name }, reason: 'modified' }]
        : lost
          ? [{ ref: { type, name }, reason: 'missing' }]
          : [],
      upToDate: local || current,
      dependencies: current || content === null ? (index?.dependencies ?? []) : content.document().dependencies,
      document: content?.document ?? (() => null),
    };
  }
}

export function refOf({ type, name }: ItemRef): ItemRef {
  return { type, name };
}

interface FoundFile {
  readonly path: string;
  readonly segments: readonly string[];
  readonly isLink: boolean;
}

/** YAML files below a folder, in order; hidden names are skipped, links to folders are not followed. */
async function filesBelow(folder: string, above: readonly string[] = []): Promise<FoundFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  const files: FoundFile[] = [];
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    const segments = [...above, entry.name];
    if (entry.isDirectory()) {
      if (segments.length < deepestFolder) files.push(...(await filesBelow(path, segments)));
    } else if (/\.ya?ml$/.test(entry.name)) files.push({ path, segments, isLink: entry.isSymbolicLink() });
  }
  return files;
}

/** The path of a file inside a folder, with forward slashes; null when it is elsewhere. */
function pathBelow(folder: string, path: string): string | null {
  const below = relative(folder, path);
  return below === '' || below === '..' || below.startsWith(`..${sep}`) ? null : below.replaceAll(sep, '/');
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
}

/** `scenarios:crowdsecurity/ssh-bf is modified` */
export function taintText({ taintedBy }: ItemState): string {
  return taintedBy.map(({ ref, reason }) => `${refText(ref)} is ${reason}`).join(', ');
}
