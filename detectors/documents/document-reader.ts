/**
 * The strict reader of items (scenarios, parsers, contexts): YAML with several documents in a file, whose unknown or
 * repeated keys and values of the wrong shape are faults with file, line, column and a mark. Scalars keep their spelling
 * where a text is wanted. Specification: CrowdSec decodes items with `yaml.Decoder.KnownFields(true)`.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseAllDocuments, type YAMLMap } from 'yaml';
import { parseDuration } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import { placeAt } from '../../core/place-at.ts';
import { InvalidExpression } from '../expr/compile.ts';
import { documentFault, type ItemFault, type ItemKind } from './item-fault.ts';
import { offsetInScalar, type ScalarText } from './text-place.ts';

/** The longest text that one key may hold: the hub's longest filter has 23 000 characters. */
const longestText = 262_144;

/** Faults that are gathered for one document; who has more has not written an item. */
const mostFaults = 50;

/** Formats of documents that this engine understands, as CrowdSec counts them. */
const formats = { least: 1, most: 3 } as const;

/** A reader for each document of a file (its bytes, or text that stands for them). Never throws. */
export function readDocuments(source: string | Uint8Array, file: string, kind: ItemKind): readonly DocumentReader[] {
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  const parsed = parseAllDocuments(text, { uniqueKeys: true, prettyErrors: false, stringKeys: true });
  return 'empty' in parsed ? [] : parsed.map((document) => new DocumentReader(document, text, file, kind));
}

/** Reads one document and gathers its faults. A value that is absent or null reads as "", 0, false or empty. */
export class DocumentReader {
  readonly faults: ItemFault[] = [];
  readonly file: string;
  /** The item's name for messages; whoever reads the item sets it first. */
  name = '';
  private readonly document: Document.Parsed;
  private readonly source: string;
  private readonly kind: ItemKind;

  constructor(document: Document.Parsed, source: string, file: string, kind: ItemKind) {
    this.document = document;
    this.source = source;
    this.file = file;
    this.kind = kind;
  }

  /** The document's map; null when the document is empty, or damaged and a fault has been gathered. */
  root(): YAMLMap | null {
    for (const { pos, message } of [...this.document.errors, ...this.document.warnings]) this.faultAt(pos[0], message);
    if (this.document.errors.length > 0) return null;
    const { contents } = this.document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return null;
    if (isMap(contents)) return contents;
    this.fault(contents, `a ${this.kind.what} is a map of keys and values`);
    return null;
  }

  text(map: YAMLMap, key: string): string {
    const node = this.value(map, key);
    return node === null ? '' : this.scalarText(node, key);
  }

  /** A list of texts. */
  texts(map: YAMLMap, key: string): readonly string[] {
    return this.list(map, key).map((node) => this.scalarText(node, key));
  }

  duration(map: YAMLMap, key: string): number {
    const written = this.text(map, key);
    if (written === '') return 0;
    const ms = parseDuration(written);
    if (ms !== null && ms >= 0) return ms;
    this.faultIn(map, key, `${key} ${written} is not a duration like 10s, 0.5s or 1m30s`);
    return 0;
  }

  integer(map: YAMLMap, key: string): number {
    const value = this.number(map, key);
    if (Number.isSafeInteger(value)) return value;
    this.faultIn(map, key, `${key} is a whole number`);
    return 0;
  }

  number(map: YAMLMap, key: string): number {
    const node = this.value(map, key);
    if (node === null) return 0;
    if (isScalar(node) && typeof node.value === 'number' && Number.isFinite(node.value)) return node.value;
    this.faultIn(map, key, `${key} is a number`);
    return 0;
  }

  boolean(map: YAMLMap, key: string): boolean {
    const node = this.value(map, key);
    if (node === null) return false;
    if (isScalar(node) && typeof node.value === 'boolean') return node.value;
    this.faultIn(map, key, `${key} is true or false`);
    return false;
  }

  /** A map whose keys are among `allowed`, or any where that is null. */
  map(map: YAMLMap, key: string, allowed: ReadonlySet<string> | null): YAMLMap | null {
    const node = this.value(map, key);
    if (node === null) return null;
    if (!isMap(node)) {
      this.faultIn(map, key, `${key} is a map`);
      return null;
    }
    if (allowed !== null) this.checkKeys(node, allowed, key);
    return node;
  }

  /** A list of maps whose keys are among `allowed`. */
  maps(map: YAMLMap, key: string, allowed: ReadonlySet<string>): readonly YAMLMap[] {
    return this.list(map, key).flatMap((node) => {
      if (isMap(node)) {
        this.checkKeys(node, allowed, key);
        return [node];
      }
      this.fault(node, `each entry of ${key} is a map`);
      return [];
    });
  }

  /** The entries of a list, aliases followed; null entries are left out. */
  list(map: YAMLMap, key: string): readonly Node[] {
    const node = this.value(map, key);
    if (node === null) return [];
    if (isSeq(node)) {
      return node.items.map((item) => this.resolved(item as Node | null)).filter((item) => item !== null);
    }
    this.faultIn(map, key, `${key} is a list`);
    return [];
  }

  /** The keys and texts of a map, in the order in which they are written. */
  entries(map: YAMLMap): readonly (readonly [key: string, text: string])[] {
    return map.items.map(({ key }) => [keyText(key), this.text(map, keyText(key))]);
  }

  /** A map of any depth as plain values. */
  tree(map: YAMLMap, key: string): Readonly<Record<string, unknown>> {
    const node = this.map(map, key, null);
    if (node === null) return {};
    try {
      return node.toJS(this.document) as Record<string, unknown>;
    } catch (error) {
      // The parser refuses aliases that multiply without end.
      this.fault(node, `${key}: ${messageOf(error)}`);
      return {};
    }
  }

  /** `format`, when it is there, must be one that is understood. */
  checkFormat(map: YAMLMap): void {
    const written = this.text(map, 'format');
    if (written === '') return;
    const format = Number(written);
    if (format >= formats.least && format <= formats.most) return;
    this.faultIn(map, 'format', `format ${written} is not between 1.0 and 3.0`);
  }

  checkKeys(map: YAMLMap, allowed: ReadonlySet<string>, what: string): void {
    for (const { key } of map.items) {
      const name = keyText(key);
      if (!allowed.has(name)) this.fault(key, `unknown key ${name} in ${what}`);
    }
  }

  /** The value of a key, aliases followed; null when it is absent or null. */
  value(map: YAMLMap, key: string): Node | null {
    return this.resolved(map.get(key, true));
  }

  /** Scalars keep their spelling where a text is wanted: `0010` and `1.0` stay what was written. */
  scalarText(node: Node, key: string): string {
    if (!isScalar(node)) {
      this.fault(node, `${key} is a text`);
      return '';
    }
    const text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
    if (text.length <= longestText) return text;
    this.fault(node, `${key} is longer than ${longestText} characters`);
    return '';
  }

  /** Where the map's values stand, for faults that are found after reading. Entries of a list are `key[0]` and so on. */
  places(map: YAMLMap): ItemPlaces {
    const texts = new Map<string, ScalarText>();
    const keys = new Map<string, number>();
    const note = (key: string, node: unknown): void => {
      if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return;
      texts.set(key, { source: this.source, range: node.range, text: node.value });
    };
    for (const { key, value } of map.items) {
      keys.set(keyText(key), offsetOf(key));
      note(keyText(key), value);
      if (isSeq(value)) for (const [index, item] of value.items.entries()) note(`${keyText(key)}[${index}]`, item);
    }
    return new ItemPlaces(this.kind, this.file, this.source, offsetOf(map), keys, texts);
  }

  /** The line on which a node starts, from 1. */
  line(node: Node): number {
    return placeAt(this.source, offsetOf(node)).line;
  }

  /** A mistake at a node or key. */
  fault(node: unknown, reason: string): void {
    this.faultAt(offsetOf(node), reason);
  }

  /** A mistake in the value of a key; at the map when there is none. */
  faultIn(map: YAMLMap, key: string, reason: string): void {
    const pair = map.items.find((item) => keyText(item.key) === key);
    this.fault(pair === undefined ? map : (pair.value ?? pair.key), reason);
  }

  private resolved(node: Node | null | undefined): Node | null {
    const found = isAlias(node) ? (node.resolve(this.document) ?? null) : (node ?? null);
    return isScalar(found) && found.value === null ? null : found;
  }

  private faultAt(offset: number, reason: string): void {
    if (this.faults.length >= mostFaults) return;
    this.faults.push(documentFault(this.kind, { file: this.file, source: this.source, offset }, this.name, reason));
  }
}

/** Makes faults about the values of one map, when the reader is gone. */
export class ItemPlaces {
  private readonly kind: ItemKind;
  private readonly file: string;
  private readonly source: string;
  private readonly start: number;
  private readonly keys: ReadonlyMap<string, number>;
  private readonly texts: ReadonlyMap<string, ScalarText>;

  constructor(
    kind: ItemKind,
    file: string,
    source: string,
    start: number,
    keys: ReadonlyMap<string, number>,
    texts: ReadonlyMap<string, ScalarText>,
  ) {
    this.kind = kind;
    this.file = file;
    this.source = source;
    this.start = start;
    this.keys = keys;
    this.texts = texts;
  }

  /** A fault about the value of `key`; at the map when it has none. */
  fault(name: string, key: string, reason: string): ItemFault {
    return this.faultAt(name, key, 0, reason);
  }

  /**
   * What came of compiling the expression that is the value of `key`. A mistake in it is shown where it stands in the file
   * instead of where it stands in the expression.
   */
  expressionFault(name: string, key: string, thrown: unknown): ItemFault {
    const mistake = thrown instanceof InvalidExpression && this.texts.has(key) ? thrown : null;
    const reason = `${key}: ${mistake?.reason ?? messageOf(thrown)}`;
    return this.faultAt(name, key, mistake?.offset ?? 0, reason, thrown);
  }

  /** A fault at an offset of the text that is the value of `key`. */
  faultAt(name: string, key: string, offset: number, reason: string, cause?: unknown): ItemFault {
    const text = this.texts.get(key);
    const place = text === undefined ? (this.keys.get(key) ?? this.start) : offsetInScalar(text, offset);
    return documentFault(this.kind, { file: this.file, source: this.source, offset: place }, name, reason, cause);
  }
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function offsetOf(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}
