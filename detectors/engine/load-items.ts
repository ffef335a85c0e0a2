/** Items from disk: parsers, postoverflows, scenarios and contexts with their faults, in the order in which they run. */
import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../core/errors.ts';
import { type ItemFault, itemFault } from '../documents/item-fault.ts';
import { type ParserDocument, readParserDocuments } from '../parsers/parser-document.ts';
import { type ContextDocument, readContextDocuments } from '../scenarios/context-document.ts';
import { readScenarioDocuments, type ScenarioSpec } from '../scenarios/scenario-document.ts';
import { findItemFiles, type ItemFile } from './item-files.ts';

export interface Items {
  readonly parsers: readonly ParserDocument[];
  readonly postoverflows: readonly ParserDocument[];
  readonly scenarios: readonly ScenarioSpec[];
  readonly contexts: readonly ContextDocument[];
  /** `data` folders beside the items. */
  readonly dataFolders: readonly string[];
  /** Documents that are not used, each with its place; the others are. */
  readonly faults: readonly ItemFault[];
}

/** Files above this are no items: the hub's largest has 110 KB. */
const largestFileBytes = 1_048_576;

/**
 * Reads the items of every file and folder in `paths` (`item-files.ts` has the layout). Several scenarios may bear one name, as
 * some of the hub's do: those with one filter, too, share their buckets, the others fill buckets of their own.
 */
export async function loadItems(paths: readonly string[]): Promise<Items> {
  const { files, dataFolders, unreadable } = findItemFiles(paths);
  const items = {
    parsers: [] as ParserDocument[],
    postoverflows: [] as ParserDocument[],
    scenarios: [] as ScenarioSpec[],
    contexts: [] as ContextDocument[],
    dataFolders,
    faults: unreadable.map(({ path, cause }) =>
      itemFault(path, 1, 1, '', `cannot be read: ${messageOf(cause)}`, cause),
    ),
  };
  for (const file of files) {
    const source = readItemFile(file, items.faults);
    if (source !== null) readInto(items, file, source);
  }
  return items;
}

type Growing = { -readonly [Key in keyof Items]: Items[Key] extends readonly (infer One)[] ? One[] : Items[Key] };

function readInto(items: Omit<Growing, 'dataFolders'>, { kind, stage, path }: ItemFile, source: Uint8Array): void {
  switch (kind) {
    case 'parsers':
    case 'postoverflows': {
      const { documents, faults } = readParserDocuments(source, path, stage);
      items[kind].push(...documents);
      items.faults.push(...faults);
      return;
    }
    case 'scenarios': {
      const { documents, faults } = readScenarioDocuments(source, path);
      items.scenarios.push(...documents);
      items.faults.push(...faults);
      return;
    }
    case 'contexts': {
      const { documents, faults } = readContextDocuments(source, path);
      items.contexts.push(...documents);
      items.faults.push(...faults);
      return;
    }
    default:
      kind satisfies never;
  }
}

function readItemFile({ path }: ItemFile, faults: ItemFault[]): Uint8Array | null {
  try {
    const { size } = statSync(path);
    if (size <= largestFileBytes) return readFileSync(path);
    faults.push(unreadFile(path, `the file has ${size} bytes; an item has at most ${largestFileBytes}`));
  } catch (cause) {
    faults.push(unreadFile(path, `cannot be read: ${messageOf(cause)}`, cause));
  }
  return null;
}

function unreadFile(file: string, reason: string, cause?: unknown): ItemFault {
  return itemFault(file, 1, 1, '', reason, cause);
}
