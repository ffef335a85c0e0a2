/**
 * Parser and postoverflow documents: CrowdSec's YAML, several documents in a file, read strictly. A document with a mistake is
 * not used, the others are. Specification: CrowdSec `pkg/parser/node.go`, `pkg/parser/stage.go`.
 */
import type { YAMLMap } from 'yaml';
import { type DataSpec, readDataSpecs } from '../documents/data-spec.ts';
import { type DocumentReader, type ItemPlaces, readDocuments } from '../documents/document-reader.ts';
import type { ItemFault, ItemKind } from '../documents/item-fault.ts';
import { type CacheStrategy, cacheStrategies } from './cache-policy.ts';
import { type EnricherName, enricherNames } from './enrichers.ts';

/** One of `statics`: a value and where it goes. Texts that are absent are "" here and below. */
export interface StaticSpec {
  readonly value: string;
  readonly expression: string;
  readonly method: EnricherName | null;
  readonly parsed: string;
  readonly meta: string;
  readonly enriched: string;
  readonly target: string;
  readonly places: ItemPlaces;
}

export interface GrokSpec {
  readonly pattern: string;
  readonly name: string;
  /** `Line.Raw` or a key of Parsed. */
  readonly applyOn: string;
  readonly expression: string;
  readonly statics: readonly StaticSpec[];
  readonly places: ItemPlaces;
}

export interface StashEntrySpec {
  readonly name: string;
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number;
  readonly size: number;
  readonly strategy: CacheStrategy;
  readonly places: ItemPlaces;
}

export interface WhitelistSpec {
  readonly reason: string;
  readonly ips: readonly string[];
  readonly cidrs: readonly string[];
  readonly expressions: readonly string[];
  readonly places: ItemPlaces;
}

export interface NodeSpec {
  readonly name: string;
  readonly filter: string;
  /** `onsuccess: next_stage`. */
  readonly nextStage: boolean;
  /** `pattern_syntax`, in the order in which it is written: name, pattern, and where it stands. */
  readonly patterns: readonly (readonly [name: string, pattern: string])[];
  readonly patternPlaces: ItemPlaces | null;
  readonly grok: GrokSpec | null;
  readonly stash: readonly StashEntrySpec[];
  readonly whitelist: WhitelistSpec | null;
  readonly nodes: readonly NodeSpec[];
  readonly statics: readonly StaticSpec[];
  readonly places: ItemPlaces;
}

/** A node that stands in a file by itself. */
export interface ParserDocument extends NodeSpec {
  /** The folder that it is installed in: `s01-parse`. What the document says of it does not count. */
  readonly stage: string;
  readonly author: string;
  readonly description: string;
  readonly references: readonly string[];
  readonly debug: boolean;
  readonly data: readonly DataSpec[];
  /** Whitelists or enriches without any pattern of its own: of use for events that arrive parsed, too. */
  readonly concernsParsedEvents: boolean;
  /** Where it stands: the path as the caller spelled it, and the first line of the document, from 1. */
  readonly file: string;
  readonly line: number;
}

export interface ParserDocuments {
  readonly documents: readonly ParserDocument[];
  readonly faults: readonly ItemFault[];
}

const parserKind: ItemKind = { what: 'parser', code: 'ITEM_INVALID' };

const keysOf = (keys: string): ReadonlySet<string> => new Set(keys.split(' '));
const nodeKeys = keysOf(
  'format debug profiling name author description references stage onsuccess filter nodes pattern_syntax grok statics ' +
    'stash whitelist data',
);
const grokKeys = keysOf('pattern name apply_on expression statics');
const staticKeys = keysOf('value expression method parsed meta enriched target');
const stashKeys = keysOf('name key value ttl size strategy');
const whitelistKeys = keysOf('reason ip cidr expression');

/** The hub nests 3 deep and has 100 nodes in a document; aliases could make more of few lines. */
const deepestNode = 16;
const mostNodes = 2_000;

const defaultStashSize = 100;
const largestStash = 1_000_000;

/** Reads all documents of one file (its bytes, or text that stands for them). Never throws. */
export function readParserDocuments(source: string | Uint8Array, file: string, stage: string): ParserDocuments {
  const documents: ParserDocument[] = [];
  const faults: ItemFault[] = [];
  for (const reader of readDocuments(source, file, parserKind)) {
    const document = new NodeReader(reader).document(stage);
    if (document !== null) documents.push(document);
    faults.push(...reader.faults);
  }
  return { documents, faults };
}

class NodeReader {
  private readonly reader: DocumentReader;
  private nodesLeft = mostNodes;

  constructor(reader: DocumentReader) {
    this.reader = reader;
  }

  /** Null for a document with faults, and for one without name, description and author, which upstream skips. */
  document(stage: string): ParserDocument | null {
    const { reader } = this;
    const root = reader.root();
    if (root === null) return null;
    reader.name = reader.text(root, 'name');
    reader.checkKeys(root, nodeKeys, 'parser');
    const description = reader.text(root, 'description');
    const author = reader.text(root, 'author');
    const node = this.node(root, 0);
    const document: ParserDocument = {
      ...node,
      stage,
      author,
      description,
      references: reader.texts(root, 'references'),
      debug: reader.boolean(root, 'debug'),
      data: readDataSpecs(reader, root),
      concernsParsedEvents: !hasGrok(node) && enrichesOrWhitelists(node),
      file: reader.file,
      line: reader.line(root),
    };
    reader.checkFormat(root);
    if (isEmpty(node)) reader.fault(root, 'the document has neither grok, statics, whitelist, stash nor nodes');
    const anonymous = reader.name === '' && description === '' && author === '';
    return anonymous || reader.faults.length > 0 ? null : document;
  }

  private node(map: YAMLMap, depth: number): NodeSpec {
    const { reader } = this;
    const onSuccess = reader.text(map, 'onsuccess');
    if (!['', 'continue', 'next_stage'].includes(onSuccess)) {
      reader.faultIn(map, 'onsuccess', `onsuccess is next_stage or continue, not ${onSuccess}`);
    }
    const patterns = reader.map(map, 'pattern_syntax', null);
    return {
      name: reader.text(map, 'name'),
      filter: reader.text(map, 'filter'),
      nextStage: onSuccess === 'next_stage',
      patterns: patterns === null ? [] : reader.entries(patterns),
      patternPlaces: patterns === null ? null : reader.places(patterns),
      grok: this.grok(map),
      stash: reader.maps(map, 'stash', stashKeys).map((entry) => this.stashEntry(entry)),
      whitelist: this.whitelist(map),
      nodes: this.children(map, depth),
      statics: this.statics(map),
      places: reader.places(map),
    };
  }

  private children(map: YAMLMap, depth: number): readonly NodeSpec[] {
    const children = this.reader.maps(map, 'nodes', nodeKeys);
    this.nodesLeft -= children.length;
    if (depth < deepestNode && this.nodesLeft >= 0) return children.map((child) => this.node(child, depth + 1));
    const reason =
      this.nodesLeft < 0 ? `there are more than ${mostNodes} nodes` : `nodes are nested ${deepestNode} deep`;
    if (children.length > 0) this.reader.faultIn(map, 'nodes', reason);
    return [];
  }

  private grok(map: YAMLMap): GrokSpec | null {
    const { reader } = this;
    const grok = reader.map(map, 'grok', grokKeys);
    if (grok === null) return null;
    const spec = {
      pattern: reader.text(grok, 'pattern'),
      name: reader.text(grok, 'name'),
      applyOn: reader.text(grok, 'apply_on'),
      expression: reader.text(grok, 'expression'),
      statics: this.statics(grok),
      places: reader.places(grok),
    };
    if (spec.pattern === '' && spec.name === '') reader.fault(grok, 'grok needs a pattern or a name');
    if (spec.applyOn === '' && spec.expression === '') reader.fault(grok, 'grok needs apply_on or an expression');
    return spec;
  }

  private statics(map: YAMLMap): readonly StaticSpec[] {
    return this.reader.maps(map, 'statics', staticKeys).map((entry) => this.static(entry));
  }

  private static(map: YAMLMap): StaticSpec {
    const { reader } = this;
    const text = (key: string): string => reader.text(map, key);
    const method = text('method');
    const spec: StaticSpec = {
      value: text('value'),
      expression: text('expression'),
      method: enricherNames.find((name) => name === method) ?? null,
      parsed: text('parsed'),
      meta: text('meta'),
      enriched: text('enriched'),
      target: text('target'),
      places: reader.places(map),
    };
    if (method !== '' && spec.method === null) {
      reader.faultIn(map, 'method', `method ${method} is unknown; there are ${enricherNames.join(', ')}`);
    }
    if (method !== '' && spec.expression === '') reader.fault(map, 'a static with a method needs an expression');
    const hasTarget = [method, spec.parsed, spec.meta, spec.enriched, spec.target].some((key) => key !== '');
    if (!hasTarget) reader.fault(map, 'a static needs one of parsed, meta, enriched, target and method');
    if (method === '' && spec.value === '' && spec.expression === '') {
      reader.fault(map, 'a static needs a value or an expression');
    }
    return spec;
  }

  private stashEntry(map: YAMLMap): StashEntrySpec {
    const { reader } = this;
    for (const key of ['name', 'key', 'value', 'ttl']) {
      if (reader.text(map, key) === '') reader.fault(map, `a stash entry needs ${key}`);
    }
    const size = reader.integer(map, 'size');
    if (size < 0 || size > largestStash) reader.faultIn(map, 'size', `size lies between 1 and ${largestStash}`);
    const written = reader.text(map, 'strategy') || 'LRU';
    const strategy = cacheStrategies.find((name) => name === written);
    if (strategy === undefined) {
      reader.faultIn(map, 'strategy', `strategy ${written} is unknown; there are ${cacheStrategies.join(', ')}`);
    }
    return {
      name: reader.text(map, 'name'),
      key: reader.text(map, 'key'),
      value: reader.text(map, 'value'),
      ttlMs: reader.duration(map, 'ttl'),
      size: size === 0 ? defaultStashSize : size,
      strategy: strategy ?? 'LRU',
      places: reader.places(map),
    };
  }

  private whitelist(map: YAMLMap): WhitelistSpec | null {
    const { reader } = this;
    const whitelist = reader.map(map, 'whitelist', whitelistKeys);
    if (whitelist === null) return null;
    return {
      reason: reader.text(whitelist, 'reason'),
      ips: reader.texts(whitelist, 'ip'),
      cidrs: reader.texts(whitelist, 'cidr'),
      expressions: reader.texts(whitelist, 'expression'),
      places: reader.places(whitelist),
    };
  }
}

/** Whether the whitelist lists anything: one that does not counts as none. */
export function listsAnything({ ips, cidrs, expressions }: WhitelistSpec): boolean {
  return ips.length + cidrs.length + expressions.length > 0;
}

function isEmpty({ grok, statics, whitelist, stash, nodes }: NodeSpec): boolean {
  return grok === null && whitelist === null && statics.length + stash.length + nodes.length === 0;
}

function hasGrok(node: NodeSpec): boolean {
  return node.grok !== null || node.nodes.some(hasGrok);
}

function enrichesOrWhitelists(node: NodeSpec): boolean {
  const whitelists = node.whitelist !== null && listsAnything(node.whitelist);
  return whitelists || node.statics.some(({ method }) => method !== null) || node.nodes.some(enrichesOrWhitelists);
}
