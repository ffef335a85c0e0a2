/**
 * Reads a file of go-ftw tests. Shapes are checked strictly, each mistake with its place; keys that nobody knows are warnings,
 * since the format grows, and fields of version 1 (`stage:` around each stage, `log_contains`) are understood. Specification:
 * `ftw-tests-schema`, go-ftw `test/types.go` and `test/defaults.go`.
 */
import { isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import { type DocumentReader, readDocuments } from '../../documents/document-reader.ts';
import type { FtwFault, FtwFile, FtwInput, FtwOutput, FtwStage, FtwTest } from './ftw-test.ts';

const kind = { what: 'test', code: 'WAF_TEST_INVALID' } as const;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const keys = {
  file: words('meta rule_id tests'),
  test: words('test_id test_title rule_id desc description tags stages'),
  stage: words('input output description'),
  input: words(
    'dest_addr port protocol method uri version headers ordered_headers data encoded_request raw_request autocomplete_headers stop_magic virtual_host_mode',
  ),
  output: words('status expect_error response_contains log log_contains no_log_contains isolated retry_once'),
  log: words('expect_id expect_ids no_expect_id no_expect_ids match_regex no_match_regex isolated'),
} as const;

/** Every test of a file (its text). Never throws. */
export function readFtwFile(source: string, path: string): FtwFile {
  const tests: FtwTest[] = [];
  const faults: FtwFault[] = [];
  for (const reader of readDocuments(source, path, kind)) {
    const read = new FtwReader(reader, path);
    tests.push(...read.tests());
    faults.push(...read.faults());
  }
  return { path, tests, faults };
}

/** Reads the `output` of a stage, or of an override. */
export function readOutput(reader: DocumentReader, map: YAMLMap | null, unknown: UnknownKeys): FtwOutput {
  const log = map === null ? null : reader.map(map, 'log', null);
  unknown(map, keys.output, 'output');
  unknown(log, keys.log, 'log');
  const flag = (of: YAMLMap | null, key: string): boolean => of !== null && reader.boolean(of, key);
  const text = (of: YAMLMap | null, key: string): string => (of === null ? '' : reader.text(of, key));
  const expectsError = map !== null && reader.value(map, 'expect_error') !== null;
  return {
    status: map === null ? [] : integers(reader, map, 'status'),
    expectError: expectsError ? flag(map, 'expect_error') : null,
    responseContains: text(map, 'response_contains'),
    expectIds: log === null ? [] : [...integers(reader, log, 'expect_ids'), ...integers(reader, log, 'expect_id')],
    noExpectIds:
      log === null ? [] : [...integers(reader, log, 'no_expect_ids'), ...integers(reader, log, 'no_expect_id')],
    matchRegex: text(log, 'match_regex') || text(map, 'log_contains'),
    noMatchRegex: text(log, 'no_match_regex') || text(map, 'no_log_contains'),
    isolated: flag(map, 'isolated') || flag(log, 'isolated'),
    retryOnce: flag(map, 'retry_once'),
  };
}

/** Told of each map that is read, with the keys that it may have. */
export type UnknownKeys = (map: YAMLMap | null, known: ReadonlySet<string>, what: string) => void;

/** One whole number, or a list of them. */
export function integers(reader: DocumentReader, map: YAMLMap, key: string): readonly number[] {
  const node = reader.value(map, key);
  if (node === null) return [];
  const nodes: readonly Node[] = isSeq(node) ? reader.list(map, key) : [node];
  return nodes.flatMap((one) => {
    const number = isScalar(one) ? Number(one.value) : Number.NaN;
    if (Number.isSafeInteger(number)) return [number];
    reader.fault(one, `${key} is a whole number or a list of them`);
    return [];
  });
}

class FtwReader {
  private readonly reader: DocumentReader;
  private readonly path: string;
  private readonly warnings: FtwFault[] = [];

  constructor(reader: DocumentReader, path: string) {
    this.reader = reader;
    this.path = path;
  }

  tests(): readonly FtwTest[] {
    const { reader } = this;
    const root = reader.root();
    if (root === null) return [];
    this.unknown(root, keys.file, 'the file');
    const ruleId = reader.integer(root, 'rule_id');
    return this.maps(root, 'tests').map((map, index) => this.test(map, ruleId, index));
  }

  faults(): readonly FtwFault[] {
    const errors = this.reader.faults
      .toSorted((one, other) => one.line - other.line || one.column - other.column)
      .map(
        ({ line, column, reason }): FtwFault => ({
          level: 'error',
          text: `${this.path}:${line}:${column}: ${reason}`,
        }),
      );
    return [...errors, ...this.warnings];
  }

  private test(map: YAMLMap, ofFile: number, index: number): FtwTest {
    const { reader, path } = this;
    this.unknown(map, keys.test, 'a test');
    const title = reader.text(map, 'test_title');
    const ruleId = reader.value(map, 'rule_id') === null ? ofFile : reader.integer(map, 'rule_id');
    const number = reader.value(map, 'test_id') === null ? index + 1 : reader.integer(map, 'test_id');
    const stages = this.maps(map, 'stages');
    if (stages.length === 0) reader.fault(map, 'a test has at least one stage');
    return {
      id: title === '' ? `${ruleId}-${number}` : title,
      ruleId,
      number,
      description: reader.text(map, 'desc') || reader.text(map, 'description'),
      place: { file: path, line: reader.line(map) },
      stages: stages.map((stage) => this.stage(stage)),
    };
  }

  private stage(outer: YAMLMap): FtwStage {
    const { reader } = this;
    const map = reader.value(outer, 'stage') === null ? outer : (reader.map(outer, 'stage', null) ?? outer);
    if (map === outer) this.unknown(map, keys.stage, 'a stage');
    const input = reader.map(map, 'input', null);
    if (input === null) reader.fault(map, 'a stage has an input');
    return {
      input: this.input(input),
      output: readOutput(reader, reader.map(map, 'output', null), this.unknown),
    };
  }

  private input(map: YAMLMap | null): FtwInput {
    const { reader } = this;
    this.unknown(map, keys.input, 'input');
    // An empty text is not the same as no text: `version: ""` asks for a request line without one.
    const text = <T>(key: string, otherwise: T): string | T =>
      map === null || reader.value(map, key) === null ? otherwise : reader.text(map, key);
    const raw = text('raw_request', null);
    return {
      destination: text('dest_addr', 'localhost'),
      port: map === null || reader.value(map, 'port') === null ? 80 : reader.integer(map, 'port'),
      method: text('method', 'GET'),
      uri: text('uri', '/'),
      version: text('version', 'HTTP/1.1'),
      headers: map === null ? [] : this.headers(map),
      data: text('data', null),
      encodedRequest: raw === null ? text('encoded_request', null) : Buffer.from(raw).toString('base64'),
      autocompleteHeaders: this.autocompletes(map),
    };
  }

  /** `stop_magic` is the same in the negative, from version 1. */
  private autocompletes(map: YAMLMap | null): boolean {
    if (map === null) return true;
    if (this.reader.value(map, 'autocomplete_headers') !== null)
      return this.reader.boolean(map, 'autocomplete_headers');
    return !this.reader.boolean(map, 'stop_magic');
  }

  private headers(map: YAMLMap): FtwInput['headers'] {
    const { reader } = this;
    const named = reader.map(map, 'headers', null);
    const ordered = this.maps(map, 'ordered_headers');
    return [
      ...(named === null ? [] : reader.entries(named)),
      ...ordered.map((header) => [reader.text(header, 'name'), reader.text(header, 'value')] as const),
    ];
  }

  private maps(map: YAMLMap, key: string): readonly YAMLMap[] {
    return this.reader.list(map, key).flatMap((node) => {
      if (isMap(node)) return [node];
      this.reader.fault(node, `each entry of ${key} is a map`);
      return [];
    });
  }

  private readonly unknown: UnknownKeys = (map, known, what) => {
    for (const { key } of map?.items ?? []) {
      const name = isScalar(key) ? String(key.value) : '';
      if (known.has(name)) continue;
      const line = isScalar(key) ? this.reader.line(key) : 0;
      this.warnings.push({ level: 'warning', text: `${this.path}:${line}: "${name}" in ${what} has no effect` });
    }
  };
}
