/** What the tests of this folder share: parser sets out of YAML by stage, events of lines, and a watcher. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createLog } from '../../../core/log.ts';
import { type Event, eventType, FieldMap, type Line, type StringMap } from '../../../detectors/event.ts';
import { createExpressionCompiler } from '../../../detectors/expr/compile.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { eventEnvironment } from '../../../detectors/expr/environment.ts';
import type { ParseObserver, ParseStep } from '../../../detectors/parsers/parse-observer.ts';
import { type ParserDocument, readParserDocuments } from '../../../detectors/parsers/parser-document.ts';
import { createParserSet, type ParserSet, type ParserSetDeps } from '../../../detectors/parsers/parser-set.ts';
import { createStash, type Stash } from '../../../detectors/parsers/stash.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { noGeo } from '../../support/no-geo.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

export interface World {
  readonly set: ParserSet;
  readonly clock: ManualClock;
  readonly stash: Stash;
}

/** A set of documents, without data files and databases. */
export function worldOf(documents: readonly ParserDocument[], deps: Partial<ParserSetDeps> = {}): World {
  const clock = createManualClock();
  const stash = createStash(clock);
  const log = createLog('silent');
  const helpers = { clock, files: noDataFiles, regex: compilePattern, stash, log };
  const expressions = createExpressionCompiler({ environment: eventEnvironment, helpers });
  const set = createParserSet(documents, {
    clock,
    log,
    expressions,
    files: noDataFiles,
    stash,
    geo: noGeo,
    hosts: null,
    ...deps,
  });
  return { set, clock, stash };
}

/** A set of the YAML of each stage, which must be without fault. */
export function worldOfYaml(stages: Readonly<Record<string, string>>, deps: Partial<ParserSetDeps> = {}): World {
  const read = Object.entries(stages).map(([stage, yaml]) => readParserDocuments(yaml, `${stage}.yaml`, stage));
  const world = worldOf(
    read.flatMap(({ documents }) => documents),
    deps,
  );
  const [fault] = [...read.flatMap(({ faults }) => faults), ...world.set.faults];
  if (fault !== undefined) throw fault.error;
  return world;
}

export function fieldsOf(values: Readonly<Record<string, string>>): StringMap {
  return Object.assign(new FieldMap(), values);
}

/** The event of a line before any parser has seen it. */
export function eventOf(raw: string, more: Partial<Event> = {}, labels: Readonly<Record<string, string>> = {}): Event {
  const line: Line = { Raw: raw, Src: 'test.log', Time: 0, Labels: fieldsOf(labels), Process: true, Module: 'file' };
  return {
    Type: eventType.log,
    ExpectMode: 0,
    Whitelisted: false,
    WhitelistReason: '',
    Stage: '',
    Line: line,
    Parsed: new FieldMap(),
    Enriched: new FieldMap(),
    Meta: new FieldMap(),
    Unmarshaled: {},
    Overflow: null,
    Time: 0,
    StrTime: '',
    StrTimeFormat: '',
    MarshaledTime: '',
    Process: true,
    ...more,
  };
}

/** Runs the event through the only stage of `yaml`; what the top-level nodes gave, by name. */
export function successOf(yaml: string, event: Event, deps: Partial<ParserSetDeps> = {}): Record<string, boolean> {
  const found: Record<string, boolean> = {};
  worldOfYaml({ 's00-only': yaml }, deps).set.parse(event, {
    node: (_stage, name, _event, success) => void (found[name] = success),
  });
  return found;
}

/** Keeps every step. */
export function watcher(): ParseObserver & { readonly steps: ParseStep[]; readonly nodes: string[] } {
  const steps: ParseStep[] = [];
  const nodes: string[] = [];
  return {
    steps,
    nodes,
    node: (stage, name, _event, success) => void nodes.push(`${stage} ${name} ${success ? 'ok' : 'failed'}`),
    step: (step) => void steps.push(step),
  };
}

/** The parser files of a folder by stage, in the order of their install path. */
export function parserFiles(root: string): readonly { readonly stage: string; readonly path: string }[] {
  const files = readdirSync(root).flatMap((stage) =>
    readdirSync(join(root, stage), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => ({ stage, path: join(root, stage, name), key: `${stage}/${basename(name)}` })),
  );
  return files.sort((a, b) => (a.key < b.key ? -1 : 1));
}

export function readParserFolder(root: string): readonly ParserDocument[] {
  return parserFiles(root).flatMap(({ stage, path }) => {
    const { documents, faults } = readParserDocuments(readFileSync(path), path, stage);
    if (faults[0] !== undefined) throw faults[0].error;
    return documents;
  });
}
