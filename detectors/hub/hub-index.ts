/**
 * The index of a hub (`.index.json`): every item with its file, the digests of all its versions, and what a collection
 * depends on. It comes from outside, so nothing in it is believed: an item whose path leads out of its folder, or that has
 * no digest for its version, is left out and named, and the others are used. Unknown keys and types are left aside: newer
 * hubs have more of them. Format: CrowdSec `pkg/cwhub/item.go`; docs/hub.md.
 */
import * as z from 'zod';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { hasStages, type ItemRef, type ItemType, itemTypes, refText } from './item-type.ts';

/** The public index has 4 MB, with the text of every item in it. */
export const largestIndexBytes = 32 * 1024 * 1024;

/** Items of one type; the public hub has about 800 scenarios. */
const mostItems = 50_000;

export interface IndexVersion {
  readonly version: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  readonly deprecated: boolean;
}

export interface IndexItem extends ItemRef {
  /** Below the hub's folder, with forward slashes: `parsers/s01-parse/crowdsecurity/sshd-logs.yaml`. */
  readonly path: string;
  /** The folder of its stage; null for types without stages. */
  readonly stage: string | null;
  readonly fileName: string;
  readonly author: string;
  readonly description: string;
  /** The current version, which is among `versions`. */
  readonly version: string;
  readonly digest: string;
  /** Newest first. */
  readonly versions: readonly IndexVersion[];
  /** What the current version of a collection holds; empty for other types. */
  readonly dependencies: readonly ItemRef[];
}

export interface HubIndex {
  readonly items: ReadonlyMap<ItemType, ReadonlyMap<string, IndexItem>>;
  /** What was left out, one sentence each, at most a hundred. */
  readonly faults: readonly string[];
}

const word = '[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}';
const namePattern = new RegExp(`^${word}/${word}$`);
const pathPattern = new RegExp(`^(?:${word}/){2,3}${word}\\.ya?ml$`);

const itemName = z.string().regex(namePattern, { error: 'is no name such as crowdsecurity/sshd' });
const itemNames = z.array(itemName).max(5_000).nullish();
const versionText = z.string().min(1).max(64);

const itemSchema = z.object({
  path: z.string().max(512).regex(pathPattern, { error: 'is no path inside the hub' }),
  stage: z.string().max(128).nullish(),
  version: versionText,
  versions: z.record(
    versionText,
    z.object({
      digest: z.string().regex(/^[0-9a-f]{64}$/, { error: 'is no SHA-256 digest' }),
      deprecated: z.boolean().nullish(),
    }),
  ),
  author: z.string().max(256).nullish(),
  description: z.string().max(65_536).nullish(),
  parsers: itemNames,
  postoverflows: itemNames,
  scenarios: itemNames,
  contexts: itemNames,
  'appsec-configs': itemNames,
  'appsec-rules': itemNames,
  collections: itemNames,
});

/**
 * Reads the text of an index.
 * @throws GatewayError HUB_INDEX_INVALID when it is no index at all.
 */
export function readHubIndex(text: string): HubIndex {
  if (text.length > largestIndexBytes) throw invalid(`it is larger than ${largestIndexBytes} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalid(`it is no JSON (${messageOf(cause)})`, cause);
  }
  if (!isRecord(parsed)) throw invalid('it is no object of item types');
  if (!itemTypes.some((type) => Object.hasOwn(parsed, type))) throw invalid('it names none of the types of items');
  const reader = new IndexReader();
  for (const type of itemTypes) reader.readType(type, Object.hasOwn(parsed, type) ? parsed[type] : {});
  return reader;
}

/** The item of that type and name, or null. */
export function resolveIndexItem(index: HubIndex, type: ItemType, name: string): IndexItem | null {
  return index.items.get(type)?.get(name) ?? null;
}

/** Every item, type by type. */
export function indexItems(index: HubIndex): IndexItem[] {
  return itemTypes.flatMap((type) => [...(index.items.get(type)?.values() ?? [])]);
}

/** Gathers the items and what is wrong with those that cannot be used. */
class IndexReader implements HubIndex {
  readonly items = new Map<ItemType, Map<string, IndexItem>>();
  readonly faults: string[] = [];
  /** By the place of the installed link, which two items cannot share. */
  private readonly places = new Map<string, IndexItem>();

  readType(type: ItemType, value: unknown): void {
    const items = new Map<string, IndexItem>();
    this.items.set(type, items);
    if (!isRecord(value)) {
      this.fault(`${type} is no object of items`);
      return;
    }
    const entries = Object.entries(value);
    if (entries.length > mostItems) throw invalid(`it has more than ${mostItems} ${type}`);
    for (const [name, entry] of entries) {
      const item = this.readItem(type, name, entry);
      if (item !== null) items.set(name, item);
    }
  }

  private readItem(type: ItemType, name: string, entry: unknown): IndexItem | null {
    const read = itemSchema.safeParse(entry);
    const problem = namePattern.test(name)
      ? firstProblem(read.error)
      : 'its name is no name such as crowdsecurity/sshd';
    if (!read.success || problem !== null) return this.refuse(type, name, problem ?? 'it cannot be read');
    const { path, version, author, description } = read.data;
    const segments = path.split('/');
    const stage = hasStages(type) ? (segments[1] ?? '') : null;
    const fileName = segments.at(-1) ?? '';
    if (segments[0] !== type || segments.length !== (stage === null ? 3 : 4)) {
      return this.refuse(type, name, `its path ${path} is not one of ${type}`);
    }
    if ((read.data.stage ?? stage) !== stage) return this.refuse(type, name, `its path ${path} is of another stage`);
    const versions = Object.entries(read.data.versions)
      .map(([version, { digest, deprecated }]) => ({ version, digest, deprecated: deprecated ?? false }))
      .sort((left, right) => compareVersions(right.version, left.version));
    const current = versions.find((one) => one.version === version);
    if (current === undefined) return this.refuse(type, name, `it has no digest for its version ${version}`);
    const item: IndexItem = {
      type,
      name,
      path,
      stage,
      fileName,
      author: author ?? '',
      description: description ?? '',
      version,
      digest: current.digest,
      versions,
      dependencies: dependenciesOf(type, read.data),
    };
    return this.place(item);
  }

  private place(item: IndexItem): IndexItem | null {
    const place = [item.type, item.stage ?? '', item.fileName].join('/');
    const holder = this.places.get(place);
    if (holder !== undefined)
      return this.refuse(item.type, item.name, `its file ${item.fileName} is that of ${holder.name}`);
    this.places.set(place, item);
    return item;
  }

  private refuse(type: ItemType, name: string, problem: string): null {
    this.fault(`${refText({ type, name: name.slice(0, 128) })} is left out: ${problem}`);
    return null;
  }

  private fault(text: string): void {
    if (this.faults.length < 100) this.faults.push(text);
  }
}

function dependenciesOf(type: ItemType, data: z.output<typeof itemSchema>): readonly ItemRef[] {
  if (type !== 'collections') return [];
  return itemTypes.flatMap((type) => [...new Set(data[type])].map((name) => ({ type, name })));
}

/** Versions as the hub counts them: numbers between dots, so that 0.10 is newer than 0.9. Other texts sort below. */
export function compareVersions(left: string, right: string): number {
  const [lefts, rights] = [left.split('.'), right.split('.')];
  for (let at = 0; at < Math.max(lefts.length, rights.length); at++) {
    const difference = numberOf(lefts[at]) - numberOf(rights[at]);
    if (difference !== 0) return difference;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

function numberOf(part: string | undefined): number {
  if (part === undefined) return 0;
  return /^\d{1,15}$/.test(part) ? Number(part) : -1;
}

function firstProblem(error: z.ZodError | undefined): string | null {
  const [issue] = error?.issues ?? [];
  return issue === undefined ? null : `${issue.path.map(String).join('.') || 'the entry'}: ${issue.message}`;
}

function invalid(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('HUB_INDEX_INVALID', `the hub's index cannot be used: ${reason}`, {
    remedy: 'Check the address of the hub; an index is named .index.json.',
    cause,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
