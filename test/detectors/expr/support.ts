/** What the tests of the expression language share: a compiler with fixed surroundings, and one event. */
import { createExpressionCompiler, type ExpressionCompiler, type Scope } from '../../../detectors/expr/compile.ts';
import type { DataFiles, DataRow } from '../../../detectors/expr/data-files.ts';
import type { HelperDependencies } from '../../../detectors/expr/dependencies.ts';
import { type Environment, eventEnvironment } from '../../../detectors/expr/environment.ts';
import { type Event, FieldMap, type StringMap } from '../../../detectors/event.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** Saturday, 2 March 2024, 19:04:05 UTC. */
export const evening = Date.UTC(2024, 2, 2, 19, 4, 5);

export const fileLines: Readonly<Record<string, readonly string[]>> = {
  'words.txt': ['admin', '.env', 'Shell', 'ünder'],
  'suffixes.txt': ['.php', '.bak', '/login'],
  'patterns.txt': ['^/a.*z$', 'ID=\\d+'],
  'networks.txt': ['192.0.2.0/24', '2001:db8::/32'],
  'json.txt': ['{"uri": "/one", "cve": "CVE-1"}', '{"uri": "/two", "cve": "CVE-2"}'],
  'empty.txt': [],
};

export const fileRows: Readonly<Record<string, readonly DataRow[]>> = {
  'rows.json': [
    { type: 'contains', pattern: '/b', tag: 'contains-b' },
    { type: 'contains', pattern: '/a', tag: 'contains-a' },
    { type: 'contains', pattern: '/ab', tag: 'contains-ab' },
    { type: 'equals', pattern: '/a/b', tag: 'equals' },
    { type: 'regex', pattern: '^/c\\d+$', tag: 'regex' },
    { type: 'regex', pattern: '(', tag: 'damaged' },
  ],
};

const none: readonly never[] = [];

export const files: DataFiles = {
  loaded: (name) => name in fileLines || name in fileRows,
  lines: (name) => fileLines[name] ?? none,
  patterns: (name) => (fileLines[name] ?? none).map((line) => compilePattern(line)),
  rows: (name) => fileRows[name] ?? none,
};

export function dependencies(more: Partial<HelperDependencies> = {}): HelperDependencies {
  return {
    clock: createManualClock(evening),
    files,
    regex: (source) => compilePattern(source),
    hostname: 'edge-1',
    ...more,
  };
}

export function compilerFor(
  environment: Environment = eventEnvironment,
  more: Partial<HelperDependencies> = {},
): ExpressionCompiler {
  return createExpressionCompiler({ environment, helpers: dependencies(more) });
}

export function fields(entries: Readonly<Record<string, string>>): StringMap {
  return Object.assign(new FieldMap(), entries);
}

export function makeEvent(changes: Partial<Event> = {}): Event {
  return {
    Type: 0,
    ExpectMode: 0,
    Whitelisted: false,
    WhitelistReason: '',
    Stage: 's01-parse',
    Line: {
      Raw: 'raw line',
      Src: '/var/log/x',
      Time: evening,
      Labels: fields({ type: 'nginx' }),
      Process: true,
      Module: 'file',
    },
    Parsed: fields({ verb: 'GET', request: '/shop/login', number: '42', file_name: 'login' }),
    Enriched: fields({ IsoCode: 'FR' }),
    Meta: fields({
      http_path: '/Shop/.env?ID=7',
      http_status: '404',
      source_ip: '192.0.2.7',
      log_type: 'http_access-log',
    }),
    Unmarshaled: {
      tree: { list: [1, 'two', { three: 3.5 }], flag: true, none: null, deep: { leaf: 'x' } },
      text: 'plain',
      number: 12,
    },
    Overflow: null,
    Time: evening,
    StrTime: '',
    StrTimeFormat: '',
    MarshaledTime: '2024-03-02T19:04:05Z',
    Process: true,
    ...changes,
  };
}

/** Compiles and evaluates over one event, or over the scope given. */
export function evaluate(source: string, scope: Scope = { evt: makeEvent() }, compiler = compilerFor()): unknown {
  return compiler.compile(source, 'any', { mayWait: true }).evaluate(scope);
}

/** The first line of what compiling or evaluating raises: message and place. */
export function complaint(source: string, scope?: Scope, compiler = compilerFor()): string {
  try {
    evaluate(source, scope, compiler);
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
  return 'no complaint';
}
