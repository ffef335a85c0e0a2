/**
 * What the hub must know of an item's file: its name, what it depends on, and the data files that it needs. Read leniently
 * and for every type, also those that this version cannot run: judging a document is the engine's work.
 */
import { parseAllDocuments } from 'yaml';
import { type ItemRef, type ItemType, itemTypes } from './item-type.ts';

export interface ItemDocument {
  /** The name in the first document that has one, or "". */
  readonly name: string;
  /** What a collection holds; empty for other types. */
  readonly dependencies: readonly ItemRef[];
  readonly data: readonly NeededData[];
}

/** A file that an item reads, and where it comes from. */
export interface NeededData {
  readonly url: string;
  /** As written: it may try to lead out of the data folder. */
  readonly destFile: string;
}

/** More than any document has; the rest is not looked at. */
const mostEntries = 5_000;

/** Never throws: what is no YAML has no name and needs nothing. */
export function readItemDocument(text: string, type: ItemType): ItemDocument {
  const documents = valuesOf(text).filter(isRecord);
  return {
    name: documents.flatMap(({ name }) => (typeof name === 'string' && name !== '' ? [name] : []))[0] ?? '',
    dependencies: type === 'collections' ? documents.flatMap(dependenciesOf) : [],
    data: documents.flatMap(dataOf).slice(0, mostEntries),
  };
}

function valuesOf(text: string): unknown[] {
  try {
    const parsed = parseAllDocuments(text, { prettyErrors: false, logLevel: 'silent' });
    return 'empty' in parsed ? [] : parsed.flatMap((one) => (one.errors.length === 0 ? [one.toJS() as unknown] : []));
  } catch {
    // Aliases that unfold without end, or nesting that exhausts the stack.
    return [];
  }
}

function dependenciesOf(document: Readonly<Record<string, unknown>>): ItemRef[] {
  return itemTypes.flatMap((type) => {
    const names = document[type];
    if (!Array.isArray(names)) return [];
    return names.filter((name) => typeof name === 'string').map((name) => ({ type, name }));
  });
}

function dataOf({ data }: Readonly<Record<string, unknown>>): NeededData[] {
  if (!Array.isArray(data)) return [];
  return data.filter(isRecord).flatMap(({ source_url: url, dest_file: destFile }) => {
    if (typeof url !== 'string' || url === '' || typeof destFile !== 'string' || destFile === '') return [];
    return [{ url, destFile }];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
