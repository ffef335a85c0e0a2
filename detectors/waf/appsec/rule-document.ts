/**
 * Documents of `appsec-rules`: CrowdSec's YAML, read strictly. A mistake is a fault with its place, and a document with one is
 * not used. Specification: CrowdSec `pkg/appsec/appsec_rules_collection.go`, `pkg/appsec/appsec_rule/appsec_rule.go`.
 */
import { createHash } from 'node:crypto';
import { isMap, isScalar, type Node, type YAMLMap } from 'yaml';
import { closest } from '../../../config/closest.ts';
import { type DocumentReader, readDocuments } from '../../documents/document-reader.ts';
import type { ItemFault, ItemKind } from '../../documents/item-fault.ts';
import {
  bodyTypes,
  countTransform,
  matchTypes,
  severityNames,
  transformNames,
  transformOf,
  zones,
} from './rule-vocabulary.ts';

export interface RuleMatchSpec {
  /** As the document spells it: `startsWith`. */
  readonly type: string;
  readonly value: string;
  readonly not: boolean;
}

/** One condition, or a tree of them: what a node says itself holds together with what its children say. */
export interface RuleNode {
  readonly zones: readonly string[];
  readonly variables: readonly string[];
  /** Null: the node is nothing but its children. */
  readonly match: RuleMatchSpec | null;
  readonly transforms: readonly string[];
  /** Upper case, "" when none is forced. */
  readonly bodyType: string;
  readonly severity: string;
  readonly and: readonly RuleNode[];
  readonly or: readonly RuleNode[];
  /** From 1. */
  readonly line: number;
}

/** A piece of SecLang in a document. */
export interface SecLangText {
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

export interface AppSecRuleDocument {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly rules: readonly RuleNode[];
  readonly secLang: readonly SecLangText[];
  /** Globs below the data folders. */
  readonly secLangFiles: readonly string[];
  readonly file: string;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly hash: string;
}

export interface AppSecRuleDocuments {
  readonly documents: readonly AppSecRuleDocument[];
  readonly faults: readonly ItemFault[];
}

const kind: ItemKind = { what: 'appsec-rule', code: 'RULES_INVALID' };

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const documentKeys = words(
  'name author description version format references debug labels rules seclang_rules seclang_files_rules data',
);
const nodeKeys = words('zones variables match transform and or body_type severity name id description');
const matchKeys = words('type value not');
const dataKeys = words('source_url dest_file type cache strategy size ttl');

/** Conditions nest no deeper than this; the hub's do twice. */
const deepestNode = 16;

/** Reads all documents of one file (its bytes, or text that stands for them). Never throws. */
export function readAppSecRules(source: string | Uint8Array, file: string): AppSecRuleDocuments {
  const hash = createHash('sha256').update(source).digest('hex');
  const documents: AppSecRuleDocument[] = [];
  const faults: ItemFault[] = [];
  for (const reader of readDocuments(source, file, kind)) {
    const document = readDocument(reader, hash);
    if (document !== null) documents.push(document);
    faults.push(...reader.faults);
  }
  return { documents, faults };
}

/** Null for an empty document and for one with faults. */
function readDocument(reader: DocumentReader, hash: string): AppSecRuleDocument | null {
  const root = reader.root();
  if (root === null) return null;
  reader.name = reader.text(root, 'name');
  reader.checkKeys(root, documentKeys, kind.what);
  if (reader.name === '') reader.fault(root, 'an appsec-rule needs a name');
  // What these files are for is told by seclang_files_rules; the hub fetches them.
  reader.maps(root, 'data', dataKeys);
  const document = {
    name: reader.name,
    description: reader.text(root, 'description'),
    version: reader.text(root, 'version'),
    labels: reader.tree(root, 'labels'),
    rules: readNodes(reader, root, 'rules', deepestNode),
    secLang: reader.list(root, 'seclang_rules').map((node) => ({
      text: reader.scalarText(node, 'seclang_rules'),
      line: firstLine(reader, node),
    })),
    secLangFiles: reader.texts(root, 'seclang_files_rules'),
    file: reader.file,
    hash,
  };
  return reader.faults.length === 0 ? document : null;
}

/** The text of a block scalar starts on the line after its header. */
function firstLine(reader: DocumentReader, node: Node): number {
  const isBlock = isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED');
  return reader.line(node) + (isBlock ? 1 : 0);
}

function readNodes(reader: DocumentReader, map: YAMLMap, key: string, depth: number): readonly RuleNode[] {
  return reader.list(map, key).flatMap((node) => {
    if (!isMap(node)) {
      reader.fault(node, `each entry of ${key} is a map`);
      return [];
    }
    if (depth > 0) return [readNode(reader, node, depth)];
    reader.fault(node, `conditions nest more than ${deepestNode} levels deep`);
    return [];
  });
}

function readNode(reader: DocumentReader, map: YAMLMap, depth: number): RuleNode {
  reader.checkKeys(map, nodeKeys, 'a rule');
  const node: RuleNode = {
    zones: reader.texts(map, 'zones'),
    variables: reader.texts(map, 'variables'),
    match: readMatch(reader, map),
    transforms: reader.texts(map, 'transform'),
    bodyType: readBodyType(reader, map),
    severity: reader.text(map, 'severity').toLowerCase(),
    and: readNodes(reader, map, 'and', depth - 1),
    or: readNodes(reader, map, 'or', depth - 1),
    line: reader.line(map),
  };
  checkNode(reader, map, node);
  return node;
}

function readMatch(reader: DocumentReader, map: YAMLMap): RuleMatchSpec | null {
  const match = reader.map(map, 'match', matchKeys);
  if (match === null) return null;
  const type = reader.text(match, 'type');
  const value = reader.text(match, 'value');
  const known = matchTypes.get(type);
  if (known === undefined) reader.faultIn(match, 'type', unknownWord('match type', type, matchTypes.keys()));
  else checkValue(reader, match, type, value, known.takesValue);
  return { type, value, not: reader.boolean(match, 'not') };
}

function checkValue(reader: DocumentReader, match: YAMLMap, type: string, value: string, wanted: boolean): void {
  if (wanted && reader.value(match, 'value') === null) reader.faultIn(match, 'type', `match ${type} needs a value`);
  if (/[\r\n]/.test(value.trim())) reader.faultIn(match, 'value', 'the value has more than one line');
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(value.trim())) {
    reader.faultIn(match, 'value', 'the value ends with a single backslash, which SecLang has no spelling for');
  }
}

function readBodyType(reader: DocumentReader, map: YAMLMap): string {
  const written = reader.text(map, 'body_type');
  if (written === '') return '';
  const processor = bodyTypes.get(written.toLowerCase());
  if (processor === undefined) reader.faultIn(map, 'body_type', unknownWord('body_type', written, bodyTypes.keys()));
  return processor ?? '';
}

function checkNode(reader: DocumentReader, map: YAMLMap, node: RuleNode): void {
  const { match, and, or, severity } = node;
  for (const zone of node.zones) {
    if (!zones.has(zone)) reader.faultIn(map, 'zones', unknownWord('zone', zone, zones.keys()));
  }
  for (const name of node.transforms) {
    if (name !== countTransform && transformOf(name) === null) {
      reader.faultIn(map, 'transform', unknownWord('transform', name, transformNames));
    }
  }
  for (const name of node.variables) {
    if (/["'\r\n]/.test(name)) reader.faultIn(map, 'variables', `variable ${name} has a quote or line end in it`);
    else if (name.includes('|') && !/^\/.*\/$/.test(name)) {
      reader.faultIn(map, 'variables', `variable ${name} has a bar in it; a pattern stands in slashes`);
    }
  }
  if (match !== null && node.zones.length === 0) reader.fault(map, 'a rule with a match needs zones');
  if (match === null && node.zones.length > 0) reader.fault(map, 'a rule with zones needs a match');
  if (match === null && node.zones.length === 0 && and.length === 0 && or.length === 0) {
    reader.fault(map, 'a rule needs zones with a match, and, or or');
  }
  if (severity !== '' && !severityNames.some((known) => known === severity)) {
    reader.faultIn(map, 'severity', unknownWord('severity', severity, severityNames));
  }
}

function unknownWord(what: string, word: string, known: Iterable<string>): string {
  if (word === '') return `a rule needs a ${what}`;
  const near = closest(word, known);
  return `${what} ${word} is unknown${near === null ? '' : `. Did you mean ${near}?`}`;
}
