/**
 * Scenario documents: CrowdSec's YAML, several documents in a file, read strictly. An unknown or repeated key, a missing
 * mandatory one or a value of the wrong shape is a fault with its place; the other documents of the file are still used.
 * Specification: CrowdSec `pkg/leakybucket/manager_load.go` (`BucketSpec`).
 */
import { createHash } from 'node:crypto';
import { type Document, isMap, isScalar, LineCounter, type Node, parseAllDocuments, type YAMLMap } from 'yaml';
import { parseDuration } from '../../core/duration.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { scenarioMistakes } from './check-scenario.ts';

export const scenarioTypes = ['leaky', 'trigger', 'counter', 'conditional', 'bayesian'] as const;
export type ScenarioType = (typeof scenarioTypes)[number];

/** One entry of `data`: a list that expressions read by its `destFile`. */
export interface DataSpec {
  readonly sourceUrl: string;
  readonly destFile: string;
  /** `string`, `regexp`, `regex`, `map`, `bots`, or "" for files that expressions do not read. */
  readonly type: string;
}

export interface BayesianCondition {
  readonly condition: string;
  readonly probGivenEvil: number;
  readonly probGivenBenign: number;
  readonly guillotine: boolean;
}

/** One document as it is written; durations in milliseconds, absent texts "". */
export interface ScenarioSpec {
  readonly type: ScenarioType;
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly references: readonly string[];
  readonly filter: string;
  readonly groupby: string;
  readonly distinct: string;
  readonly cancelOn: string;
  readonly overflowFilter: string;
  readonly condition: string;
  readonly capacity: number;
  /** As written (`10s`), for alerts. */
  readonly leakspeed: string;
  readonly leakMs: number;
  readonly durationMs: number;
  readonly blackholeMs: number;
  readonly cacheSize: number;
  readonly bayesianPrior: number;
  readonly bayesianThreshold: number;
  readonly bayesianConditions: readonly BayesianCondition[];
  readonly scopeType: string;
  readonly scopeExpression: string;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly reprocess: boolean;
  readonly debug: boolean;
  readonly data: readonly DataSpec[];
  /** Where it stands: the path as the caller spelled it, and the first line of the document, from 1. */
  readonly file: string;
  readonly line: number;
  /** The line of each top-level key, for messages about its value. */
  readonly lines: ReadonlyMap<string, number>;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly hash: string;
}

/** One mistake with its place. `error` is the same as a `SCENARIO_INVALID` whose message is `file:line: reason`. */
export interface ScenarioFault {
  readonly file: string;
  readonly line: number;
  /** The scenario's name, or "" where it has none. */
  readonly scenario: string;
  readonly reason: string;
  readonly error: GatewayError;
}

export interface ScenarioDocuments {
  readonly documents: readonly ScenarioSpec[];
  readonly faults: readonly ScenarioFault[];
}

export function scenarioFault(
  file: string,
  line: number,
  scenario: string,
  reason: string,
  cause?: unknown,
): ScenarioFault {
  const about = scenario === '' ? '' : `scenario ${scenario}: `;
  const error = new GatewayError('SCENARIO_INVALID', `${file}:${line}: ${about}${reason}`, {
    remedy: 'Correct the document; the others are in use.',
    cause,
  });
  return { file, line, scenario, reason, error };
}

/** Reads all documents of one file (its bytes, or text that stands for them). Empty documents are skipped. Never throws. */
export function readScenarioDocuments(source: string | Uint8Array, file: string): ScenarioDocuments {
  const lineCounter = new LineCounter();
  const hash = createHash('sha256').update(source).digest('hex');
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  const documents: ScenarioSpec[] = [];
  const faults: ScenarioFault[] = [];
  const parsed = parseAllDocuments(text, { lineCounter, uniqueKeys: true, prettyErrors: false, stringKeys: true });
  for (const document of 'empty' in parsed ? [] : parsed) {
    const reader = new DocumentReader(document, lineCounter, file);
    const spec = reader.read(hash);
    if (spec !== null) documents.push(spec);
    faults.push(...reader.faults);
  }
  return { documents, faults };
}

const knownKeys: ReadonlySet<string> = new Set(
  (
    'format type name description references version filter groupby distinct capacity leakspeed duration blackhole ' +
    'cache_size cancel_on condition overflow_filter bayesian_prior bayesian_threshold bayesian_conditions scope labels ' +
    'reprocess debug data'
  ).split(' '),
);
const conditionKeys: ReadonlySet<string> = new Set(['condition', 'prob_given_evil', 'prob_given_benign', 'guillotine']);
const scopeKeys: ReadonlySet<string> = new Set(['type', 'expression']);
const dataKeys: ReadonlySet<string> = new Set('source_url dest_file type cache strategy size ttl'.split(' '));
const dataTypes: ReadonlySet<string> = new Set(['', 'string', 'regexp', 'regex', 'map', 'bots']);

/** Formats of the document that this engine understands, as CrowdSec counts them. */
const formatRange = { least: 1, most: 3 } as const;

/** The longest document text that one key may hold: the hub's longest filter has 23 000 characters. */
const longestText = 262_144;

/** Reads one document and gathers its faults. */
class DocumentReader {
  readonly faults: ScenarioFault[] = [];
  private readonly document: Document.Parsed;
  private readonly lineCounter: LineCounter;
  private readonly file: string;
  private name = '';
  /** False once the type was found to be none: then nothing is known of what it demands. */
  private typeKnown = true;

  constructor(document: Document.Parsed, lineCounter: LineCounter, file: string) {
    this.document = document;
    this.lineCounter = lineCounter;
    this.file = file;
  }

  read(hash: string): ScenarioSpec | null {
    for (const error of [...this.document.errors, ...this.document.warnings]) {
      this.fault(this.lineAt(error.pos[0]), error.message);
    }
    if (this.document.errors.length > 0) return null;
    const root = this.document.contents;
    if (root === null || (isScalar(root) && root.value === null)) return null;
    if (!isMap(root)) {
      this.fault(this.lineOf(root), 'a scenario is a map of keys and values');
      return null;
    }
    this.name = this.text(root, 'name');
    this.checkKeys(root, knownKeys, 'scenario');
    const spec = this.specOf(root, hash);
    this.checkFormat(root);
    for (const { key, reason } of scenarioMistakes(spec, this.typeKnown))
      this.fault(spec.lines.get(key) ?? spec.line, reason);
    return this.faults.length === 0 ? spec : null;
  }

  private specOf(root: YAMLMap, hash: string): ScenarioSpec {
    const scope = this.map(root, 'scope', scopeKeys);
    const leakspeed = this.text(root, 'leakspeed');
    return {
      type: this.type(root),
      name: this.name,
      description: this.text(root, 'description'),
      version: this.text(root, 'version'),
      references: this.list(root, 'references').map((node) => this.scalarText(node, 'references')),
      filter: this.text(root, 'filter'),
      groupby: this.text(root, 'groupby'),
      distinct: this.text(root, 'distinct'),
      cancelOn: this.text(root, 'cancel_on'),
      overflowFilter: this.text(root, 'overflow_filter'),
      condition: this.text(root, 'condition'),
      capacity: this.integer(root, 'capacity'),
      leakspeed,
      leakMs: this.duration(root, 'leakspeed'),
      durationMs: this.duration(root, 'duration'),
      blackholeMs: this.duration(root, 'blackhole'),
      cacheSize: this.integer(root, 'cache_size'),
      bayesianPrior: this.number(root, 'bayesian_prior'),
      bayesianThreshold: this.number(root, 'bayesian_threshold'),
      bayesianConditions: this.bayesianConditions(root),
      scopeType: scope === null ? 'Ip' : this.text(scope, 'type') || 'Ip',
      scopeExpression: scope === null ? '' : this.text(scope, 'expression'),
      labels: this.labels(root),
      reprocess: this.boolean(root, 'reprocess'),
      debug: this.boolean(root, 'debug'),
      data: this.dataSpecs(root),
      file: this.file,
      line: this.lineOf(root),
      lines: new Map(root.items.map((pair) => [this.keyText(pair.key), this.lineOf(pair.key)])),
      hash,
    };
  }

  private checkFormat(root: YAMLMap): void {
    const written = this.text(root, 'format');
    if (written === '') return;
    const format = Number(written);
    if (format >= formatRange.least && format <= formatRange.most) return;
    this.fault(this.keyLine(root, 'format'), `format ${written} is not between 1.0 and 3.0`);
  }

  private type(root: YAMLMap): ScenarioType {
    const written = this.text(root, 'type');
    const known = scenarioTypes.find((type) => type === written);
    if (known !== undefined) return known;
    this.typeKnown = false;
    const reason = written === '' ? 'a scenario needs a type' : `type ${written} is unknown`;
    this.fault(this.keyLine(root, 'type'), `${reason}; there are ${scenarioTypes.join(', ')}`);
    return 'trigger';
  }

  private bayesianConditions(root: YAMLMap): BayesianCondition[] {
    return this.maps(root, 'bayesian_conditions', conditionKeys).map((map) => ({
      condition: this.text(map, 'condition'),
      probGivenEvil: this.number(map, 'prob_given_evil'),
      probGivenBenign: this.number(map, 'prob_given_benign'),
      guillotine: this.boolean(map, 'guillotine'),
    }));
  }

  private dataSpecs(root: YAMLMap): DataSpec[] {
    return this.maps(root, 'data', dataKeys).map((map) => {
      const spec = {
        sourceUrl: this.text(map, 'source_url'),
        destFile: this.text(map, 'dest_file'),
        type: this.text(map, 'type'),
      };
      if (spec.destFile === '') this.fault(this.lineOf(map), 'a data entry needs a dest_file');
      if (!dataTypes.has(spec.type)) this.fault(this.lineOf(map), `data type ${spec.type} is unknown`);
      return spec;
    });
  }

  private labels(root: YAMLMap): Record<string, unknown> {
    const node = this.map(root, 'labels', null);
    if (node === null) return {};
    try {
      return node.toJS(this.document) as Record<string, unknown>;
    } catch (error) {
      // The parser refuses aliases that multiply without end.
      this.fault(this.lineOf(node), `labels: ${messageOf(error)}`);
      return {};
    }
  }

  private maps(root: YAMLMap, key: string, allowed: ReadonlySet<string>): YAMLMap[] {
    return this.list(root, key).flatMap((node) => {
      if (isMap(node)) {
        this.checkKeys(node, allowed, key);
        return [node];
      }
      this.fault(this.lineOf(node), `each entry of ${key} is a map`);
      return [];
    });
  }

  private map(root: YAMLMap, key: string, allowed: ReadonlySet<string> | null): YAMLMap | null {
    const node = this.value(root, key);
    if (node === null) return null;
    if (!isMap(node)) {
      this.fault(this.keyLine(root, key), `${key} is a map`);
      return null;
    }
    if (allowed !== null) this.checkKeys(node, allowed, key);
    return node;
  }

  private list(root: YAMLMap, key: string): Node[] {
    const node = this.value(root, key);
    if (node === null) return [];
    if ('items' in node && !isMap(node)) return (node.items as (Node | null)[]).filter((item) => item !== null);
    this.fault(this.keyLine(root, key), `${key} is a list`);
    return [];
  }

  private duration(root: YAMLMap, key: string): number {
    const written = this.text(root, key);
    if (written === '') return 0;
    const ms = parseDuration(written);
    if (ms !== null && ms >= 0) return ms;
    this.fault(this.keyLine(root, key), `${key} ${written} is not a duration like 10s, 0.5s or 1m30s`);
    return 0;
  }

  private integer(root: YAMLMap, key: string): number {
    const value = this.number(root, key);
    if (Number.isSafeInteger(value)) return value;
    this.fault(this.keyLine(root, key), `${key} is a whole number`);
    return 0;
  }

  private number(root: YAMLMap, key: string): number {
    const node = this.value(root, key);
    if (node === null) return 0;
    if (isScalar(node) && typeof node.value === 'number' && Number.isFinite(node.value)) return node.value;
    this.fault(this.keyLine(root, key), `${key} is a number`);
    return 0;
  }

  private boolean(root: YAMLMap, key: string): boolean {
    const node = this.value(root, key);
    if (node === null) return false;
    if (isScalar(node) && typeof node.value === 'boolean') return node.value;
    this.fault(this.keyLine(root, key), `${key} is true or false`);
    return false;
  }

  private text(root: YAMLMap, key: string): string {
    const node = this.value(root, key);
    return node === null ? '' : this.scalarText(node, key);
  }

  /** Scalars keep their spelling where a text is wanted: `0010` and `1.0` stay what was written. */
  private scalarText(node: Node, key: string): string {
    if (!isScalar(node)) {
      this.fault(this.lineOf(node), `${key} is a text`);
      return '';
    }
    const text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
    if (text.length <= longestText) return text;
    this.fault(this.lineOf(node), `${key} is longer than ${longestText} characters`);
    return '';
  }

  /** The value of a key, aliases followed; null when it is absent or null. */
  private value(root: YAMLMap, key: string): Node | null {
    const node = root.get(key, true) as Node | undefined;
    if (node === undefined || node === null) return null;
    const resolved = 'resolve' in node ? (node.resolve(this.document) ?? null) : node;
    return resolved === null || (isScalar(resolved) && resolved.value === null) ? null : resolved;
  }

  private checkKeys(map: YAMLMap, allowed: ReadonlySet<string>, what: string): void {
    for (const { key } of map.items) {
      const name = this.keyText(key);
      if (!allowed.has(name)) this.fault(this.lineOf(key), `unknown key ${name} in ${what}`);
    }
  }

  private keyText(key: unknown): string {
    return isScalar(key) ? String(key.value) : String(key);
  }

  private keyLine(map: YAMLMap, key: string): number {
    const pair = map.items.find((item) => this.keyText(item.key) === key);
    return this.lineOf(pair === undefined ? map : pair.key);
  }

  private lineOf(node: unknown): number {
    const range = (node as { range?: readonly [number, number, number] | null } | null)?.range;
    return this.lineAt(range?.[0] ?? 0);
  }

  private lineAt(offset: number): number {
    return Math.max(1, this.lineCounter.linePos(offset).line);
  }

  private fault(line: number, reason: string): void {
    this.faults.push(scenarioFault(this.file, line, this.name, reason));
  }
}
