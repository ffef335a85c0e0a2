/**
 * Scenario documents: CrowdSec's YAML, several documents in a file, read strictly. An unknown or repeated key, a missing
 * mandatory one or a value of the wrong shape is a fault with its place; the other documents of the file are still used.
 * Specification: CrowdSec `pkg/leakybucket/manager_load.go` (`BucketSpec`).
 */
import { createHash } from 'node:crypto';
import type { YAMLMap } from 'yaml';
import { type DataSpec, readDataSpecs } from '../documents/data-spec.ts';
import { type DocumentReader, type ItemPlaces, readDocuments } from '../documents/document-reader.ts';
import type { ItemFault, ItemKind } from '../documents/item-fault.ts';
import { scenarioMistakes } from './check-scenario.ts';

export const scenarioTypes = ['leaky', 'trigger', 'counter', 'conditional', 'bayesian'] as const;
export type ScenarioType = (typeof scenarioTypes)[number];

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
  /** Where its keys stand, for faults about their values. */
  readonly places: ItemPlaces;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly hash: string;
}

export interface ScenarioDocuments {
  readonly documents: readonly ScenarioSpec[];
  readonly faults: readonly ItemFault[];
}

const scenarioKind: ItemKind = { what: 'scenario', code: 'SCENARIO_INVALID' };

/** Reads all documents of one file (its bytes, or text that stands for them). Empty documents are skipped. Never throws. */
export function readScenarioDocuments(source: string | Uint8Array, file: string): ScenarioDocuments {
  const hash = createHash('sha256').update(source).digest('hex');
  const documents: ScenarioSpec[] = [];
  const faults: ItemFault[] = [];
  for (const reader of readDocuments(source, file, scenarioKind)) {
    const spec = readScenario(reader, hash);
    if (spec !== null) documents.push(spec);
    faults.push(...reader.faults);
  }
  return { documents, faults };
}

const scenarioKeys: ReadonlySet<string> = new Set(
  (
    'format type name description references version filter groupby distinct capacity leakspeed duration blackhole ' +
    'cache_size cancel_on condition overflow_filter bayesian_prior bayesian_threshold bayesian_conditions scope labels ' +
    'reprocess debug data'
  ).split(' '),
);
const conditionKeys: ReadonlySet<string> = new Set(['condition', 'prob_given_evil', 'prob_given_benign', 'guillotine']);
const scopeKeys: ReadonlySet<string> = new Set(['type', 'expression']);

/** Null for an empty document and for one with faults. */
function readScenario(reader: DocumentReader, hash: string): ScenarioSpec | null {
  const root = reader.root();
  if (root === null) return null;
  reader.name = reader.text(root, 'name');
  reader.checkKeys(root, scenarioKeys, 'scenario');
  const type = readType(reader, root);
  const spec = readSpec(reader, root, type ?? 'trigger', hash);
  reader.checkFormat(root);
  for (const { key, reason } of scenarioMistakes(spec, type !== null)) reader.faultIn(root, key, reason);
  return reader.faults.length === 0 ? spec : null;
}

function readSpec(reader: DocumentReader, root: YAMLMap, type: ScenarioType, hash: string): ScenarioSpec {
  const scope = reader.map(root, 'scope', scopeKeys);
  const text = (key: string): string => reader.text(root, key);
  return {
    type,
    name: reader.name,
    description: text('description'),
    version: text('version'),
    references: reader.texts(root, 'references'),
    filter: text('filter'),
    groupby: text('groupby'),
    distinct: text('distinct'),
    cancelOn: text('cancel_on'),
    overflowFilter: text('overflow_filter'),
    condition: text('condition'),
    capacity: reader.integer(root, 'capacity'),
    leakspeed: text('leakspeed'),
    leakMs: reader.duration(root, 'leakspeed'),
    durationMs: reader.duration(root, 'duration'),
    blackholeMs: reader.duration(root, 'blackhole'),
    cacheSize: reader.integer(root, 'cache_size'),
    bayesianPrior: reader.number(root, 'bayesian_prior'),
    bayesianThreshold: reader.number(root, 'bayesian_threshold'),
    bayesianConditions: readConditions(reader, root),
    scopeType: scope === null ? 'Ip' : reader.text(scope, 'type') || 'Ip',
    scopeExpression: scope === null ? '' : reader.text(scope, 'expression'),
    labels: reader.tree(root, 'labels'),
    reprocess: reader.boolean(root, 'reprocess'),
    debug: reader.boolean(root, 'debug'),
    data: readDataSpecs(reader, root),
    file: reader.file,
    line: reader.line(root),
    places: reader.places(root),
    hash,
  };
}

/** Null, and a fault, when the type is none. */
function readType(reader: DocumentReader, root: YAMLMap): ScenarioType | null {
  const written = reader.text(root, 'type');
  const known = scenarioTypes.find((type) => type === written);
  if (known !== undefined) return known;
  const reason = written === '' ? 'a scenario needs a type' : `type ${written} is unknown`;
  reader.faultIn(root, 'type', `${reason}; there are ${scenarioTypes.join(', ')}`);
  return null;
}

function readConditions(reader: DocumentReader, root: YAMLMap): readonly BayesianCondition[] {
  return reader.maps(root, 'bayesian_conditions', conditionKeys).map((map) => ({
    condition: reader.text(map, 'condition'),
    probGivenEvil: reader.number(map, 'prob_given_evil'),
    probGivenBenign: reader.number(map, 'prob_given_benign'),
    guillotine: reader.boolean(map, 'guillotine'),
  }));
}
