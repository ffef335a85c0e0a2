/**
 * Runs a hub's own AppSec tests without nuclei and without a server: each is a folder with a configuration and a nuclei template.
 * A test loads the rules that it names, all of them in-band and refusing with 403, and passes when its template matches what the
 * rules, or the site behind them, answer. Specification: CrowdSec `pkg/hubtest/nucleirunner.go`, `pkg/hubtest/appsecrule.go`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, normalize, resolve, sep } from 'node:path';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import { type AppSec, createAppSec } from '../appsec/appsec.ts';
import type { AppSecDeps } from '../appsec/appsec-core.ts';
import { readAppSecConfigs } from '../appsec/config-document.ts';
import { type AppSecRuleDocument, readAppSecRules } from '../appsec/rule-document.ts';
import { createDslFunctions } from './dsl-functions.ts';
import {
  type BlockResult,
  type JudgedAnswer,
  runTemplate,
  type TemplateExchange,
  type TemplateResult,
} from './run-template.ts';
import { errorPage, type Origin, origins } from './static-origin.ts';
import { readTemplate, type Template } from './template-document.ts';
import type { TemplateRequest } from './template-request.ts';
import { targetNames } from './template-scope.ts';
import { readAppSecTestConfig } from './test-config.ts';

/** One thing that kept a test from passing. */
export interface AppSecTestFailure {
  /** Of the test's folder: its template, or what cannot be read. */
  readonly file: string;
  /** `POST /rest/V1 (2 of 3)`; "" where the failure is none of a request. */
  readonly request: string;
  readonly expected: string;
  readonly found: string;
}

export interface AppSecTestResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed';
  readonly requests: number;
  readonly failures: readonly AppSecTestFailure[];
}

export interface AppSecTester {
  /** Every folder that has a configuration, sorted. */
  readonly names: readonly string[];
  /** Never throws: whatever goes wrong is a failure of the test. */
  run(name: string): AppSecTestResult;
}

export interface AppSecTesterOptions {
  /** The folder of the hub. */
  readonly hub: string;
  /** The folder of the tests: `<hub>/.appsec-tests`. */
  readonly tests: string;
  /** Where lists of `fromFile` and files of SecLang are looked for. */
  readonly dataFolders: readonly string[];
}

const configName = 'config.yaml';

/** What CrowdSec's harness configures. */
const testConfig = 'name: appsec-test\ninband_rules: ["*"]\ndefault_remediation: ban\n';

/** @throws GatewayError HUBTEST_INVALID when the folder of tests cannot be read */
export function createAppSecTester(options: AppSecTesterOptions, deps: AppSecDeps): AppSecTester {
  const hub = resolve(options.hub);
  const tests = resolve(options.tests);
  return { names: testNames(tests), run: (name) => runTest(name, { ...options, hub, tests }, deps) };
}

function testNames(tests: string): readonly string[] {
  try {
    return readdirSync(tests)
      .filter((name) => isFile(join(tests, name, configName)))
      .toSorted();
  } catch (cause) {
    throw new GatewayError('HUBTEST_INVALID', `the folder of tests ${tests} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Give the folder that holds the test folders with --tests, or a hub that has .appsec-tests with --hub.',
      cause,
    });
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function runTest(name: string, options: AppSecTesterOptions, deps: AppSecDeps): AppSecTestResult {
  const folder = join(options.tests, name);
  const failed = (failures: readonly AppSecTestFailure[], requests = 0): AppSecTestResult => {
    return { name, outcome: 'failed', requests, failures };
  };
  let file = join(folder, configName);
  try {
    const config = readAppSecTestConfig(readFileSync(file, 'utf8'), file);
    const appSec = openRules(config.rules, folder, options, deps);
    if (appSec.faults.length > 0) return failed(appSec.faults);
    file = join(folder, config.template);
    const { matched, blocks } = judged(readTemplate(readFileSync(file, 'utf8')), folder, appSec.use, deps);
    const requests = blocks.reduce((sum, { exchanges }) => sum + exchanges.length, 0);
    if (matched !== config.expectFailure) return { name, outcome: 'passed', requests, failures: [] };
    return failed(
      blocks.flatMap((block) => failuresOf(file, block, config.expectFailure)),
      requests,
    );
  } catch (thrown) {
    return failed([{ file, request: '', expected: '', found: messageOf(thrown) }]);
  }
}

/** The first site behind the rules with which the template matches; with none, what the harness' own gave. */
function judged(template: Template, folder: string, appSec: AppSec, deps: AppSecDeps): TemplateResult {
  const functions = createDslFunctions(deps);
  const names = targetNames(deps.random);
  const runWith = (origin: Origin): TemplateResult =>
    runTemplate(template, {
      functions,
      names,
      answer: (request) => answerOf(request, appSec, origin, deps),
      readPayloads: (path) => readBeside(folder, path),
    });
  const [own, ...others] = origins;
  const result = runWith(own);
  if (result.matched) return result;
  for (const origin of others) {
    const other = runWith(origin);
    if (other.matched) return other;
  }
  return result;
}

/** The AppSec of one test, or what is wrong with its rules. */
function openRules(
  names: readonly string[],
  folder: string,
  { hub, tests, dataFolders }: AppSecTesterOptions,
  deps: AppSecDeps,
): { readonly use: AppSec; readonly faults: readonly AppSecTestFailure[] } {
  const rules: AppSecRuleDocument[] = [];
  const faults: AppSecTestFailure[] = [];
  const fault = (file: string, found: string): void => {
    faults.push({ file, request: '', expected: '', found });
  };
  for (const name of names) {
    const path = rulePaths(name, hub, tests, folder).find(isFile);
    if (path === undefined) {
      fault(join(folder, configName), `${name} is no rule of the hub or of the test`);
      continue;
    }
    const read = readAppSecRules(readFileSync(path), path);
    rules.push(...read.documents);
    for (const { error } of read.faults) fault(path, error.message);
  }
  const configs = readAppSecConfigs(testConfig, configName).documents;
  const use = createAppSec({ configs, rules, dataFolders: [join(folder, 'data'), folder, ...dataFolders] }, deps);
  for (const { message } of use.faults) fault(folder, message);
  for (const { place, reason, level } of use.ruleFaults) {
    if (level === 'error') fault(place.file, `${place.file}:${place.line}: ${reason}`);
  }
  return { use, faults };
}

/** Where a rule may be, the likeliest first. A path of the tests' own folder names what stands there. */
function rulePaths(name: string, hub: string, tests: string, folder: string): readonly string[] {
  const path = normalize(name);
  const own = `.appsec-tests${sep}`;
  return [
    join(hub, path),
    join(folder, path),
    ...(path.startsWith(own) ? [join(tests, path.slice(own.length))] : []),
    ...['yaml', 'yml'].map((ending) => join(hub, 'appsec-rules', `${path}.${ending}`)),
  ];
}

/** Payloads stand beside the template; a path cannot lead out of the test. */
function readBeside(folder: string, path: string): string | null {
  const full = resolve(folder, path);
  if (!full.startsWith(folder + sep) || !isFile(full)) return null;
  return readFileSync(full, 'latin1');
}

/** 403 of the WAF, or what the site behind it says. */
function answerOf(
  request: TemplateRequest,
  appSec: AppSec,
  origin: Origin,
  { clock, random }: AppSecDeps,
): JudgedAnswer {
  const { method, target, protocol, headers, body } = request;
  const run = appSec.begin({
    id: random.uuid(),
    clientAddress: '127.0.0.1',
    clientPort: 40_000,
    serverAddress: '127.0.0.1',
    serverPort: 7_822,
    method,
    target,
    protocol,
    headers,
    startedAt: clock.now(),
  });
  run.requestHeaders();
  const { allowed, visitorStatus, action, verdict } = run.requestBody(
    body === '' ? null : Buffer.from(body, 'latin1'),
    true,
  );
  if (allowed) return { ...origin(method, target), reason: 'passed by the rules' };
  const page = errorPage(visitorStatus);
  const headersOfPage = ['Content-Type', 'text/html', 'Content-Length', String(page.length)];
  const rule = appSec.rules.find(({ id }) => id === verdict?.ruleId)?.name ?? `rule ${verdict?.ruleId}`;
  return { status: visitorStatus, headers: headersOfPage, body: page, reason: `${action} by ${rule}` };
}

function failuresOf(file: string, block: BlockResult, expectFailure: boolean): readonly AppSecTestFailure[] {
  if (block.matched !== expectFailure) return [];
  const expected = expectFailure ? `no match of ${block.expected}` : block.expected;
  return block.exchanges.map((exchange) => ({
    file,
    request: requestName(exchange, block.exchanges.length),
    expected,
    found: `${exchange.answer.status}, ${exchange.answer.reason}`,
  }));
}

/** Characters of a target that a failure shows. */
const shownTarget = 200;

function requestName({ number, request: { method, target } }: TemplateExchange, count: number): string {
  const cut = target.length > shownTarget ? `${target.slice(0, shownTarget)}…` : target;
  return `${method} ${cut}${count === 1 ? '' : ` (${number} of ${count})`}`;
}
