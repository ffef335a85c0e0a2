/**
 * Context documents: under each key the expressions whose values an alert shows. Specification: CrowdSec
 * `pkg/alertcontext/config.go`; the files are those of a hub's `contexts/`.
 */
import { isScalar } from 'yaml';
import { readDocuments } from '../documents/document-reader.ts';
import type { DocumentReader, ItemPlaces } from '../documents/document-reader.ts';
import type { ItemFault, ItemKind } from '../documents/item-fault.ts';

/** One key of an alert's context. */
export interface ContextEntry {
  readonly key: string;
  /** Over `evt`, `match` and `req`, as written. */
  readonly expressions: readonly string[];
}

/** One document as it is written. */
export interface ContextDocument {
  readonly file: string;
  /** Its first line, from 1. */
  readonly line: number;
  readonly entries: readonly ContextEntry[];
  /** For faults that compiling finds: expression n of a key stands at `key[n]`. */
  readonly places: ItemPlaces;
}

export interface ContextDocuments {
  readonly documents: readonly ContextDocument[];
  readonly faults: readonly ItemFault[];
}

const contextKind: ItemKind = { what: 'context', code: 'ITEM_INVALID' };

const knownKeys: ReadonlySet<string> = new Set(['context']);

/** Reads all documents of one file (its bytes, or text that stands for them). Empty documents are skipped. Never throws. */
export function readContextDocuments(source: string | Uint8Array, file: string): ContextDocuments {
  const documents: ContextDocument[] = [];
  const faults: ItemFault[] = [];
  for (const reader of readDocuments(source, file, contextKind)) {
    const document = contextOf(reader);
    faults.push(...reader.faults);
    if (document !== null && reader.faults.length === 0) documents.push(document);
  }
  return { documents, faults };
}

function contextOf(reader: DocumentReader): ContextDocument | null {
  const root = reader.root();
  if (root === null) return null;
  reader.checkKeys(root, knownKeys, 'context file');
  const context = reader.map(root, 'context', null);
  if (context === null) {
    reader.fault(root, 'a context file has a map of keys and lists of expressions under context');
    return null;
  }
  const entries = context.items.map(({ key }) => {
    const name = isScalar(key) ? String(key.value) : String(key);
    return { key: name, expressions: reader.texts(context, name) };
  });
  return { file: reader.file, line: reader.line(root), entries, places: reader.places(context) };
}
