/** `waf test`: runs tests of WAF rules in go-ftw's format, in an engine of its own or through a running gateway. */
import { resolve } from 'node:path';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { BackendServer } from '../../detectors/waf/ftw/backend-server.ts';
import type { OverriddenTest } from '../../detectors/waf/ftw/read-overrides.ts';
import type { RequestSender } from '../../detectors/waf/ftw/run-test.ts';
import type { WafTests } from '../../detectors/waf/ftw/load-waf-tests.ts';
import type { Call, Command } from '../command.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { safeText } from '../output/safe-text.ts';
import { WafTestReport } from '../waf-test/waf-test-report.ts';

export const wafTest: Command = {
  name: 'waf test',
  summary: 'run tests of WAF rules, such as those of the Core Rule Set',
  usage: '--rules <folder> --tests <folder> [rule or test…]',
  examples: [
    ['portcullis waf test --rules crs --tests crs/tests', 'all tests of a Core Rule Set; exits 1 when one fails'],
    ['portcullis waf test --rules crs --tests crs/tests 942100 920100-3', 'those of one rule, and one more'],
    ['portcullis waf test --rules my.conf --tests my-tests --block', 'rules of your own, which block'],
    ['portcullis waf test --backend :8001', 'only the simulated backend, for a gateway whose origin it is'],
    [
      'portcullis waf test --tests crs/tests --http http://localhost:8000 --backend :8001',
      'through a running gateway: requests over the wire, what its rules said over its socket',
    ],
  ],
  options: {
    rules: {
      type: 'string',
      placeholder: '<folder>',
      help: 'a Core Rule Set (crs-setup.conf and rules), a folder of .conf files, or one such file (.)',
    },
    tests: { type: 'string', placeholder: '<folder>', help: 'YAML files of go-ftw, version 2 (tests in the rules)' },
    overrides: {
      type: 'string',
      placeholder: '<file>',
      help: "deviations from what tests expect, in the ftw overrides format (Portcullis' own list)",
    },
    strict: { type: 'boolean', help: 'no overrides: expectations as they are written' },
    block: { type: 'boolean', help: 'rules block as they say, instead of only detecting' },
    requests: { type: 'boolean', help: 'the whole request of each failure, not only its first line' },
    settings: {
      type: 'boolean',
      help: "print what the Core Rule Set's tests want to be set, for waf.coreRules.files of a gateway; run none",
    },
    http: {
      type: 'string',
      placeholder: '<url>',
      help: 'send the requests to a running gateway, whose rules are tested',
    },
    backend: {
      type: 'string',
      placeholder: '<address>',
      help: 'start the simulated backend there, as host:port or :port',
    },
  },
  positionals: { least: 0, most: Number.POSITIVE_INFINITY },
  run,
};

async function run(call: Call): Promise<number> {
  const { given } = call;
  if (given.flag('settings')) return printSettings(call);
  const backend = await backendOf(given.text('backend'));
  try {
    if (backend !== null) call.io.stderr.write(`the simulated backend listens on ${backend.address}\n`);
    const onlyBackend = backend !== null && ['rules', 'tests', 'http'].every((name) => given.text(name) === undefined);
    return onlyBackend ? await untilStopped() : await runTests(call);
  } finally {
    await backend?.close();
  }
}

async function printSettings({ output }: Call): Promise<number> {
  const { suiteSettings } = await import('../../detectors/waf/ftw/suite-program.ts');
  output.line(`SecRuleEngine DetectionOnly\n${suiteSettings().trimEnd()}`);
  return exitStatus.ok;
}

async function runTests(call: Call): Promise<number> {
  const { io, output, given } = call;
  const rules = resolve(io.cwd, given.text('rules') ?? '.');
  const { tests, faults } = await testsOf(call, rules);
  for (const { level, text } of faults) io.stderr.write(`${level}: ${safeText(text)}\n`);
  const report = new WafTestReport(output, {
    cwd: io.cwd,
    named: given.positionals.length > 0,
    requests: given.flag('requests'),
  });
  const target = given.text('http');
  const open = target === undefined ? await engineSender(call, rules) : await httpSender(call, target);
  try {
    await reportTests(call, tests, open.sender, report);
  } finally {
    await open.close();
  }
  report.end();
  if (output.format !== 'human') io.stderr.write(`${report.summary}\n`);
  const damaged = faults.some(({ level }) => level === 'error');
  return report.failed === 0 && !damaged ? exitStatus.ok : exitStatus.failed;
}

async function reportTests(
  { io, clock }: Call,
  tests: readonly OverriddenTest[],
  sender: RequestSender,
  report: WafTestReport,
): Promise<void> {
  const { runTest } = await import('../../detectors/waf/ftw/run-test.ts');
  const progress = createProgressLine(io.stderr, clock);
  try {
    for (const [index, one] of tests.entries()) {
      const { id } = one.test;
      progress.show(() => `${index + 1}/${tests.length} ${safeText(id)}, ${report.failed} failed`);
      const failure = await runTest(one, sender);
      if (report.tells(failure)) progress.clear();
      report.add(id, failure);
    }
  } finally {
    progress.clear();
  }
}

async function testsOf({ io, given }: Call, rules: string): Promise<WafTests> {
  const { loadWafTests, ownOverrides } = await import('../../detectors/waf/ftw/load-waf-tests.ts');
  const overrides = given.text('overrides');
  return loadWafTests({
    tests: resolve(io.cwd, given.text('tests') ?? resolve(rules, 'tests')),
    overrides: given.flag('strict') ? null : overrides === undefined ? ownOverrides : resolve(io.cwd, overrides),
    ids: given.positionals,
  });
}

interface OpenSender {
  readonly sender: RequestSender;
  close(): Promise<void>;
}

/** The rules in an engine of this process. Mistakes in them are told, and the other rules are tested. */
async function engineSender({ io, given, clock }: Call, rules: string): Promise<OpenSender> {
  // Loaded only here: the other verbs start faster without the engine.
  const [{ loadSuiteProgram }, { createSuiteSender }, { createSystemRandom }] = await Promise.all([
    import('../../detectors/waf/ftw/suite-program.ts'),
    import('../../detectors/waf/ftw/engine-sender.ts'),
    import('../../core/random.ts'),
  ]);
  const mode = given.flag('block') ? 'on' : 'detection-only';
  const deps = { clock, random: createSystemRandom() };
  const { sender, faults } = createSuiteSender(loadSuiteProgram(rules), mode, deps);
  for (const { place, reason, level } of faults) {
    io.stderr.write(`${level}: ${safeText(`${place.file}:${place.line}: ${reason}`)}\n`);
  }
  return { sender, close: async () => {} };
}

/** The rules of a running gateway. */
async function httpSender(call: Call, target: string): Promise<OpenSender> {
  if (!/^https?:\/\//.test(target) || !URL.canParse(target)) {
    throw new GatewayError('USAGE', `--http: "${target}" is no URL`, { remedy: 'Write it as http://localhost:8000.' });
  }
  const [{ createHttpSender }, { openGatewayRuleLog }] = await Promise.all([
    import('../../detectors/waf/ftw/http-sender.ts'),
    import('../waf-test/gateway-rule-log.ts'),
  ]);
  const log = await openGatewayRuleLog(await call.gateway(), call.clock);
  return { sender: createHttpSender(new URL(target), log), close: () => log.close() };
}

/** `:8001`, `8001` or `127.0.0.1:8001`. */
async function backendOf(address: string | undefined): Promise<BackendServer | null> {
  if (address === undefined) return null;
  const match = /^(?:([^:]*|\[[0-9a-fA-F:.]+\]):)?(\d{1,5})$/.exec(address);
  const port = Number(match?.[2] ?? Number.NaN);
  if (!(port <= 65_535)) {
    throw new GatewayError('USAGE', `--backend: "${address}" is no address`, { remedy: 'Write it as :8001.' });
  }
  const { startBackend } = await import('../../detectors/waf/ftw/backend-server.ts');
  return startBackend((match?.[1] || '127.0.0.1').replace(/^\[|\]$/g, ''), port);
}

function untilStopped(): Promise<number> {
  return new Promise((resolved) => {
    const stop = (): void => resolved(exitStatus.ok);
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}
