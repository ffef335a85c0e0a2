/**
 * What a verb would change, worked out from the state alone: which files are fetched, which links are made and dropped, and
 * what is left as it is. Dependencies are followed to their end; a collection that holds itself is refused. Local items are
 * never changed, tainted ones only by force.
 * Specification: CrowdSec `pkg/hubops`; docs/hub.md.
 */
import { basename } from 'node:path';
import { GatewayError } from '../../core/errors.ts';
import type { IndexItem } from './hub-index.ts';
import { type ItemRef, refText } from './item-type.ts';
import { allStates, holdersOf, type ItemState, itemState, type LocalState, refOf, taintText } from './local-state.ts';

export type ChangeRequest =
  | {
      readonly verb: 'install';
      readonly items: readonly ItemRef[];
      readonly force: boolean;
      /** Only fetch: no item is put to use. */
      readonly downloadOnly: boolean;
    }
  | {
      readonly verb: 'upgrade';
      /** Null: everything that is installed. */
      readonly items: readonly ItemRef[] | null;
      readonly force: boolean;
    }
  | {
      readonly verb: 'remove';
      readonly items: readonly ItemRef[];
      readonly force: boolean;
      /** The downloaded files too. */
      readonly purge: boolean;
      readonly keepDependencies: boolean;
    };

export type Change =
  | {
      /** `install` puts to use, `upgrade` replaces an installed version, `download` only fetches. */
      readonly kind: 'install' | 'upgrade' | 'download';
      readonly item: IndexItem;
      /** The version that is there, "?" when it was changed by hand, null when there is none. */
      readonly from: string | null;
      readonly fetch: boolean;
      readonly link: boolean;
    }
  | {
      /** `remove` drops the link; with `purge`, the downloaded file too. */
      readonly kind: 'remove';
      readonly state: ItemState;
      readonly purge: boolean;
    };

export interface PlanNote {
  /** A `refused` note is about something that was asked for by name and is not done. */
  readonly level: 'info' | 'warning' | 'refused';
  readonly ref: ItemRef;
  readonly text: string;
}

export interface Plan {
  /** In the order in which they are made: members before the collections that hold them. */
  readonly changes: readonly Change[];
  readonly notes: readonly PlanNote[];
  /** Items whose data files are looked after: every item that was visited. */
  readonly dataOf: readonly ItemRef[];
}

/** @throws GatewayError NOT_FOUND, HUB_REFUSED */
export function planChange(state: LocalState, request: ChangeRequest): Plan {
  const planner = new Planner(state, request);
  switch (request.verb) {
    case 'install':
      for (const ref of request.items) planner.bring(ref, { named: true, downloadOnly: request.downloadOnly });
      break;
    case 'upgrade':
      planner.upgrade(request.items);
      break;
    case 'remove':
      planner.remove(request);
      break;
    default:
      return request satisfies never;
  }
  if (request.verb !== 'remove') planner.dropWhatCollectionsLetGo();
  return planner;
}

/** Collections in collections: the public hub has four. */
const deepestNesting = 64;

interface Bringing {
  /** Asked for by name, not as part of something else. */
  readonly named: boolean;
  readonly downloadOnly: boolean;
}

/** Gathers the changes of one verb. */
class Planner implements Plan {
  readonly changes: Change[] = [];
  readonly notes: PlanNote[] = [];
  readonly dataOf: ItemRef[] = [];
  private readonly state: LocalState;
  private readonly collections: readonly ItemState[];
  private readonly force: boolean;
  private readonly verb: ChangeRequest['verb'];
  private readonly visited = new Set<string>();
  private readonly removed = new Set<string>();
  /** Installed items by their place, once it is asked for. */
  private taken: ReadonlyMap<string, ItemState> | null = null;

  constructor(state: LocalState, { force, verb }: ChangeRequest) {
    this.state = state;
    this.collections = [...(state.items.get('collections')?.values() ?? [])];
    this.force = force;
    this.verb = verb;
  }

  /** Brings an item and all that it needs to the current version, members first. */
  bring(ref: ItemRef, how: Bringing, above: readonly ItemRef[] = []): void {
    const key = refText(ref);
    if (above.some((one) => refText(one) === key)) throw cycle([...above, ref]);
    if (above.length > deepestNesting) throw tooDeep(above);
    const now = itemState(this.state, ref);
    if (this.visited.has(key)) return;
    this.visited.add(key);
    if (now === null || (now.index === null && !now.local)) throw missing(ref, above.at(-1));
    if (now.local) {
      if (how.named || above.length > 0) this.note(how.named ? 'refused' : 'info', ref, 'is local and stays as it is');
      this.dataOf.push(ref);
      return;
    }
    if (now.modified && !this.force) {
      this.note(
        how.named ? 'refused' : 'warning',
        ref,
        'was changed by hand and stays as it is; --force overwrites it',
      );
      return;
    }
    const { index } = now;
    if (index === null) return;
    for (const held of this.wantedMembers(now, index)) {
      this.bring(held, { ...how, named: false }, [...above, ref]);
    }
    this.dataOf.push(ref);
    this.change(now, index, how.downloadOnly);
  }

  /** A named item, or everything; what is missing from an installed collection stays missing unless forced. */
  upgrade(items: readonly ItemRef[] | null): void {
    if (items === null) {
      for (const one of allStates(this.state).filter(({ installed }) => installed)) {
        if (one.index === null && !one.local) this.note('warning', refOf(one), 'is no longer in the hub');
        else this.bring(refOf(one), { named: false, downloadOnly: false });
      }
      return;
    }
    for (const ref of items) {
      const now = itemState(this.state, ref);
      if (now === null || !now.installed) {
        throw new GatewayError('HUB_REFUSED', `${refText(ref)} is not installed`, {
          remedy: `portcullis hub install ${refText(ref)}`,
        });
      }
      this.bring(ref, { named: true, downloadOnly: false });
    }
  }

  remove(request: Extract<ChangeRequest, { readonly verb: 'remove' }>): void {
    const named = new Set(request.items.map(refText));
    const problems: string[] = [];
    const candidates: ItemState[] = [];
    for (const ref of request.items) {
      const now = itemState(this.state, ref);
      if (now === null) throw missing(ref, undefined);
      const problem = this.removalProblem(now, named);
      if (problem !== null) problems.push(`${refText(ref)} ${problem}`);
      else if (now.installed || (request.purge && now.downloaded)) candidates.push(now);
      else this.note('info', ref, 'is not installed');
    }
    if (problems.length > 0) {
      const remedy = this.force ? 'Nothing was removed.' : 'Nothing was removed. --force removes what is not local.';
      throw new GatewayError('HUB_REFUSED', problems.join('\n'), { remedy });
    }
    for (const one of candidates) this.drop(one, request.purge);
    if (!request.keepDependencies) {
      this.dropUnneeded(
        candidates.flatMap(({ dependencies }) => dependencies),
        request.purge,
      );
    }
  }

  /** Members that the new version of a collection no longer has go, unless something else needs them. */
  dropWhatCollectionsLetGo(): void {
    const letGo = this.changes.flatMap((change) => {
      if (change.kind !== 'upgrade') return [];
      const kept = new Set(change.item.dependencies.map(refText));
      const before = itemState(this.state, change.item)?.dependencies ?? [];
      return before.filter((ref) => !kept.has(refText(ref)));
    });
    this.dropUnneeded(letGo, false);
  }

  /** Members to bring: those of the current version, without those that were taken out of an installed one on purpose. */
  private wantedMembers(now: ItemState, index: IndexItem): readonly ItemRef[] {
    if (this.verb === 'install' || this.force || !now.installed) return index.dependencies;
    const before = new Set(now.dependencies.map(refText));
    return index.dependencies.filter((ref) => {
      return !before.has(refText(ref)) || (itemState(this.state, ref)?.installed ?? false);
    });
  }

  private change(now: ItemState, index: IndexItem, downloadOnly: boolean): void {
    const fetch = !now.downloaded || now.version !== index.version;
    const link = !downloadOnly && !now.installed;
    if (!fetch && !link) return;
    if (link) this.refuseTakenPlace(index);
    const kind = now.installed ? 'upgrade' : downloadOnly ? 'download' : 'install';
    this.changes.push({ kind, item: index, from: now.modified ? '?' : now.version, fetch, link });
  }

  /** Two items cannot share the place of one file. */
  private refuseTakenPlace(index: IndexItem): void {
    this.taken ??= placesOf(this.state);
    const taken = this.taken.get(placeOf(index.type, index.stage, index.fileName));
    if (taken === undefined || taken.name === index.name) return;
    throw new GatewayError('HUB_REFUSED', `${refText(index)} cannot be installed: ${taken.path} is in its place`, {
      remedy: 'Give that file another name.',
    });
  }

  private removalProblem(now: ItemState, named: ReadonlySet<string>): string | null {
    if (now.local) return `is local: delete ${now.path ?? 'its file'} yourself`;
    if (this.force) return null;
    if (now.installed && now.taintedBy.length > 0) return `is tainted (${taintText(now)})`;
    if (now.modified) return 'was changed by hand';
    const holders = holdersOf(this.state, now).filter((holder) => !named.has(refText(holder)));
    if (holders.length === 0) return null;
    return `is part of ${holders.map(({ name }) => name).join(', ')}`;
  }

  /** Removes what no installed collection needs any more, and then what only those needed: the list grows on the way. */
  private dropUnneeded(released: readonly ItemRef[], purge: boolean): void {
    const open = [...released];
    for (const ref of open) {
      const now = itemState(this.state, ref);
      if (now === null || !now.installed || this.removed.has(refText(ref)) || this.isNeeded(ref)) continue;
      if (now.local) continue;
      if (now.modified && !this.force) {
        this.note('warning', ref, 'was changed by hand and stays; --force removes it');
        continue;
      }
      this.drop(now, purge);
      open.push(...now.dependencies);
    }
  }

  /** True when a collection that will be installed holds the item, in the version that it will have. */
  private isNeeded(ref: ItemRef): boolean {
    const key = refText(ref);
    const changed = new Map(this.changes.flatMap((one) => (one.kind === 'remove' ? [] : [[refText(one.item), one]])));
    return this.collections.some((holder) => {
      const name = refText(holder);
      const change = changed.get(name);
      const stays = holder.installed || change?.kind === 'install';
      if (!stays || this.removed.has(name)) return false;
      const held = change === undefined ? holder.dependencies : change.item.dependencies;
      return held.some((one) => refText(one) === key);
    });
  }

  private drop(now: ItemState, purge: boolean): void {
    if (this.removed.has(refText(now))) return;
    this.removed.add(refText(now));
    this.changes.push({ kind: 'remove', state: now, purge });
  }

  private note(level: PlanNote['level'], ref: ItemRef, text: string): void {
    this.notes.push({ level, ref: refOf(ref), text });
  }
}

function placesOf(state: LocalState): ReadonlyMap<string, ItemState> {
  const installed = allStates(state).filter(({ path }) => path !== null);
  return new Map(installed.map((item) => [placeOf(item.type, item.stage, basename(item.path ?? '')), item]));
}

function placeOf(type: string, stage: string | null, fileName: string): string {
  return [type, stage ?? '', fileName].join('/');
}

function cycle(path: readonly ItemRef[]): GatewayError {
  const from = path.findIndex((ref) => refText(ref) === refText(path.at(-1) ?? ref));
  const round = path.slice(from).map(({ name }) => name);
  return new GatewayError('HUB_REFUSED', `a collection holds itself: ${round.join(' → ')}`, {
    remedy: 'The hub is at fault; use another.',
  });
}

function tooDeep(path: readonly ItemRef[]): GatewayError {
  return new GatewayError('HUB_REFUSED', `${path[0]?.name ?? ''} holds collections in collections, too many deep`, {
    remedy: 'The hub is at fault; use another.',
  });
}

function missing(ref: ItemRef, holder: ItemRef | undefined): GatewayError {
  if (holder === undefined) {
    return new GatewayError('NOT_FOUND', `the hub has no ${refText(ref)}`, {
      remedy: 'See `portcullis hub search`, or get the latest index with `portcullis hub update`.',
    });
  }
  return new GatewayError('HUB_REFUSED', `${refText(holder)} needs ${refText(ref)}, which the hub does not have`, {
    remedy: 'Get the latest index with `portcullis hub update`.',
  });
}
