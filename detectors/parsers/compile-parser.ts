/** Parser documents to nodes that run: expressions, patterns and targets are looked up once. All mistakes are gathered. */
import type { Log } from '../../core/log.ts';
import { messageOf } from '../../core/errors.ts';
import { type IpAddress, type IpRange, parseIp, parseRange } from '../../core/ip.ts';
import type { ItemPlaces } from '../documents/document-reader.ts';
import type { ItemFault } from '../documents/item-fault.ts';
import type { Expression, ExpressionCompiler } from '../expr/compile.ts';
import type { DataFiles } from '../expr/data-files.ts';
import type { Grok } from '../grok/compiled-grok.ts';
import { GrokError } from '../grok/grok-error.ts';
import type { GrokRegistry } from '../grok/grok-registry.ts';
import type { Enrichers } from './enrichers.ts';
import { fieldReader } from './field-reader.ts';
import {
  type GrokSpec,
  listsAnything,
  type NodeSpec,
  type ParserDocument,
  type StashEntrySpec,
  type StaticSpec,
  type WhitelistSpec,
} from './parser-document.ts';
import { type NodeCounters, type NodeGrok, ParserNode, type StashEntry } from './parser-node.ts';
import type { Static } from './static-list.ts';
import type { Stash } from './stash.ts';
import { mapSetter, parseTarget, type Target } from './target.ts';
import { Whitelist } from './whitelist.ts';
import { createWhitelistIndex } from './whitelist-index.ts';

export interface CompileDeps {
  readonly expressions: ExpressionCompiler;
  readonly files: DataFiles;
  /** The namespace of the set: what a document defines, the later ones know too. */
  readonly grok: GrokRegistry;
  readonly enrichers: Enrichers;
  readonly stash: Stash;
  readonly log: Pick<Log, 'warn' | 'debug'>;
}

export interface CompiledParser {
  readonly node: ParserNode;
  /** Dotted paths that the node may write: `evt.Meta.service`, `evt.Unmarshaled`. */
  readonly writes: ReadonlySet<string>;
}

/** Null when the document has mistakes; each is in `faults` then. */
export function compileParser(document: ParserDocument, deps: CompileDeps, faults: ItemFault[]): CompiledParser | null {
  const compiler = new ParserCompiler(document, deps);
  const node = compiler.node(document, document.name);
  faults.push(...compiler.faults);
  return compiler.faults.length === 0 ? { node, writes: compiler.writes } : null;
}

class ParserCompiler {
  readonly faults: ItemFault[] = [];
  readonly writes = new Set<string>();
  private readonly document: ParserDocument;
  private readonly deps: CompileDeps;
  private readonly counters: NodeCounters = { hits: 0, ok: 0, failed: 0, whitelisted: 0, errors: 0 };

  constructor(document: ParserDocument, deps: CompileDeps) {
    this.document = document;
    this.deps = deps;
  }

  /** Patterns are defined before the node's own grok is compiled, and that before its children's, as upstream does. */
  node(spec: NodeSpec, name: string): ParserNode {
    const filter = this.optional(spec.places, 'filter', spec.filter);
    const whitelist = spec.whitelist === null ? null : this.whitelist(spec.whitelist);
    this.definePatterns(spec);
    const grok = spec.grok === null ? null : this.grok(spec.grok);
    const stash = spec.stash.flatMap((entry) => this.stashEntry(entry) ?? []);
    const children = spec.nodes.map((child) => this.node(child, child.name || `child-${name}`));
    const statics = spec.statics.map((one) => this.static(one));
    const { nextStage } = spec;
    const { counters } = this;
    const stashCaches = this.deps.stash;
    return new ParserNode({
      name,
      filter,
      whitelist,
      grok,
      stash,
      children,
      statics,
      nextStage,
      counters,
      stashCaches,
    });
  }

  private definePatterns({ patterns, patternPlaces }: NodeSpec): void {
    for (const [name, pattern] of patterns) {
      try {
        if (this.deps.grok.define(name, pattern)) continue;
        this.deps.log.debug(
          { parser: this.document.name, pattern: name },
          'pattern is already defined; the first stays',
        );
      } catch (error) {
        this.grokFault(patternPlaces, name, `pattern_syntax ${name}`, error);
      }
    }
  }

  private grok(spec: GrokSpec): NodeGrok | null {
    const statics = spec.statics.map((one) => this.static(one));
    const usesField = spec.applyOn !== '';
    const expression = usesField ? null : this.optional(spec.places, 'expression', spec.expression);
    const grok = this.grokPattern(spec);
    if (grok === null) return null;
    for (const field of grok.fields) this.writes.add(`evt.Parsed.${field}`);
    return { grok, field: spec.applyOn === 'Line.Raw' ? '' : spec.applyOn, expression, statics };
  }

  private grokPattern({ pattern, name, places }: GrokSpec): Grok | null {
    try {
      return pattern === '' ? this.deps.grok.named(name) : this.deps.grok.compile(pattern);
    } catch (error) {
      this.grokFault(places, pattern === '' ? 'name' : 'pattern', 'grok', error);
      return null;
    }
  }

  private stashEntry(spec: StashEntrySpec): StashEntry | null {
    const { name, size, strategy, ttlMs, places } = spec;
    this.deps.stash.declare({ name, size, strategy, ttlMs });
    const key = this.expression(places, 'key', spec.key);
    const value = this.expression(places, 'value', spec.value);
    return key === null || value === null ? null : { cache: name, key, value };
  }

  private whitelist(spec: WhitelistSpec): Whitelist | null {
    if (!listsAnything(spec)) return null;
    const { places } = spec;
    const addresses: IpAddress[] = [];
    for (const [index, text] of spec.ips.entries()) {
      const address = parseIp(text);
      if (address === null) this.fault(places, `ip[${index}]`, `${text} is not an address`);
      else addresses.push(address);
    }
    const networks: IpRange[] = [];
    for (const [index, text] of spec.cidrs.entries()) {
      const network = text.includes('/') ? parseRange(text) : null;
      if (network === null) this.fault(places, `cidr[${index}]`, `${text} is not a network like 192.0.2.0/24`);
      else networks.push(network);
    }
    const expressions = spec.expressions.flatMap(
      (source, index) => this.expression(places, `expression[${index}]`, source) ?? [],
    );
    const index = createWhitelistIndex(expressions, this.deps.files);
    return new Whitelist({ reason: spec.reason, addresses, networks, expressions, index });
  }

  private static(spec: StaticSpec): Static {
    // A literal has precedence, whatever the expression says.
    const expression = spec.value === '' ? this.optional(spec.places, 'expression', spec.expression) : null;
    const copy = expression === null ? null : fieldReader(expression.ast);
    const shared = { literal: spec.value, expression, copy, takesEmpty: spec.method === 'ParseDate' };
    if (spec.method !== null) {
      this.writes.add(spec.method === 'UnmarshalJSON' ? 'evt.Unmarshaled' : 'evt.Enriched');
      return { ...shared, set: null, enrich: this.deps.enrichers[spec.method], target: `method ${spec.method}` };
    }
    const { target, shown } = this.target(spec);
    if (target !== null) this.writes.add(target.path);
    return { ...shared, set: target?.set ?? null, enrich: null, target: shown };
  }

  private target({ parsed, meta, enriched, target }: StaticSpec): { target: Target | null; shown: string } {
    const direct = (map: 'Parsed' | 'Meta' | 'Enriched', key: string): { target: Target; shown: string } => {
      return { target: { set: mapSetter(map, key), path: `evt.${map}.${key}` }, shown: `${map.toLowerCase()}.${key}` };
    };
    if (parsed !== '') return direct('Parsed', parsed);
    if (meta !== '') return direct('Meta', meta);
    if (enriched !== '') return direct('Enriched', enriched);
    const found = parseTarget(target);
    const { name: parser, file } = this.document;
    if (found === null) this.deps.log.warn({ parser, file, target }, 'target is unknown; the static sets nothing');
    return { target: found, shown: target };
  }

  private optional(places: ItemPlaces, key: string, source: string): Expression | null {
    return source === '' ? null : this.expression(places, key, source);
  }

  private expression(places: ItemPlaces, key: string, source: string): Expression | null {
    try {
      const expression = this.deps.expressions.compile(source, 'any', { mayWait: true });
      for (const path of expression.writes) this.writes.add(path);
      return expression;
    } catch (error) {
      this.faults.push(places.expressionFault(this.document.name, key, error));
      return null;
    }
  }

  private grokFault(places: ItemPlaces | null, key: string, what: string, error: unknown): void {
    const offset = error instanceof GrokError ? error.offset : 0;
    const fault = (places ?? this.document.places).faultAt(
      this.document.name,
      key,
      offset,
      `${what}: ${messageOf(error)}`,
      error,
    );
    this.faults.push(fault);
  }

  private fault(places: ItemPlaces, key: string, reason: string): void {
    this.faults.push(places.fault(this.document.name, key, reason));
  }
}
