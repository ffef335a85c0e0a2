/**
 * A scanner's run against real nginx and real Apache behind the gateway: it is banned at the request that overflows, and
 * what comes later never reaches the origin, as the origin's own log says. An ordinary visitor browses all the while.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startApache } from '../support/servers/apache.ts';
import { startNginx, type WebServer } from '../support/servers/nginx.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { send } from '../support/raw-client.ts';
import { startChildGateway } from './child-gateway.ts';
import {
  accessLines,
  askAll,
  controlOf,
  createVisitor,
  metricsOf,
  type Visitor,
  type VisitorAnswer,
  type Wish,
} from './visitors.ts';
import { eventually } from '../support/eventually.ts';

t.setTimeout(120_000);

type Probe = Wish & { readonly target: string };

interface Scanner {
  readonly scenario: string;
  readonly address: string;
  readonly probes: readonly Probe[];
  /** The request that fills the bucket beyond its capacity, counted from 1. */
  readonly overflow: number;
  /** `request`: the overflowing request is refused itself. `response`: it was answered already, the next is refused. */
  readonly phase: 'request' | 'response';
}

const times = (count: number, make: (index: number) => Probe): Probe[] =>
  Array.from({ length: count }, (_, index) => make(index));

const secrets = [
  '/.env',
  '/.git/config',
  '/.aws/credentials',
  '/wp-config.php.bak',
  '/.htpasswd',
  '/.npmrc',
  '/.netrc',
];
const climbs = ['/a/../../x', '/?f=../../etc/passwd', '/a/..%2f..%2fx', '/%2e%2e/%2e%2e/y', '/..%5cz', '/..%252fz'];
const shells = ['/c99.php', '/uploads/wso.php', '/r57.php', '/shell.php', '/cmd.php'];

/** 290 requests in all: every one of them goes on long after it is banned. */
const scanners: readonly Scanner[] = [
  {
    scenario: 'portcullis/http-sensitive-files',
    address: '198.51.100.10',
    probes: times(60, (index) => ({ target: `/app${index}${secrets[index % secrets.length]}` })),
    overflow: 5,
    phase: 'request',
  },
  {
    scenario: 'portcullis/http-path-traversal',
    address: '198.51.100.11',
    probes: times(40, (index) => ({ target: `/d${index}${climbs[index % climbs.length]}` })),
    overflow: 4,
    phase: 'request',
  },
  {
    scenario: 'portcullis/http-bad-user-agent',
    address: '198.51.100.12',
    probes: times(40, (index) => ({ target: `/?page=${index}`, userAgent: 'sqlmap/1.8#stable (https://sqlmap.org)' })),
    overflow: 2,
    phase: 'request',
  },
  {
    scenario: 'portcullis/http-backdoors',
    address: '198.51.100.13',
    probes: times(50, (index) => ({ target: shells[index % shells.length] ?? '' })),
    overflow: 2,
    phase: 'request',
  },
  {
    scenario: 'portcullis/http-probing',
    address: '198.51.100.14',
    probes: times(100, (index) => ({ target: `/missing/${index}` })),
    overflow: 11,
    phase: 'response',
  },
];

const expectedPassed = ({ overflow, phase }: Scanner): number => (phase === 'request' ? overflow - 1 : overflow);

/** A page after the other while the scanners run; not so many that a visitor would be none. */
async function browse(visitor: Visitor, stop: AbortSignal): Promise<VisitorAnswer[]> {
  const answers: VisitorAnswer[] = [];
  for (let page = 0; page < 20 || (page < 250 && !stop.aborted); page++)
    answers.push(await visitor.ask(page % 2 ? '/' : '/index.html'));
  return answers;
}

const origins: Readonly<Record<string, (t: Test) => Promise<WebServer>>> = {
  nginx: (t) => startNginx(t, { server: 'location ^~ /missing/ { return 404; }' }),
  Apache: (t) => startApache(t),
};

for (const [name, startOrigin] of Object.entries(origins)) {
  t.test(`${name}: each scanner is banned where its bucket overflows, and the visitor never`, async (t) => {
    const origin = await startOrigin(t);
    const tested = await startTestGateway(t, { origin: origin.origin, admin: { listen: '127.0.0.1:0' } });
    const control = controlOf(tested.gateway.controlSocket);
    const stop = new AbortController();
    const browsing = browse(createVisitor(t, tested.port, '203.0.113.50'), stop.signal);
    const runs = await Promise.all(
      scanners.map(async (scanner) => ({
        scanner,
        answers: await askAll(createVisitor(t, tested.port, scanner.address), scanner.probes),
      })),
    );
    stop.abort();
    const pages = await browsing;

    t.equal(runs.flatMap(({ answers }) => answers).length, 290, 'a few hundred probing requests');
    t.same(new Set(pages.map(({ status }) => status)), new Set([200]), 'the visitor got every page');
    const seen = await origin.log.requests();
    for (const { scanner, answers } of runs) {
      const passed = expectedPassed(scanner);
      const refused = answers.map((answer) => answer.refused);
      t.equal(refused.indexOf(true), passed, `${scanner.scenario}: the first refusal`);
      t.notOk(refused.slice(passed).includes(false), `${scanner.scenario}: refused from then on`);
      t.same(
        seen.filter(({ forwardedFor }) => forwardedFor === scanner.address).map(({ requestLine }) => requestLine),
        scanner.probes.slice(0, passed).map(({ target }) => `GET ${target} HTTP/1.1`),
        `${scanner.scenario}: the origin saw what came before the ban, and nothing else`,
      );
      await isRecorded(t, control, scanner, answers);
    }
    t.equal(seen.filter(({ forwardedFor }) => forwardedFor === '203.0.113.50').length, pages.length);
    t.same(await control.alerts({ ip: '203.0.113.50' }), []);

    const passed = scanners.reduce((sum, scanner) => sum + expectedPassed(scanner), pages.length);
    await isReconciled(t, tested, passed, 290 + pages.length - passed);
  });
}

/** The alert, the decision and one stored event for each request that was refused. */
async function isRecorded(
  t: Test,
  control: ReturnType<typeof controlOf>,
  { scenario, address, overflow, phase }: Scanner,
  answers: readonly VisitorAnswer[],
): Promise<void> {
  const alerts = await control.alerts({ ip: address });
  t.match(alerts, [
    { scenario, source: { scope: 'Ip', value: address }, events_count: overflow, decisions: [{ type: 'ban' }] },
  ]);
  t.equal(alerts.length, 1, `${scenario}: one alert`);
  const decisions = await control.decisions({ ip: address });
  t.match(decisions, [{ scenario, scope: 'Ip', value: address, type: 'ban', origin: 'crowdsec', active: true }]);
  t.equal(decisions.length, 1, `${scenario}: one decision`);
  const [decision] = decisions;
  t.equal(Date.parse(decision?.until ?? '') - Date.parse(alerts[0]?.stop_at ?? ''), 4 * 3_600_000, 'for four hours');

  const refused = answers.filter((answer) => answer.refused).map(({ requestId }) => requestId);
  const stored = await eventually(
    () => control.refusals({ ip: address }),
    (found) => found.length >= refused.length,
  );
  t.same(new Set(stored.map((event) => event.request_id)), new Set(refused), `${scenario}: every refusal is stored`);
  t.equal(stored.length, refused.length, `${scenario}: and once`);
  const different = stored.filter(
    (event) => event.scenario !== scenario || event.remediation !== 'ban' || event.status !== 403,
  );
  t.same(different, [], `${scenario}: the stored refusals say why`);
  if (phase === 'request') {
    t.ok(alerts[0]?.request_ids.includes(refused[0] ?? ''), `${scenario}: the alert names the refused request`);
  }
}

async function isReconciled(t: Test, { gateway, folder }: TestGateway, passed: number, refused: number): Promise<void> {
  const path = join(folder, 'access.log');
  const lines = await eventually(
    () => accessLines(path),
    (found) => found.length >= passed + refused,
  );
  t.equal(lines.length, passed + refused, 'one line for each request');
  t.equal(lines.filter(({ outcome }) => outcome === 'passed').length, passed);
  t.equal(lines.filter(({ outcome, status }) => outcome === 'refused' && status === 403).length, refused);
  const metrics = await metricsOf(gateway.adminUrl ?? '');
  const byOutcome = [...metrics].filter(([name]) => name.startsWith('portcullis_requests_total{'));
  t.equal(metrics.get('portcullis_requests_total{outcome="passed"}'), passed);
  t.equal(metrics.get('portcullis_requests_total{outcome="refused"}'), refused);
  t.equal(
    byOutcome.reduce((sum, [, value]) => sum + value, 0),
    passed + refused,
    'nothing else became of a request',
  );
  t.equal(metrics.get('portcullis_request_duration_seconds_count'), passed + refused);
  const overflowing = scanners.filter(({ phase }) => phase === 'request').length;
  t.equal(metrics.get('portcullis_poured_total'), passed + overflowing, 'refused requests are not poured');
  t.equal(metrics.get('portcullis_indexed_decisions{scope="Ip"}'), scanners.length);
  for (const { scenario } of scanners) t.equal(metrics.get(`cs_alerts{reason="${scenario}"}`), 1, scenario);
}

for (const [name, startOrigin] of Object.entries(origins)) {
  t.test(`${name}: a scanner on eight connections at once gets no further than what was under way`, async (t) => {
    const origin = await startOrigin(t);
    const { port } = await startTestGateway(t, { origin: origin.origin });
    const address = '198.51.100.20';
    const runs = await Promise.all(
      times(8, (connection) => ({ target: `/missing/${connection}` })).map(({ target }) =>
        askAll(
          createVisitor(t, port, address),
          times(30, (index) => ({ target: `${target}-${index}` })),
        ),
      ),
    );
    const answers = runs.flat();
    t.equal(answers.length, 240);
    const passed = answers.filter(({ refused }) => !refused).length;
    // Eleven answers overflow the bucket; of the seven other connections each may have had one request under way.
    t.ok(passed >= 11 && passed <= 18, `${passed} passed`);
    for (const run of runs) {
      const refused = run.map((answer) => answer.refused);
      t.notOk(refused.slice(refused.indexOf(true)).includes(false), 'no connection passes again once it was refused');
    }
    const seen = await origin.log.requests();
    t.equal(seen.length, passed, 'the origin saw those that passed');

    const later = await askAll(
      createVisitor(t, port, address),
      times(20, (index) => ({ target: `/missing/later-${index}` })),
    );
    t.equal(later.filter(({ refused }) => refused).length, 20, 'a new connection does not help');
    t.equal((await origin.log.requests()).length, passed, 'and nothing more arrives');
  });

  t.test(`${name}: a run that is pipelined in one piece gets no further than its ban`, async (t) => {
    const origin = await startOrigin(t);
    const { port } = await startTestGateway(t, { origin: origin.origin });
    const address = '198.51.100.21';
    const head = `Host: example.com\r\nX-Forwarded-For: ${address}\r\n\r\n`;
    const sensitive = times(30, (index) => ({ target: `/app${index}/.env` }));
    const first = await send(port, sensitive.map(({ target }) => `GET ${target} HTTP/1.1\r\n${head}`).join(''), {
      until: 30,
    });
    const statuses = first.responses.map(({ status }) => status);
    const passed = statuses.indexOf(403);
    // The fifth is judged as soon as it is read, while those before it may still wait for their turn.
    t.ok(passed >= 1 && passed <= 4, `${passed} passed`);
    t.same(new Set(statuses.slice(passed)), new Set([403]));
    t.same(
      (await origin.log.requests()).map(({ requestLine }) => requestLine),
      sensitive.slice(0, passed).map(({ target }) => `GET ${target} HTTP/1.1`),
    );
  });
}

t.test('a pipelined run whose answers overflow the bucket: what waits for its turn is judged again', async (t) => {
  const origin = await startNodeOrigin(t, {
    handler(request, response) {
      request.resume();
      response.writeHead(404, { 'content-length': 0 }).end();
      return true;
    },
  });
  const { port } = await startTestGateway(t, { origin: origin.origin });
  const probes = times(60, (index) => ({ target: `/missing/${index}` }));
  const head = 'Host: example.com\r\nX-Forwarded-For: 198.51.100.22\r\n\r\n';
  const run = await send(port, probes.map(({ target }) => `GET ${target} HTTP/1.1\r\n${head}`).join(''), { until: 60 });
  const statuses = run.responses.map(({ status }) => status);
  t.equal(statuses.indexOf(403), 11, 'the twelfth is refused');
  t.equal(origin.requests.length, 11, 'and does not reach the origin');
});

t.test('passwords are tried at a login until the bucket overflows; the second ban lasts twice as long', async (t) => {
  const origin = await startNodeOrigin(t, {
    handler(request, response) {
      request.resume();
      const known = request.url === '/login' || request.url === '/';
      response.writeHead(request.method === 'POST' ? 401 : known ? 200 : 404, { 'content-length': 0 }).end();
      return true;
    },
  });
  const { port, gateway } = await startTestGateway(t, { origin: origin.origin });
  const control = controlOf(gateway.controlSocket);
  const address = '198.51.100.30';
  const guesser = createVisitor(t, port, address);
  const seen = (): number => origin.requests.filter(({ headers }) => headers['x-forwarded-for'] === address).length;
  const hoursOf = async (): Promise<number[]> =>
    (await control.decisions({ ip: address })).map(
      ({ until, created_at }) => Math.round((Date.parse(until) - Date.parse(created_at)) / 36_000) / 100,
    );

  const guesses = await askAll(
    guesser,
    times(40, () => ({ target: '/login', method: 'POST' })),
  );
  t.equal(
    guesses.findIndex(({ refused }) => refused),
    6,
    'five failures fill the bucket, the sixth overflows it',
  );
  t.equal(guesses.filter(({ refused }) => refused).length, 34);
  t.equal(seen(), 6, 'no later guess reaches the origin');
  t.match(await control.alerts({ ip: address }), [{ scenario: 'portcullis/http-login-bruteforce', events_count: 6 }]);
  t.same(await hoursOf(), [4]);

  t.equal(await control.lift({ ip: address }), 1);
  t.equal((await guesser.ask('/')).status, 200, 'lifted at once');
  // Another scenario: the first one is silent about this client for a while.
  const shellsAsked = await askAll(
    guesser,
    shells.map((target) => ({ target })),
  );
  t.same(
    shellsAsked.map(({ refused }) => refused),
    [false, true, true, true, true],
  );
  t.same(await hoursOf(), [8], 'a repeat offender');
  t.equal(seen(), 8);

  t.equal(await control.lift({ ip: address }), 1);
  await askAll(
    guesser,
    secrets.map((target) => ({ target })),
  );
  t.same(await hoursOf(), [12]);
  t.equal((await control.alerts({ ip: address })).length, 3);
});

t.test('the self-test passes against a gateway that is under attack, and leaves the attack banned', async (t) => {
  const origin = await startNginx(t, { server: 'location ^~ /missing/ { return 404; }' });
  const { port, cli, control } = await startChildGateway(t, { origin: origin.origin });
  const scanner = createVisitor(t, port, '198.51.100.40');
  const before = await askAll(
    scanner,
    times(30, (index) => ({ target: `/missing/${index}` })),
  );
  t.equal(
    before.findIndex(({ refused }) => refused),
    11,
  );
  const proof = await cli('selftest');
  t.equal(proof.status, 0, proof.stdout + proof.stderr);
  t.match(proof.stdout, /✓ alert[^]*✓ decision[^]*✓ refusal[^]*✓ origin[^]*✓ lifting[^]*✓ passes again/);
  t.ok((await scanner.ask('/')).refused, 'the scanner is still banned');
  t.same(
    (await control.decisions()).map(({ value }) => value),
    ['198.51.100.40'],
    'and the self-test left nothing behind',
  );
  const reached = (await origin.log.requests()).filter(({ forwardedFor }) => forwardedFor === '198.51.100.40');
  t.equal(reached.length, 11);
});
