import t, { type Test } from 'tap';
import { createLiveBouncer } from '../../../../remediation/lapi/client/live-bouncer.ts';
import { createLiveUpstream, type LiveUpstreamOptions } from '../../../../remediation/lapi/client/live-upstream.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { collectedLog, ip, settle } from '../../support.ts';
import { startFakeLapi, type FakeLapi } from './fake-lapi.ts';
import { clientOf, comesAbout, evenRandom } from './support.ts';

async function fake(t: Test, clock: ManualClock): Promise<FakeLapi> {
  const lapi = await startFakeLapi(clock);
  t.teardown(() => lapi.close());
  return lapi;
}

function asking(t: Test, clock: ManualClock, lapis: readonly FakeLapi[], over: Partial<LiveUpstreamOptions> = {}) {
  const { log, lines } = collectedLog();
  const upstreams = lapis.map((lapi, at) => {
    const client = clientOf(lapi.url, clock, { name: `l${at}`, credentials: { kind: 'key', key: lapi.key } });
    t.teardown(() => client.close());
    return createLiveUpstream({
      clock,
      log,
      random: evenRandom(),
      client,
      passes: () => true,
      waitMs: 200,
      hitMs: 60_000,
      cleanMs: 60_000,
      mostRemembered: 1_000,
      mostQuestions: 64,
      ...over,
    });
  });
  const bouncer = createLiveBouncer(upstreams);
  t.teardown(() => bouncer.close());
  const known = (address: string) => bouncer.known(ip(address), clock.now());
  const ask = (address: string) => bouncer.ask(ip(address));
  return { bouncer, known, ask, lines };
}

for (const generation of ['1.4.6', 'newer'] as const) {
  t.test(`an address is asked about once, and the answer remembered (${generation})`, async (t) => {
    const clock = createManualClock();
    const lapi = await fake(t, clock);
    lapi.generation = generation;
    const ban = lapi.add({ value: '192.0.2.1', origin: 'cscli', scenario: 'manual', forMs: 3_600_000 });
    lapi.add({ value: '192.0.2.0/24', scope: 'Range', type: 'captcha', forMs: 7_200_000 });
    const { known, ask } = asking(t, clock, [lapi]);
    t.equal(known('192.0.2.1'), undefined);
    const answers = await Promise.all([ask('192.0.2.1'), ask('192.0.2.1'), ask('192.0.2.1')]);
    t.equal(lapi.requests.length, 1, 'equal questions are one');
    t.equal(lapi.requests[0]?.url, '/v1/decisions?ip=192.0.2.1');
    for (const answer of answers) {
      t.match(answer, { type: 'ban', scenario: 'manual', origin: 'cscli', scope: 'Ip', value: '192.0.2.1' });
    }
    t.ok(Math.abs((answers[0]?.until ?? 0) - ban.until) <= 1_000);
    t.match(known('192.0.2.1'), { type: 'ban' });
    t.match(await ask('192.0.2.7'), { type: 'captcha', value: '192.0.2.0/24' });
    t.equal(await ask('2001:db8::1'), null);
    t.equal(known('2001:db8::1'), null, 'that there is none is remembered, too');
    clock.advance(60_000);
    t.equal(known('192.0.2.1'), undefined, 'for a minute');
    t.equal(known('2001:db8::1'), undefined);
  });
}

t.test('a decision that ends sooner than a minute is not remembered longer', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.add({ value: '192.0.2.1', forMs: 10_000 });
  const { known, ask } = asking(t, clock, [lapi]);
  t.match(await ask('192.0.2.1'), { type: 'ban' });
  clock.advance(9_000);
  t.match(known('192.0.2.1'), { type: 'ban' });
  clock.advance(1_000);
  t.equal(known('192.0.2.1'), undefined);
  t.equal(await ask('192.0.2.1'), null);
});

t.test('of several Local APIs the severest answer counts, and a ban need not wait for the others', async (t) => {
  const clock = createManualClock();
  const [one, two] = [await fake(t, clock), await fake(t, clock)];
  one.add({ value: '192.0.2.1', type: 'captcha' });
  two.add({ value: '192.0.2.1', type: 'ban' });
  one.add({ value: '192.0.2.2', type: 'ban' });
  const { known, ask } = asking(t, clock, [one, two]);
  t.match(await ask('192.0.2.1'), { type: 'ban' });
  let open: () => void = () => undefined;
  two.gate = new Promise((resolve) => (open = resolve));
  const answer = ask('192.0.2.2');
  await comesAbout(() => known('192.0.2.2') !== undefined, 'the first answer');
  t.match(known('192.0.2.2'), { type: 'ban' });
  open();
  t.match(await answer, { type: 'ban' });
});

t.test('who waits too long gets what was known last, and the late answer is remembered', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.add({ value: '192.0.2.1' });
  let open: () => void = () => undefined;
  lapi.gate = new Promise((resolve) => (open = resolve));
  const { known, ask, bouncer } = asking(t, clock, [lapi]);
  const answer = ask('192.0.2.1');
  await comesAbout(() => lapi.requests.length === 1, 'the question arrives');
  clock.advance(199);
  let isAnswered = false;
  void answer.then(() => (isAnswered = true));
  await settle();
  t.notOk(isAnswered);
  clock.advance(1);
  t.equal(await answer, null, 'nothing was known: it passes');
  t.equal(known('192.0.2.1'), null, 'and the next request does not wait as well');
  open();
  await comesAbout(() => known('192.0.2.1') !== null, 'the late answer');
  t.match(known('192.0.2.1'), { type: 'ban' });
  t.equal(bouncer.status()[0]?.isConnected, true, 'one late answer is no outage');
});

t.test('a Local API that is away is left in peace, and what it said last is enforced until it ends', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.add({ value: '192.0.2.1', forMs: 300_000 });
  const { known, ask, bouncer, lines } = asking(t, clock, [lapi]);
  t.match(await ask('192.0.2.1'), { type: 'ban' });
  clock.advance(61_000);
  await lapi.stop();
  t.match(await ask('192.0.2.1'), { type: 'ban' }, 'what it said last');
  t.equal(known('192.0.2.9'), null, 'others pass, without a question');
  const [status] = bouncer.status();
  t.match(status, { isConnected: false, questions: 2, lastFailure: { code: 'LAPI_UNREACHABLE' } });
  t.ok((status?.skipped ?? 0) >= 1);
  clock.advance(2_000);
  t.equal(known('192.0.2.9'), undefined, 'after a moment one question tries');
  const trial = ask('192.0.2.9');
  t.equal(known('192.0.2.10'), null, 'and only one');
  t.equal(await trial, null);
  clock.advance(1_200);
  t.equal(known('192.0.2.9'), null, 'the pause grows');
  clock.advance(300_000);
  t.equal(await ask('192.0.2.1'), null, 'the decision has ended by itself');
  t.equal(lines.filter(({ level }) => level === 40).length, 1, 'warned of once');
});

t.test('errors open the circuit and an answer closes it', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.add({ value: '192.0.2.1' });
  const [cut, reset] = [{ kind: 'cut', share: 0.5 } as const, { kind: 'reset' } as const];
  // A connection that breaks is tried once more before it counts.
  lapi.faults.push({ kind: 'status', status: 500 }, cut, cut, reset, reset);
  const { known, ask, bouncer } = asking(t, clock, [lapi]);
  for (const pauseMs of [2_000, 4_000, 8_000]) {
    t.equal(await ask('192.0.2.1'), null);
    t.equal(known('192.0.2.1'), null);
    t.equal(bouncer.status()[0]?.isConnected, false);
    clock.advance(pauseMs);
  }
  t.match(await ask('192.0.2.1'), { type: 'ban' });
  t.match(bouncer.status()[0], { isConnected: true, failures: 0 });
  t.equal(await ask('192.0.2.2'), null);
  t.equal(lapi.requests.length, 7);
});

t.test('a slow Local API is an outage after the third late answer', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.gate = new Promise(() => undefined);
  const { known, ask, bouncer } = asking(t, clock, [lapi]);
  for (const [at, address] of ['192.0.2.1', '192.0.2.2', '192.0.2.3'].entries()) {
    const answer = ask(address);
    await comesAbout(() => lapi.requests.length === at + 1, 'the question arrives');
    clock.advance(200);
    t.equal(await answer, null);
  }
  t.match(bouncer.status()[0], { isConnected: false, lastFailure: { message: /takes longer than 200 ms/ } });
  t.equal(known('192.0.2.4'), null);
});

t.test('answers and questions are bounded', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  const { known, ask, bouncer } = asking(t, clock, [lapi], { mostRemembered: 3, mostQuestions: 2 });
  for (const last of [1, 2, 3]) await ask(`192.0.2.${last}`);
  known('192.0.2.1');
  await ask('192.0.2.4');
  t.equal(bouncer.status()[0]?.remembered, 3);
  t.equal(known('192.0.2.1'), null, 'the one that was used stays');
  t.equal(known('192.0.2.2'), undefined, 'the one that was not goes');
  const before = lapi.requests.length;
  const answers = [5, 6, 7, 8].map((last) => ask(`192.0.2.${last}`));
  t.strictSame(await Promise.all(answers), [null, null, null, null]);
  t.equal(lapi.requests.length - before, 2);
  t.equal(bouncer.status()[0]?.skipped, 2);
});

t.test('an answer that is no list counts as a failure', async (t) => {
  const clock = createManualClock();
  const lapi = await fake(t, clock);
  lapi.faults.push({ kind: 'status', status: 200, message: 'hello' });
  const { ask, bouncer } = asking(t, clock, [lapi]);
  t.equal(await ask('192.0.2.1'), null);
  t.match(bouncer.status()[0], { lastFailure: { code: 'LAPI_ANSWER_INVALID', message: /no list of decisions/ } });
});
