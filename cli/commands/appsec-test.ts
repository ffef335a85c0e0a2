/** `appsec test`: runs a hub's own tests of its AppSec rules as they are, without nuclei and without a server. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exitStatus } from '../../core/errors.ts';
import type { AppSecTester } from '../../detectors/waf/appsec-tests/appsec-tester.ts';
import { AppSecTestReport } from '../appsec/appsec-test-report.ts';
import { chosenTests } from '../chosen-tests.ts';
import type { Call, Command } from '../command.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { safeText } from '../output/safe-text.ts';

export const appSecTest: Command = {
  name: 'appsec test',
  summary: "run a hub's own tests of its AppSec rules",
  usage: '[--hub <folder>] [--tests <folder>] [name…]',
  examples: [
    ['portcullis appsec test --hub ./hub', 'all tests of a checkout; exits 1 when one fails'],
    ['portcullis appsec test --hub ./hub --tests ./my-tests', 'tests from elsewhere, of the rules of the hub'],
    ['portcullis appsec test --hub ./hub vpatch-env-access', 'one of them'],
  ],
  options: {
    hub: { type: 'string', placeholder: '<folder>', help: 'the hub: a checkout, with its appsec-rules (.)' },
    tests: { type: 'string', placeholder: '<folder>', help: 'the test folders (.appsec-tests in the hub)' },
    data: {
      type: 'string',
      multiple: true,
      placeholder: '<folder>',
      help: 'where data files of rules lie, besides data in the hub',
    },
  },
  positionals: { least: 0, most: Number.POSITIVE_INFINITY },
  run,
};

async function run(call: Call): Promise<number> {
  const { io, output, given, clock } = call;
  const tester = await openTester(call);
  const names = chosenTests(tester.names, given.positionals);
  const report = new AppSecTestReport(output, { cwd: io.cwd, named: given.positionals.length > 0 });
  const progress = createProgressLine(io.stderr, clock);
  try {
    for (const [index, name] of names.entries()) {
      progress.show(() => `${index + 1}/${names.length} ${safeText(name)}`);
      const result = tester.run(name);
      if (report.tells(result)) progress.clear();
      report.add(result);
    }
  } finally {
    progress.clear();
  }
  report.end();
  if (output.format !== 'human') io.stderr.write(`${report.summary}\n`);
  return report.failed === 0 ? exitStatus.ok : exitStatus.failed;
}

async function openTester({ io: { cwd }, given, clock }: Call): Promise<AppSecTester> {
  const hub = resolve(cwd, given.text('hub') ?? '.');
  const chosen = given.text('tests');
  const own = ['.appsec-tests', 'appsec-tests'].map((name) => join(hub, name));
  const tests =
    chosen === undefined ? (own.find((path) => existsSync(path)) ?? join(hub, '.appsec-tests')) : resolve(cwd, chosen);
  const dataFolders = [...given.texts('data').map((folder) => resolve(cwd, folder)), join(hub, 'data')];
  // Loaded only here: the other verbs start faster without the engine.
  const [{ createAppSecTester }, { createTestDependencies }] = await Promise.all([
    import('../../detectors/waf/appsec-tests/appsec-tester.ts'),
    import('../../detectors/waf/appsec-tests/test-dependencies.ts'),
  ]);
  return createAppSecTester({ hub, tests, dataFolders }, createTestDependencies(clock));
}
