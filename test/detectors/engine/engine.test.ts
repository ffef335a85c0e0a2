import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { createLog } from '../../../core/log.ts';
import { createHostResolver } from '../../../core/host-resolver.ts';
import { createSystemRandom } from '../../../core/random.ts';
import type { Alert } from '../../../detectors/alert.ts';
import { assembleEngine, type EngineAssembly, loadEngineData } from '../../../detectors/engine/assemble-engine.ts';
import type { EngineResult } from '../../../detectors/engine/engine.ts';
import { loadItems } from '../../../detectors/engine/load-items.ts';
import { type Event, FieldMap, type Line } from '../../../detectors/event.ts';
import { openGeoDatabases } from '../../../detectors/lookups/geoip.ts';
import { createRequestEvent } from '../../../gateway/request-event.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

/** A door that writes `<address> <word>`, in the layout of a configuration folder. */
const door: Readonly<Record<string, string>> = {
  'parsers/s00-raw/door.yaml': `
name: test/door-raw
filter: evt.Line.Labels.type == 'door'
onsuccess: next_stage
statics:
  - parsed: message
    expression: evt.Line.Raw
`,
  'parsers/s01-parse/door.yaml': `
name: test/door
onsuccess: next_stage
grok:
  pattern: '^%{IP:address} %{WORD:word}$'
  apply_on: message
statics:
  - meta: source_ip
    expression: evt.Parsed.address
  - meta: word
    expression: evt.Parsed.word
  - target: evt.StrTime
    value: '2026-01-01T00:00:00Z'
`,
  'parsers/s02-enrich/date.yaml': `
name: test/date
filter: evt.StrTime != ''
statics:
  - method: ParseDate
    expression: evt.StrTime
  - target: evt.MarshaledTime
    expression: evt.Enriched.MarshaledTime
`,
  'scenarios/knock.yaml': `
type: trigger
name: test/knock
description: somebody knocks
filter: evt.Meta.word == 'knock'
groupby: evt.Meta.source_ip
labels: { remediation: true }
`,
};

interface Fixture {
  readonly assembly: EngineAssembly;
  readonly late: Alert[];
  readonly clock: ManualClock;
  readonly questions: string[];
  /** Answers the questions to the DNS that wait. */
  readonly answer: (name: string) => void;
  readonly feed: (raw: string) => EngineResult | Promise<EngineResult>;
}

async function engineOf(t: Test, files: Readonly<Record<string, string>>): Promise<Fixture> {
  const root = t.testdir({});
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const clock = createManualClock();
  const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  const items = await loadItems([root]);
  t.same(
    items.faults.map(({ reason }) => reason),
    [],
  );
  const questions: string[] = [];
  let waiting: ((names: readonly string[]) => void)[] = [];
  const resolver = {
    reverse: (address: string) =>
      new Promise<readonly string[]>((resolve) => {
        questions.push(address);
        waiting.push(resolve);
      }),
    forward: () => Promise.resolve([]),
  };
  const late: Alert[] = [];
  const assembly = assembleEngine(
    items,
    await loadEngineData(items, items.dataFolders),
    { forRequests: true, ipv6Prefix: 64 },
    {
      ...runtime,
      geo: await openGeoDatabases({}, runtime),
      hosts: createHostResolver({ clock, resolver }),
      onLateAlerts: (alerts) => late.push(...alerts),
    },
  );
  t.same(assembly.faults, []);
  t.teardown(() => assembly.close());
  return {
    assembly,
    late,
    clock,
    questions,
    answer(name) {
      for (const resolve of waiting) resolve([name]);
      waiting = [];
    },
    feed: (raw) => assembly.engine.feed(lineOf(raw), 1),
  };
}

function lineOf(Raw: string): Line {
  return {
    Raw,
    Src: 'test',
    Time: 0,
    Labels: Object.assign(new FieldMap(), { type: 'door' }),
    Process: true,
    Module: 'file',
  };
}

function requestFrom(clientIp: string, target: string): Event {
  return createRequestEvent({
    requestId: '0000000000000000',
    clientIp,
    method: 'GET',
    target,
    httpVersion: '1.1',
    host: 'example.com',
    userAgent: undefined,
    referer: undefined,
    at: 0,
    timestamp: '2026-01-01T00:00:00Z',
  });
}

const scenariosOf = (result: EngineResult): readonly string[] =>
  result.overflows.flatMap(({ alerts }) => alerts.map(({ scenario, source }) => `${scenario} ${source.value}`));

t.test('a line becomes an event, the event an alert', async (t) => {
  const { feed, assembly } = await engineOf(t, door);
  const result = await feed('192.0.2.7 knock');
  t.equal(result.outcome, 'poured');
  t.same(scenariosOf(result), ['test/knock 192.0.2.7']);
  t.same(await feed('192.0.2.7 rings'), { outcome: 'poured', overflows: [] });
  t.same(await feed('nonsense'), { outcome: 'discarded', overflows: [] });
  t.match(assembly.engine.counters, { lines: 3, discarded: 1, whitelisted: 0 });
});

t.test('a whitelist among the parsers keeps lines and requests from the buckets', async (t) => {
  const { feed, assembly } = await engineOf(t, {
    ...door,
    'parsers/s02-enrich/friends.yaml': `
name: test/friends
whitelist:
  reason: friends
  ip: ['192.0.2.7']
`,
    'scenarios/secret.yaml': `
type: trigger
name: test/secret
description: asks for the secret
filter: evt.Meta.http_path == '/secret'
labels: { remediation: true }
`,
  });
  t.same(await feed('192.0.2.7 knock'), { outcome: 'whitelisted', overflows: [] });
  t.equal((await feed('192.0.2.8 knock')).overflows.length, 1);
  t.same(assembly.engine.pourRequest(requestFrom('192.0.2.7', '/secret')), []);
  t.equal(assembly.engine.pourRequest(requestFrom('192.0.2.8', '/secret')).length, 1);
});

t.test('a postoverflow whitelists an overflow: it is shown, and nobody is named', async (t) => {
  const { feed, assembly } = await engineOf(t, {
    ...door,
    'postoverflows/s01-whitelist/cdn.yaml': `
name: test/cdn
whitelist:
  reason: our own proxies
  cidr: ['192.0.2.0/25']
`,
  });
  const { overflows } = await feed('192.0.2.7 knock');
  t.equal(overflows.length, 1);
  t.match(overflows[0], { whitelisted: true, alerts: [], event: { WhitelistReason: 'our own proxies' } });
  t.same(scenariosOf(await feed('192.0.2.200 knock')), ['test/knock 192.0.2.200']);
  t.equal(assembly.engine.counters.whitelistedOverflows, 1);
});

t.test('a postoverflow changes whom an alert names', async (t) => {
  const { feed } = await engineOf(t, {
    ...door,
    'postoverflows/s00-enrich/range.yaml': `
name: test/range
statics:
  - target: evt.Overflow.Alert.Source.Scope
    value: Range
  - target: evt.Overflow.Alert.Source.Value
    value: 192.0.2.0/24
`,
  });
  const [overflow] = (await feed('192.0.2.7 knock')).overflows;
  t.match(overflow?.alerts[0]?.source, { scope: 'Range', value: '192.0.2.0/24', ip: '192.0.2.7' });
});

t.test('an overflow with reprocess is poured again, and may overflow a bucket in its turn', async (t) => {
  const { feed } = await engineOf(t, {
    ...door,
    'scenarios/knock.yaml': `${door['scenarios/knock.yaml']}reprocess: true\n`,
    'scenarios/insistent.yaml': `
type: trigger
name: test/insistent
description: an alert about an alert
filter: evt.GetType() == 'overflow' && evt.Overflow.Alert.GetScenario() == 'test/knock'
labels: { remediation: true }
`,
  });
  t.same(scenariosOf(await feed('192.0.2.7 knock')), ['test/knock 192.0.2.7', 'test/insistent 192.0.2.7']);
});

t.test('a scenario that pours itself again ends', async (t) => {
  const { feed } = await engineOf(t, {
    ...door,
    'scenarios/echo.yaml': `
type: trigger
name: test/echo
description: hears itself
filter: evt.Meta.word == 'knock' || evt.GetType() == 'overflow'
reprocess: true
labels: { remediation: false }
`,
  });
  const { overflows } = await feed('192.0.2.7 knock');
  t.ok(overflows.length > 2 && overflows.length < 20, `${overflows.length} overflows`);
});

const rdns = {
  ...door,
  'postoverflows/s00-enrich/rdns.yaml': `
name: test/rdns
onsuccess: next_stage
statics:
  - method: reverse_dns
    expression: evt.Overflow.Alert.Source.IP
`,
  'postoverflows/s01-whitelist/crawler.yaml': `
name: test/crawler
whitelist:
  reason: a crawler
  expression: ["evt.Enriched.reverse_dns endsWith '.crawler.example.'"]
`,
};

t.test('an overflow waits for the name of its address, and its answer is kept', async (t) => {
  const { feed, answer, questions, assembly } = await engineOf(t, rdns);
  const waiting = feed('192.0.2.7 knock');
  t.ok(waiting instanceof Promise);
  t.equal(assembly.engine.counters.waiting, 1);
  t.equal(feed('192.0.2.7 rings') instanceof Promise, false, 'others go on');
  answer('bot-7.crawler.example');
  t.match((await waiting).overflows, [{ whitelisted: true }]);
  const again = feed('192.0.2.7 knock');
  t.notOk(again instanceof Promise, 'the name is known now');
  t.same(questions, ['192.0.2.7']);
  const other = feed('192.0.2.8 knock');
  answer('host.example');
  t.same(scenariosOf(await other), ['test/knock 192.0.2.8']);
  t.equal(assembly.engine.counters.waiting, 0);
});

t.test('a request is not held for a name: its alerts come late', async (t) => {
  const { assembly, late, answer } = await engineOf(t, {
    ...rdns,
    'scenarios/secret.yaml': `
type: trigger
name: test/secret
description: asks for the secret
filter: evt.Meta.http_path == '/secret'
labels: { remediation: true }
`,
  });
  t.same(assembly.engine.pourRequest(requestFrom('192.0.2.9', '/secret')), []);
  t.same(late, []);
  answer('host.example');
  await new Promise(setImmediate);
  t.match(late, [{ scenario: 'test/secret', source: { value: '192.0.2.9' } }]);
  t.equal(late.length, 1);
});

t.test('a live counter tells of its overflow when its time is up', async (t) => {
  const { assembly, late, clock } = await engineOf(t, {
    ...door,
    'scenarios/count.yaml': `
type: counter
name: test/count
description: counts
filter: evt.Meta.word == 'rings'
groupby: evt.Meta.source_ip
capacity: -1
duration: 10s
labels: { remediation: false }
`,
  });
  for (let count = 0; count < 3; count++) await assembly.engine.feed(lineOf('192.0.2.7 rings'), 0);
  clock.advance(9_000);
  t.equal(late.length, 0);
  clock.advance(2_000);
  t.match(late, [{ scenario: 'test/count', eventsCount: 3 }]);
});
