/** `hubtest`: runs a hub's own tests as they are and says which assertions do not hold. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { HubTester } from '../../detectors/hubtest/hub-tester.ts';
import { chosenTests } from '../chosen-tests.ts';
import type { Call, Command, Given } from '../command.ts';
import type { Io } from '../io.ts';
import { HubtestReport } from '../hubtest/hubtest-report.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { safeText } from '../output/safe-text.ts';

export const hubtest: Command = {
  name: 'hubtest',
  summary: "run a hub's own tests of its parsers and scenarios",
  usage: '[--hub <folder>] [--tests <folder>] [name…]',
  examples: [
    ['portcullis hubtest --hub ./hub', 'all tests of a checkout; exits 1 when one fails'],
    ['portcullis hubtest --hub ./hub ssh-bf nginx-logs', 'two of them'],
    ['portcullis hubtest --hub ./hub --data ./sec-lists --data ./geoip', 'with lists and MaxMind databases from there'],
  ],
  options: {
    hub: { type: 'string', placeholder: '<folder>', help: 'the hub: a checkout, with its .index.json (.)' },
    tests: { type: 'string', placeholder: '<folder>', help: 'the test folders (.tests in the hub)' },
    data: {
      type: 'string',
      multiple: true,
      placeholder: '<folder>',
      help: 'where data files lie, besides data in the hub and sec-lists beside it or the tests',
    },
    today: {
      type: 'string',
      placeholder: '<YYYY-MM-DD>',
      help: 'the day that log dates without a year are read on (the real one)',
    },
    all: { type: 'boolean', short: 'a', help: 'every failed assertion of a test, not only the first ten' },
  },
  positionals: { least: 0, most: Number.POSITIVE_INFINITY },
  run,
};

async function run({ io, output, given, clock }: Call): Promise<number> {
  const started = clock.monotonic();
  const tester = await openTester(io, given, clockOf(given.text('today'), clock));
  const names = chosenTests(tester.names, given.positionals);
  const report = new HubtestReport(output, {
    cwd: io.cwd,
    named: given.positionals.length > 0,
    all: given.flag('all'),
  });
  const progress = createProgressLine(io.stderr, clock);
  try {
    for (const [index, name] of names.entries()) {
      progress.show(() => `${index + 1}/${names.length} ${safeText(name)}`);
      const result = await tester.run(name);
      if (report.tells(result)) progress.clear();
      report.add(result);
    }
  } finally {
    progress.clear();
    tester.close();
  }
  report.end((clock.monotonic() - started) / 1_000);
  if (output.format !== 'human') io.stderr.write(`${report.summary}\n`);
  return report.failed === 0 ? exitStatus.ok : exitStatus.failed;
}

/** Assertions with a year in them hold in the year in which they were written. */
function clockOf(today: string | undefined, clock: Clock): Clock {
  if (today === undefined) return clock;
  const start = /^\d{4}-\d\d-\d\d$/.test(today) ? Date.parse(today) : Number.NaN;
  if (Number.isNaN(start)) {
    throw new GatewayError('USAGE', `--today: "${today}" is no date`, { remedy: 'Write it as 2026-08-22.' });
  }
  const since = clock.monotonic();
  return { ...clock, now: () => Math.floor(start + clock.monotonic() - since) };
}

async function openTester({ cwd, env }: Io, given: Given, clock: Clock): Promise<HubTester> {
  const hub = resolve(cwd, given.text('hub') ?? '.');
  const chosen = given.text('tests');
  const own = ['.tests', 'tests'].map((name) => join(hub, name));
  const tests =
    chosen === undefined ? (own.find((path) => existsSync(path)) ?? join(hub, '.tests')) : resolve(cwd, chosen);
  const dataFolders = [
    ...given.texts('data').map((folder) => resolve(cwd, folder)),
    join(hub, 'data'),
    join(hub, '..', 'sec-lists'),
    join(tests, '..', '..', 'sec-lists'),
    ...(env.PORTCULLIS_SUITES ? [join(env.PORTCULLIS_SUITES, 'sec-lists')] : []),
  ];
  // Loaded only here: the other verbs start faster without the engine.
  const [{ createHubTester }, { createLog }, { createSystemRandom }] = await Promise.all([
    import('../../detectors/hubtest/hub-tester.ts'),
    import('../../core/log.ts'),
    import('../../core/random.ts'),
  ]);
  const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  return createHubTester({ hub, tests, dataFolders }, runtime);
}
