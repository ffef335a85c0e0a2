/**
 * Runs a hub's own tests: each is a folder with a configuration, a log, and assertions on what parsers and scenarios make of
 * it. A test installs what it names, and nothing else, into an engine of its own, reads its log once in time-machine mode, and
 * has its assertions looked at. Nothing is fetched: data files are looked for in folders, names are not resolved, and a test
 * whose MaxMind databases are not there is skipped. Specification: CrowdSec `pkg/hubtest/`.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import { createExpressionCompiler, type ExpressionCompiler } from '../expr/compile.ts';
import { noDataFiles } from '../expr/data-files.ts';
import { assertionEnvironment } from '../expr/environment.ts';
import { type HubIndex, largestIndexBytes, readHubIndex } from '../hub/hub-index.ts';
import { compilePattern } from '../regex/compile-pattern.ts';
import {
  type AssertionKind,
  checkAssertions,
  type HubTestFailure,
  readAssertions,
  type Verdict,
} from './assertions.ts';
import { readTestConfig, type TestConfig } from './test-config.ts';
import { createTestItems, type TestItems } from './test-items.ts';
import { createTestEngines, type TestEngines } from './test-engine.ts';
import { type TestDump, runTestLog } from './run-test-log.ts';

export interface HubTestResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped; "" otherwise. */
  readonly reason: string;
  /** Assertions that were looked at. */
  readonly assertions: number;
  /** Lines of its log. */
  readonly lines: number;
  readonly failures: readonly HubTestFailure[];
}

export interface HubTester {
  /** Every folder that has a configuration, sorted. */
  readonly names: readonly string[];
  /** Never rejects: whatever goes wrong is a failure of the test. */
  run(name: string): Promise<HubTestResult>;
  close(): void;
}

export interface HubTesterOptions {
  /** The folder of the hub, with or without an index. */
  readonly hub: string;
  /** The folder of the tests: `<hub>/.tests`. */
  readonly tests: string;
  /** Where data files are looked for, after the test's own folder. */
  readonly dataFolders: readonly string[];
}

/** @throws GatewayError HUBTEST_INVALID when a folder is not there, HUB_INDEX_INVALID when the index cannot be read. */
export async function createHubTester(options: HubTesterOptions, runtime: Runtime): Promise<HubTester> {
  const hub = resolve(options.hub);
  const tests = resolve(options.tests);
  const names = await testNames(tests);
  const index = await readIndex(hub);
  return new FolderTester(names, { ...options, hub, tests, index }, runtime);
}

async function testNames(tests: string): Promise<readonly string[]> {
  const entries = await readdir(tests, { withFileTypes: true }).catch((cause: unknown) => {
    throw new GatewayError('HUBTEST_INVALID', `the folder of tests ${tests} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Give the folder that holds the test folders with --tests, or a hub that has .tests with --hub.',
      cause,
    });
  });
  const names: string[] = [];
  for (const { name } of entries) {
    if ((await stat(join(tests, name, configName)).catch(() => null))?.isFile() ?? false) names.push(name);
  }
  return names.sort();
}

async function readIndex(hub: string): Promise<HubIndex | null> {
  const file = join(hub, '.index.json');
  const size = (await stat(file).catch(() => null))?.size;
  if (size === undefined) return null;
  return readHubIndex(size > largestIndexBytes ? ' '.repeat(largestIndexBytes + 1) : await readFile(file, 'utf8'));
}

const configName = 'config.yaml';

interface Surroundings extends HubTesterOptions {
  readonly index: HubIndex | null;
}

class FolderTester implements HubTester {
  readonly names: readonly string[];
  private readonly surroundings: Surroundings;
  private readonly runtime: Runtime;
  private readonly items: TestItems;
  private readonly engines: TestEngines;
  private readonly compilers: Readonly<Record<AssertionKind, ExpressionCompiler>>;

  constructor(names: readonly string[], surroundings: Surroundings, runtime: Runtime) {
    this.names = names;
    this.surroundings = surroundings;
    this.runtime = runtime;
    this.items = createTestItems();
    this.engines = createTestEngines(runtime);
    const helpers = {
      clock: runtime.clock,
      files: noDataFiles,
      regex: (pattern: string) => compilePattern(pattern),
    };
    this.compilers = {
      parser: createExpressionCompiler({ environment: assertionEnvironment.parser, helpers }),
      scenario: createExpressionCompiler({ environment: assertionEnvironment.scenario, helpers }),
    };
  }

  async run(name: string): Promise<HubTestResult> {
    const folder = join(this.surroundings.tests, name);
    const blank = { name, outcome: 'failed', reason: '', assertions: 0, lines: 0, failures: [] } as const;
    try {
      return { ...blank, ...(await this.runIn(folder)) };
    } catch (thrown) {
      return { ...blank, failures: [failureOf(join(folder, configName), thrown)] };
    }
  }

  close(): void {
    this.engines.close();
  }

  private async runIn(folder: string): Promise<Partial<HubTestResult>> {
    const file = join(folder, configName);
    const config = readTestConfig(await readFile(file, 'utf8'), file);
    if (config.appsecRules.length > 0) return { outcome: 'skipped', reason: 'it tests rules of the web firewall' };
    const { hub, index, tests, dataFolders } = this.surroundings;
    const items = await this.items.install(config, { hub, index, tests, test: folder }, file);
    if (items.faults.length > 0) return { failures: items.faults };
    const data = await this.engines.findData(items, { own: [join(folder, 'data'), folder], shared: dataFolders });
    if (data.missing.length > 0) return { outcome: 'skipped', reason: `it needs ${data.missing.join(' and ')}` };
    const engine = await this.engines.create(items, data);
    try {
      if (engine.faults.length > 0) return { failures: engine.faults };
      const dump = await runTestLog(engine, config, folder, this.runtime.clock);
      return await this.judge(config, folder, dump);
    } finally {
      engine.close();
    }
  }

  private async judge(config: TestConfig, folder: string, dump: TestDump): Promise<Partial<HubTestResult>> {
    const verdicts: Verdict[] = [];
    if (!config.ignoreParsers) verdicts.push(await this.check('parser', folder, dump.parsers));
    if (config.scenarios.length > 0) verdicts.push(await this.check('scenario', folder, dump.overflows));
    const failures = verdicts.flatMap((verdict) => verdict.failures);
    const assertions = verdicts.reduce((sum, { count }) => sum + count, 0);
    return { outcome: failures.length === 0 ? 'passed' : 'failed', assertions, lines: dump.lines, failures };
  }

  /** A file of assertions that is absent or has none is a test that is not finished. */
  private async check(kind: AssertionKind, folder: string, results: unknown): Promise<Verdict> {
    const file = join(folder, `${kind}.assert`);
    const assertions = readAssertions(await readFile(file, 'utf8').catch(() => ''));
    if (assertions.length > 0) return checkAssertions(kind, { file, assertions }, results, this.compilers[kind]);
    return { count: 0, failures: [failureOf(file, 'it has no assertions')] };
  }
}

function failureOf(file: string, thrown: unknown, line = 0): HubTestFailure {
  return { file, line, assertion: '', found: null, reason: messageOf(thrown) };
}
