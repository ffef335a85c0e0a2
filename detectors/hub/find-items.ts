/**
 * Items as people write them: `crowdsecurity/sshd`, `collections:crowdsecurity/sshd`, or a path as it is in the hub
 * (`collections/crowdsecurity/sshd`). A type is needed only where several items bear the name.
 */
import { closest } from '../../config/closest.ts';
import { GatewayError } from '../../core/errors.ts';
import { type ItemRef, type ItemType, itemTypes, parseItemType, refText } from './item-type.ts';
import { allStates, type ItemState, type LocalState } from './local-state.ts';

export interface FindOptions {
  /** Only items of this type. */
  readonly type: ItemType | null;
  /** Where several items bear a name, those that are installed are meant. */
  readonly installedFirst: boolean;
}

/** @throws GatewayError NOT_FOUND, USAGE */
export function findItem(state: LocalState, word: string, options: FindOptions): ItemState {
  const { type, name } = splitWord(word);
  if (type !== null && options.type !== null && type !== options.type) {
    throw new GatewayError('USAGE', `"${word}" is none of the ${options.type}`, {
      remedy: 'Leave out one of the types.',
    });
  }
  const wanted = type ?? options.type;
  const of = allStates(state).filter((item) => wanted === null || item.type === wanted);
  const named = of.filter((item) => item.name === name);
  const installed = options.installedFirst ? named.filter((item) => item.installed) : [];
  const found = installed.length > 0 ? installed : named;
  const [first, second] = found;
  if (first === undefined) throw unknown(word, name, of);
  if (second === undefined) return first;
  throw new GatewayError('USAGE', `"${word}" is several items: ${found.map(refText).join(', ')}`, {
    remedy: 'Say which, for example with --type, or as it stands here.',
  });
}

/**
 * Reads the value of `--type`.
 * @throws GatewayError USAGE
 */
export function readItemType(text: string): ItemType {
  const type = parseItemType(text);
  if (type !== null) return type;
  throw new GatewayError('USAGE', `"${text}" is no type of items`, { remedy: `Use ${itemTypes.join(', ')}.` });
}

function splitWord(word: string): { readonly type: ItemType | null; readonly name: string } {
  const [, before = '', rest = ''] = /^([a-z-]+)[:/](.*\/.*)$/.exec(word) ?? [];
  const type = parseItemType(before);
  return type === null ? { type: null, name: word } : { type, name: rest };
}

function unknown(word: string, name: string, items: readonly ItemState[]): GatewayError {
  const near = nearestName(name, items);
  const question = near === null ? '' : ` Did you mean ${near}?`;
  return new GatewayError('NOT_FOUND', `the hub has no item "${word}".${question}`, {
    remedy: 'Look for it with `portcullis hub search`, or get the latest index with `portcullis hub update`.',
  });
}

/** Authors count for little: most names of the public hub begin with the same one. */
function nearestName(name: string, items: readonly ItemRef[]): string | null {
  const [author = '', base = ''] = name.includes('/') ? name.split('/', 2) : ['', name];
  const ofAuthor = items.filter((item) => item.name.startsWith(`${author}/`));
  const candidates = new Map(
    (ofAuthor.length > 0 ? ofAuthor : items).map((item) => [item.name.slice(item.name.indexOf('/') + 1), item.name]),
  );
  return candidates.get(closest(base, candidates.keys()) ?? '') ?? null;
}
