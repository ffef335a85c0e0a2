import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { parseRange, type IpRange } from '../../../core/ip.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { createDecider, type DeciderOptions } from '../../../remediation/decider/decider.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { createDecisionIndex } from '../../../remediation/index/decision-index.ts';
import { createGoodBots } from '../../../remediation/allowed/good-bots.ts';
import type { DecisionDraft, ProfileOutcome } from '../../../remediation/decider/profiles.ts';
import { createProtectedSources } from '../../../remediation/allowed/protected-sources.ts';
import { createPublisher, type Publication } from '../../../remediation/exchange/publish.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createFakeDns, createFakeStore } from '../fakes.ts';
import { alertOf, collectedLog, decisionOf, ip, settle, type AlertOver } from '../support.ts';

const hour = 3_600_000;
const google = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
const crawl: AlertOver = { ip: '66.249.66.1', userAgent: google, labels: { behavior: 'http:crawl' } };

/** Bans for four hours at the alert's own scope, unless a test says otherwise. */
function setUp(
  over: Partial<DeciderOptions> = {},
  answer: (draft: DecisionDraft) => Partial<ProfileOutcome> = () => ({}),
) {
  const clock = createManualClock();
  const random = createSystemRandom();
  const { log, lines } = collectedLog();
  const index = createDecisionIndex({ clock, random, log });
  const history = createDecisionHistory({ clock });
  const store = createFakeStore();
  const publisher = createPublisher({ clock, random, log, index, history, store });
  const published: Publication[] = [];
  publisher.listen((publication) => published.push(publication));
  const resolver = createFakeDns();
  const goodBots = createGoodBots({ clock, log, resolver });
  const decider = createDecider({
    clock,
    random,
    log,
    index,
    publisher,
    goodBots,
    protectedSources: createProtectedSources({ trustedProxies: [parseRange('203.0.113.0/24') as IpRange] }),
    profiles: {
      names: ['test'],
      evaluate(alert) {
        const draft = {
          type: 'ban',
          scope: alert.source.scope,
          origin: 'crowdsec',
          durationMs: 4 * hour,
          simulated: alert.simulated,
        };
        return { drafts: [draft], matched: [], rejected: null, ...answer(draft) };
      },
    },
    ...over,
  });
  const finds = (text: string): boolean => index.lookup({ address: ip(text) }, clock.now()) !== null;
  return { clock, index, decider, published, lines, finds, resolver, store };
}

t.test('an address is decided about in one spelling, however its alert spells it', async (t) => {
  const { decider, finds } = setUp({ ipv6Prefix: 128 });
  const cases = [
    ['2001:0DB8:85a3:0000:0000:8a2e:0370:7334', '2001:db8:85a3::8a2e:370:7334'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
  ] as const;
  for (const [written, value] of cases) {
    t.match(decider.decide(alertOf({ ip: written })), { kind: 'decided', decisions: [{ scope: 'Ip', value }] });
    t.ok(finds(value));
  }
  t.equal(cases.length, 2);
});

t.test('the decision is in force when decide returns', async (t) => {
  const { decider, finds, clock, published } = setUp();
  const alert = alertOf({ stopAt: clock.now() - 1_000 });
  const outcome = decider.decide(alert);
  t.ok(finds('198.51.100.7'));
  t.match(outcome, {
    kind: 'decided',
    decisions: [
      {
        scope: 'Ip',
        value: '198.51.100.7',
        type: 'ban',
        origin: 'crowdsec',
        scenario: alert.scenario,
        until: clock.now() - 1_000 + 4 * hour,
        createdAt: clock.now(),
        alertUuid: alert.uuid,
        simulated: false,
      },
    ],
  });
  t.equal(published.length, 1);
});

t.test('an IPv6 client is banned by its /64, the alert keeps the address; replayed alerts are literal', async (t) => {
  const { decider, finds, published } = setUp();
  decider.decide(alertOf({ ip: '2001:db8::5' }));
  t.match(published[0], {
    alert: { source: { value: '2001:db8::5', ip: '2001:db8::5' } },
    decisions: [{ scope: 'Range', value: '2001:db8::/64' }],
  });
  t.ok(finds('2001:db8::6'));
  decider.decide(alertOf({ ip: '2001:db8:1::5' }), { literal: true });
  t.match(published[1]?.decisions, [{ scope: 'Ip', value: '2001:db8:1::5' }]);
  const exact = setUp({ ipv6Prefix: 128 });
  exact.decider.decide(alertOf({ ip: '2001:db8::5' }));
  t.match(exact.published[0]?.decisions, [{ scope: 'Ip', value: '2001:db8::5' }]);
});

const targets: readonly (readonly [string, string, object | null])[] = [
  ['Range', '198.51.100.77/24', { scope: 'Range', value: '198.51.100.0/24' }],
  ['Range', '198.51.100.77', { scope: 'Range', value: '198.51.100.77/32' }],
  ['Ip', '::ffff:198.51.100.7', { scope: 'Ip', value: '198.51.100.7' }],
  ['Ip', '198.51.100.0/24', { scope: 'Range', value: '198.51.100.0/24' }],
  ['AS', 'AS64500', { scope: 'AS', value: '64500' }],
  ['Country', 'de', { scope: 'Country', value: 'DE' }],
  ['Username', 'eve', { scope: 'Username', value: 'eve' }],
  ['Ip', 'eve', null],
  ['Range', '', null],
  ['AS', 'nobody', null],
  ['Country', 'Germany', null],
  ['Username', '', null],
];

t.test('values become canonical, and those that do not fit their scope make no decision', async (t) => {
  for (const [scope, value, expected] of targets) {
    const { decider, lines } = setUp();
    const outcome = decider.decide(alertOf({ source: { scope, value, ip: '' } }));
    if (expected === null) {
      t.match(outcome, { kind: 'undecided' }, `${scope} ${value}`);
      t.match(lines, [{ code: 'DECISION_INVALID' }]);
    } else t.match(outcome, { kind: 'decided', decisions: [expected] }, `${scope} ${value}`);
  }
  t.equal(targets.length, 12);
});

t.test('simulated alerts make simulated decisions, which nothing enforces', async (t) => {
  const { decider, finds } = setUp();
  t.match(decider.decide(alertOf({ simulated: true })), { kind: 'decided', decisions: [{ simulated: true }] });
  t.notOk(finds('198.51.100.7'));
});

t.test('allowlisted sources: the alert is dropped, whichever of value and address is listed', async (t) => {
  const { decider, index, published, lines } = setUp();
  index.allow({ list: 'default', value: '198.51.100.7', comment: 'office', until: null });
  t.match(decider.decide(alertOf()), { kind: 'allowlisted', item: { comment: 'office' } });
  t.match(decider.decide(alertOf({ source: { scope: 'Range', value: '198.51.100.0/24' } })), { kind: 'allowlisted' });
  t.match(decider.decide(alertOf({ source: { scope: 'Country', value: 'DE' } })), { kind: 'allowlisted' });
  t.match(decider.decide(alertOf({ ip: '198.51.100.8' })), { kind: 'decided' });
  t.equal(published.length, 1);
  t.equal(lines.filter(({ msg }) => msg === 'the source is allowlisted').length, 3);
});

t.test('an allowlisted neighbour does not shield an IPv6 prefix, and is not hit either', async (t) => {
  const { decider, index, finds } = setUp();
  index.allow({ list: 'default', value: '2001:db8::1', comment: '', until: null });
  t.match(decider.decide(alertOf({ ip: '2001:db8::2' })), { kind: 'decided' });
  t.ok(finds('2001:db8::2'));
  t.notOk(finds('2001:db8::1'));
});

t.test('protected sources: the alert is kept, no decision is made, and the log says why', async (t) => {
  const { decider, published, finds, lines } = setUp();
  for (const address of ['127.0.0.1', '10.0.0.5', '203.0.113.9', '::1']) {
    t.match(decider.decide(alertOf({ ip: address })), { kind: 'protected' }, address);
    t.notOk(finds(address));
  }
  t.match(decider.decide(alertOf({ ip: '10.0.0.5', source: { scope: 'AS', value: '64500' } })), { kind: 'protected' });
  t.equal(published.length, 5);
  t.ok(published.every(({ decisions }) => decisions.length === 0));
  t.equal(lines.filter(({ reason }) => typeof reason === 'string').length, 5);
});

t.test('a verified crawler is not decided about by crawl rules, but by all others', async (t) => {
  const { decider, resolver, finds, published, lines } = setUp({ crawlScenarios: ['own/crawl'] });
  resolver.ptr.set('66.249.66.1', ['a.googlebot.com']);
  resolver.hosts.set('a.googlebot.com', ['66.249.66.1']);
  t.match(decider.decide(alertOf(crawl)), { kind: 'held', bot: 'googlebot' });
  t.notOk(finds('66.249.66.1'), 'nothing is decided while the DNS is asked');
  t.equal(published.length, 0);
  await settle();
  t.same(
    published.map(({ decisions }) => decisions.length),
    [0],
  );
  t.ok(lines.some(({ msg }) => msg === 'a verified crawler is not decided about'));
  t.match(decider.decide(alertOf({ ...crawl, labels: { behavior: ['http:scan', 'http:crawl'] } })), {
    kind: 'good-bot',
  });
  t.match(decider.decide(alertOf({ ...crawl, labels: {}, scenario: 'own/crawl' })), { kind: 'good-bot' });
  t.match(decider.decide(alertOf({ ...crawl, labels: { behavior: 'http:exploit' } })), { kind: 'decided' });
  t.ok(finds('66.249.66.1'));
});

t.test('who only claims to be a crawler is banned once the DNS has answered, or did not', async (t) => {
  for (const mode of ['answer', 'fail', 'hang'] as const) {
    const { decider, resolver, finds, clock } = setUp();
    resolver.mode = mode;
    t.match(decider.decide(alertOf(crawl)), { kind: 'held' });
    await settle();
    clock.advance(3_000);
    await settle();
    t.ok(finds('66.249.66.1'), mode);
    t.match(decider.decide(alertOf(crawl)), { kind: 'decided' }, 'the next time at once');
  }
});

t.test('no more alerts wait than allowed: further ones are decided about at once', async (t) => {
  const { decider, resolver, lines, finds } = setUp({ maxHeld: 2 });
  resolver.mode = 'hang';
  for (let n = 1; n <= 2; n++) t.match(decider.decide(alertOf({ ...crawl, ip: `66.249.66.${n}` })), { kind: 'held' });
  t.match(decider.decide(alertOf({ ...crawl, ip: '66.249.66.3' })), { kind: 'decided' });
  t.ok(finds('66.249.66.3'));
  t.ok(lines.some(({ level }) => level === 40));
});

t.test('closing decides about what is held, once', async (t) => {
  const { decider, resolver, finds, published, clock } = setUp();
  resolver.mode = 'hang';
  decider.decide(alertOf(crawl));
  decider.close();
  t.ok(finds('66.249.66.1'));
  clock.advance(10_000);
  await settle();
  t.equal(published.length, 1);
});

t.test('without good bots a crawler is decided about like others', async (t) => {
  const { decider } = setUp({ goodBots: null });
  t.match(decider.decide(alertOf(crawl)), { kind: 'decided' });
});

t.test(
  'no profile: the alert is kept without decisions; a failed one: it is kept too, and the caller hears of it',
  async (t) => {
    const none = setUp({}, () => ({ drafts: [] }));
    t.same(none.decider.decide(alertOf()), { kind: 'undecided' });
    t.equal(none.published.length, 1);
    const error = new GatewayError('EXPRESSION_RAISED', 'no');
    const failed = setUp({}, () => ({ drafts: [], rejected: error }));
    t.same(failed.decider.decide(alertOf()), { kind: 'rejected', error });
    t.equal(failed.published.length, 1);
  },
);

t.test('an alert that brings its decisions is published with those, whatever protects its source', async (t) => {
  const matched = [{ profile: 'p', notifications: ['mail'] }];
  const { decider, published, finds, index } = setUp({}, () => ({ matched }));
  index.allow({ list: 'l', value: '10.0.0.2', comment: '', until: null });
  const alert = alertOf({ ip: '10.0.0.1' });
  const decisions = [decisionOf({ value: '10.0.0.1' }), decisionOf({ value: '10.0.0.3', type: 'captcha' })];
  decider.accept(alert, decisions);
  t.same(published, [{ alert, decisions, matched }]);
  t.ok(finds('10.0.0.1'));
  decider.accept(alertOf({ ip: '10.0.0.2' }), []);
  t.equal(published.length, 2, 'the allowlist is not asked');
});

t.test('a profile that fails keeps nobody from deciding by hand', async (t) => {
  const rejected = new GatewayError('EXPRESSION_RAISED', 'profile x failed');
  const { decider, published, lines } = setUp({}, () => ({ drafts: [], rejected }));
  decider.accept(alertOf(), [decisionOf()]);
  t.match(published, [{ decisions: [{ type: 'ban' }], matched: [] }]);
  t.ok(lines.some(({ msg }) => typeof msg === 'string' && /profile failed/.test(msg)));
  const sent = { literal: true, refusable: true };
  t.match(decider.decide(alertOf({ ip: '198.51.100.8' }), sent), { kind: 'rejected' });
  t.equal(published.length, 1, 'who sent it is told, and it is not kept');
});

t.test('whoever waits for a held alert hears when it is decided', async (t) => {
  const { decider, published, resolver } = setUp();
  resolver.ptr.set('66.249.66.1', ['scraper.example.org']);
  const outcome = decider.decide(alertOf(crawl));
  t.match(outcome, { kind: 'held', bot: /google/i });
  t.equal(published.length, 0);
  if (outcome.kind === 'held') await outcome.settled;
  t.match(published, [{ decisions: [{ value: '66.249.66.1' }] }]);
});

t.test('a value or scope that no store keeps is not decided about', async (t) => {
  const { decider } = setUp();
  const long = 'x'.repeat(3_000);
  t.match(decider.decide(alertOf({ source: { scope: 'custom', value: long } })), { kind: 'undecided' });
  t.match(decider.decide(alertOf({ source: { scope: long, value: 'x' } })), { kind: 'undecided' });
});
