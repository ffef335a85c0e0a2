/** What decisions do to requests, live: the allowlist above all, throttles, observe mode, simulation, profiles, crawlers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../cli/run.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type NodeOrigin, startNodeOrigin } from '../support/servers/node-origin.ts';
import { temporaryFolder } from '../support/servers/process.ts';
import { accessLines, askAll, type Control, controlOf, createVisitor, metricsOf } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

t.setTimeout(120_000);

const secrets = ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd'];

interface Place {
  readonly tested: TestGateway;
  readonly origin: NodeOrigin;
  readonly control: Control;
  readonly socket: string;
  readonly statusOf: (address: string, target?: string) => Promise<number>;
  readonly attack: (address: string) => Promise<number[]>;
}

async function openPlace(t: Test, settings: Readonly<Record<string, unknown>> = {}): Promise<Place> {
  const origin = await startNodeOrigin(t);
  const tested = await startTestGateway(t, { origin: origin.origin, admin: { listen: '127.0.0.1:0' }, ...settings });
  const socket = tested.gateway.controlSocket;
  return {
    tested,
    origin,
    socket,
    control: controlOf(socket),
    statusOf: async (address, target = '/') => (await createVisitor(t, tested.port, address).ask(target)).status,
    attack: async (address) =>
      (
        await askAll(
          createVisitor(t, tested.port, address),
          secrets.map((target) => ({ target })),
        )
      ).map(({ status }) => status),
  };
}

const banned = [200, 200, 200, 200, 403];
const unharmed = [200, 200, 200, 200, 200];

t.test('the allowlist of the settings: no bucket fills, and decisions about the address do nothing', async (t) => {
  const allowlist = [{ value: '198.51.100.0/25', comment: 'monitoring' }, '2001:db8:7::/48'];
  const { control, statusOf, attack, socket } = await openPlace(t, { remediation: { allowlist } });
  t.same(await attack('198.51.100.5'), unharmed);
  t.same(await attack('2001:db8:7::5'), unharmed);
  t.same(await attack('198.51.100.200'), banned, 'others are not spared');
  t.equal((await control.alerts()).length, 1);
  const refused = await run(['decisions', 'add', '--ip', '198.51.100.5', '--socket', socket]);
  t.not(refused.status, 0, 'a ban of it is refused');
  t.match(refused.stderr, /allowlist/);
  await control.ban('Range', '198.51.0.0/16', { bypassAllowlist: true });
  t.equal(await statusOf('198.51.100.5'), 200, 'a ban of what is around it does not reach it');
  t.equal(await statusOf('198.51.101.5'), 403);
});

t.test('an entry that is added to the allowlist lifts the ban at once, and protects until its removal', async (t) => {
  const { socket, control, statusOf, attack } = await openPlace(t);
  const address = '198.51.100.6';
  t.same(await attack(address), banned);
  t.equal(await statusOf(address), 403);
  await run(['allowlists', 'create', 'office', '--socket', socket]);
  const added = await run(['allowlists', 'add', 'office', address, '--comment', 'office', '--socket', socket]);
  t.equal(added.status, 0, added.stderr);
  t.equal(await statusOf(address), 200);
  t.same(await attack(address), unharmed, 'nothing it does bans it');
  const removed = await run(['allowlists', 'remove', 'office', address, '--socket', socket]);
  t.equal(removed.status, 0, removed.stderr);
  t.equal(await statusOf(address), 200, 'the ban was lifted, for whoever follows our decisions too');
  await control.ban('Ip', address);
  t.equal(await statusOf(address), 403, 'nothing protects it any more');
});

t.test('a throttled client is answered 429 with Retry-After beyond its burst, and others are not', async (t) => {
  // A token in more than a quarter of an hour: none comes back while the test runs.
  const { tested, control, statusOf, origin } = await openPlace(t, {
    remediation: { throttle: { rate: 0.001, burst: 3 } },
  });
  const visitor = createVisitor(t, tested.port, '198.51.100.8');
  await control.ban('Ip', '198.51.100.8', { type: 'throttle' });
  const answers = await askAll(
    visitor,
    Array.from({ length: 5 }, () => ({ target: '/' })),
  );
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 200, 429, 429],
  );
  t.equal(origin.requests.length, 3);
  const wait = Number(answers[3]?.retryAfter);
  t.ok(Number.isInteger(wait) && wait > 900 && wait <= 1000, `Retry-After: ${wait}`);
  t.equal(await statusOf('198.51.100.9'), 200);
  t.match(
    await eventually(
      () => control.refusals({ ip: '198.51.100.8' }),
      (found) => found.length === 2,
    ),
    [{ remediation: 'throttle', status: 429 }, { remediation: 'throttle' }],
  );
  const metrics = await metricsOf(tested.gateway.adminUrl ?? '');
  t.equal(metrics.get('portcullis_requests_total{outcome="throttled"}'), 2);
  t.equal(metrics.get('portcullis_requests_total{outcome="refused"}'), 0);
  t.equal(await control.lift({ ip: '198.51.100.8' }), 1);
  t.equal(await statusOf('198.51.100.8'), 200);
});

t.test('a throttled client is admitted again as tokens come back', async (t) => {
  // A token in half a second.
  const { tested, control } = await openPlace(t, { remediation: { throttle: { rate: 2, burst: 1 } } });
  const visitor = createVisitor(t, tested.port, '198.51.100.8');
  await control.ban('Ip', '198.51.100.8', { type: 'throttle' });
  t.equal((await visitor.ask('/')).status, 200);
  const statuses = new Set<number>();
  await eventually(
    async () => (await visitor.ask('/')).status,
    (status) => statuses.add(status).has(429),
  );
  await eventually(
    async () => (await visitor.ask('/')).status,
    (status) => status === 200,
  );
  t.ok(statuses.has(429), 'refused in between');
});

t.test('a flood is slowed down, not banned', async (t) => {
  const { tested, control } = await openPlace(t, { remediation: { throttle: { rate: 0.001, burst: 2 } } });
  const visitor = createVisitor(t, tested.port, '198.51.100.11');
  // Different queries of one page: the cache bypass overflows at 151, later where the machine is slow and the bucket leaks.
  const statuses: number[] = [];
  while (!statuses.includes(429) && statuses.length < 3_000) {
    statuses.push((await visitor.ask(`/list?page=${statuses.length}`)).status);
  }
  t.ok(statuses.length > 150, `throttled at request ${statuses.length}`);
  t.equal(statuses.at(-1), 429);
  t.same(new Set(statuses.slice(0, -1)), new Set([200]), 'and not refused before');
  t.match(await control.decisions({ ip: '198.51.100.11' }), [
    { type: 'throttle', scenario: 'portcullis/http-dos-cache-bypass' },
  ]);
});

t.test('observe mode notices and records everything and refuses nobody', async (t) => {
  const { tested, control, attack, statusOf, origin } = await openPlace(t, { mode: 'observe' });
  t.same(await attack('198.51.100.12'), unharmed);
  t.equal(await statusOf('198.51.100.12'), 200);
  t.equal(origin.requests.length, 6);
  t.match(await control.alerts(), [{ scenario: 'portcullis/http-sensitive-files', decisions: [{ type: 'ban' }] }]);
  t.match(await control.decisions(), [{ value: '198.51.100.12', type: 'ban', active: true }]);
  const lines = await eventually(
    () => accessLines(join(tested.folder, 'access.log')),
    (found) => found.length === 6,
  );
  t.same(
    lines.map(({ observed, outcome }) => `${outcome} ${observed}`.trim()),
    ['passed', 'passed', 'passed', 'passed', 'passed ban', 'passed ban'],
  );
  const metrics = await metricsOf(tested.gateway.adminUrl ?? '');
  t.equal(metrics.get('portcullis_observed_total'), 2);
  t.equal(metrics.get('portcullis_requests_total{outcome="refused"}'), 0);
});

t.test('one site observes while another blocks the same client', async (t) => {
  const origin = await startNodeOrigin(t);
  const sites = [{ hosts: ['new.example'], origin: origin.origin, mode: 'observe' }];
  const { tested, attack } = await openPlace(t, { sites });
  const address = '198.51.100.13';
  t.same(await attack(address), banned);
  const visitor = createVisitor(t, tested.port, address);
  t.equal((await visitor.ask('/', { headers: { host: 'new.example' } })).status, 200);
  t.equal((await visitor.ask('/')).status, 403);
});

t.test('a simulated scenario records what it would have decided', async (t) => {
  const { control, attack } = await openPlace(t, { detection: { simulate: ['portcullis/http-sensitive-files'] } });
  t.same(await attack('198.51.100.14'), unharmed);
  t.match(await control.alerts(), [{ scenario: 'portcullis/http-sensitive-files', simulated: true }]);
  t.match(await control.decisions({ all: 'true' }), [{ value: '198.51.100.14', simulated: true }]);
});

t.test('a disabled scenario does not run; others do', async (t) => {
  const { control, attack } = await openPlace(t, { detection: { disable: ['portcullis/http-sensitive-files'] } });
  t.same(await attack('198.51.100.15'), unharmed);
  t.same(await control.alerts(), []);
});

t.test("the operator's own scenario and profiles, in CrowdSec's format", async (t) => {
  const folder = await temporaryFolder(t, 'profiles');
  writeFileSync(
    join(folder, 'teapot.yaml'),
    [
      'type: leaky',
      'name: example/teapot',
      'description: Asks for tea too often',
      `filter: "evt.Meta.service == 'http' && evt.Parsed.request in File('teas.txt')"`,
      'groupby: evt.Meta.source_ip',
      'capacity: 2',
      'leakspeed: 1h',
      'blackhole: 1m',
      'data:',
      '  - dest_file: teas.txt',
      '    type: string',
      'labels: { service: http, remediation: true }',
    ].join('\n'),
  );
  writeFileSync(join(folder, 'teas.txt'), '/earl-grey\n/assam\n');
  const profiles = join(folder, 'profiles.yaml');
  writeFileSync(
    profiles,
    [
      'name: slow-down-tea',
      `filters: ["Alert.Remediation == true && Alert.GetScenario() == 'example/teapot'"]`,
      'decisions: [{ type: ban, duration: 10m }]',
      'on_success: break',
      '---',
      'name: networks-for-the-rest',
      `filters: ["Alert.Remediation == true && Alert.GetScope() == 'Ip'"]`,
      'decisions: [{ type: ban, duration: 2h }]',
      'on_success: break',
    ].join('\n'),
  );
  const { control, statusOf, attack } = await openPlace(t, {
    detection: { folders: [folder], dataFolder: folder },
    remediation: { profiles },
  });
  const statuses: number[] = [];
  for (const target of ['/earl-grey', '/coffee', '/assam', '/earl-grey', '/'])
    statuses.push(await statusOf('198.51.100.16', target));
  t.same(statuses, [200, 200, 200, 403, 403]);
  t.same(await attack('198.51.100.17'), banned);
  const minutes = async (ip: string): Promise<number[]> =>
    (await control.decisions({ ip })).map(({ until, created_at }) =>
      Math.round((Date.parse(until) - Date.parse(created_at)) / 60_000),
    );
  t.same(await minutes('198.51.100.16'), [10]);
  t.same(await minutes('198.51.100.17'), [120]);
});

t.test(
  'a crawler that its published ranges prove is not banned for crawling; one that only claims it is',
  async (t) => {
    const { tested, control } = await openPlace(t, {
      remediation: {
        goodBots: { extra: [{ name: 'examplebot', userAgent: 'ExampleBot', ranges: ['198.51.100.192/28'] }] },
      },
    });
    const userAgent = 'Mozilla/5.0 (compatible; ExampleBot/1.0; +https://example.com/bot)';
    const crawl = async (address: string): Promise<number[]> =>
      (
        await askAll(
          createVisitor(t, tested.port, address),
          Array.from({ length: 150 }, (_, index) => ({ target: `/articles/${index}`, userAgent })),
        )
      ).map(({ status }) => status);

    t.same(new Set(await crawl('198.51.100.200')), new Set([200]), 'the real one reads everything');
    t.same(await control.decisions({ ip: '198.51.100.200' }), []);
    t.same(
      (await control.alerts({ ip: '198.51.100.200' })).map(({ scenario, decisions }) => ({ scenario, decisions })),
      [{ scenario: 'portcullis/http-crawl', decisions: [] }],
      'it was noticed and spared',
    );

    const pretender = await crawl('198.51.100.90');
    t.ok(pretender.indexOf(403) >= 60, 'not before the bucket overflows');
    t.equal(pretender.at(-1), 403);
    t.match(await control.decisions({ ip: '198.51.100.90' }), [{ scenario: 'portcullis/http-crawl', type: 'ban' }]);

    const attack = await askAll(
      createVisitor(t, tested.port, '198.51.100.201'),
      secrets.map((target) => ({ target, userAgent })),
    );
    t.equal(attack.at(-1)?.status, 403, 'a real one that attacks is banned like others');
  },
);

t.test('published ranges can be given to a known crawler', async (t) => {
  const { tested, control } = await openPlace(t, {
    remediation: {
      goodBots: { extra: [{ name: 'duckduckbot', userAgent: 'DuckDuckBot', ranges: ['2001:db8:b07::/48'] }] },
    },
  });
  const crawler = createVisitor(t, tested.port, '2001:db8:b07::1');
  const answers = await askAll(
    crawler,
    Array.from({ length: 120 }, (_, index) => ({ target: `/pages/${index}`, userAgent: 'DuckDuckBot/1.1' })),
  );
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]));
  t.same(await control.decisions(), []);
});
