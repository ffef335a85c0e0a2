import t from 'tap';
import { createGoodBots, crawlersOf, type BotClaim, type BotVerdict } from '../../../remediation/allowed/good-bots.ts';
import { knownCrawlers } from '../../../remediation/allowed/known-crawlers.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createFakeDns } from '../fakes.ts';
import { collectedLog, ip, settle } from '../support.ts';

const google = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
const address = ip('66.249.66.1');

function setUp(limits: { maxOpen?: number; maxKnown?: number } = {}) {
  const clock = createManualClock();
  const { log, lines } = collectedLog();
  const resolver = createFakeDns();
  resolver.ptr.set('66.249.66.1', ['crawl-66-249-66-1.googlebot.com']);
  resolver.hosts.set('crawl-66-249-66-1.googlebot.com', ['66.249.66.1']);
  return { clock, lines, resolver, bots: createGoodBots({ clock, log, resolver, ...limits }) };
}

async function verdictOf(claim: BotClaim): Promise<BotVerdict | 'none'> {
  if (claim.kind === 'none') return 'none';
  return claim.verdict;
}

t.test('who claims nothing is asked nothing', async (t) => {
  const { bots, resolver } = setUp();
  t.same(bots.claim(['curl/8', ''], address), { kind: 'none' });
  t.same(resolver.asked, []);
});

t.test('a host of the operator that resolves back is proof, remembered for a day', async (t) => {
  const { bots, clock, resolver, lines } = setUp();
  const claim = bots.claim(['curl/8', google], address);
  t.equal(claim.kind, 'pending');
  t.equal(await verdictOf(claim), 'verified');
  t.same(resolver.asked, ['66.249.66.1', 'crawl-66-249-66-1.googlebot.com']);
  t.same(bots.claim([google], address), { kind: 'known', bot: 'googlebot', verdict: 'verified' });
  clock.advance(24 * 3_600_000 - 1);
  t.equal(bots.claim([google], address).kind, 'known');
  clock.advance(1);
  t.equal(bots.claim([google], address).kind, 'pending');
  t.match(lines, [{ bot: 'googlebot', verdict: 'verified', clientIp: '66.249.66.1' }]);
});

t.test('IPv6 crawlers are proven the same way', async (t) => {
  const { bots, resolver } = setUp();
  resolver.ptr.set('2001:4860:4801::1', ['x.googlebot.com.']);
  resolver.hosts.set('x.googlebot.com', ['2001:4860:4801:0:0:0:0:1']);
  t.equal(await verdictOf(bots.claim([google], ip('2001:4860:4801::1'))), 'verified');
});

const lies: readonly (readonly [string, readonly string[]])[] = [
  ['no name at all', []],
  ['a host of somebody else', ['host.example.net']],
  ['the operator as a prefix', ['googlebot.com.evil.example']],
  ['the operator without a dot before it', ['evilgooglebot.com']],
  ['the bare domain', ['googlebot.com']],
  ['a name that does not resolve back', ['forged.googlebot.com']],
  ['white space and controls', ['a b.googlebot.com', 'a\u0000.googlebot.com', '\n.googlebot.com']],
  ['a name that is too long', [`${'a.'.repeat(200)}googlebot.com`]],
  ['an empty name', ['', '.', '.googlebot.com']],
  [
    'the right name behind a hundred others',
    [...Array.from({ length: 100 }, (_, n) => `h${n}.example`), 'crawl-66-249-66-1.googlebot.com'],
  ],
];

t.test('what a stranger writes into its reverse zone proves nothing', async (t) => {
  for (const [what, names] of lies) {
    const { bots, resolver } = setUp();
    resolver.ptr.set('66.249.66.1', names);
    resolver.hosts.set('forged.googlebot.com', ['192.0.2.1', 'not an address']);
    resolver.hosts.set('googlebot.com', ['66.249.66.1']);
    resolver.hosts.set('googlebot.com.evil.example', ['66.249.66.1']);
    resolver.hosts.set('evilgooglebot.com', ['66.249.66.1']);
    t.equal(await verdictOf(bots.claim([google], address)), 'refuted', what);
    t.ok(resolver.asked.length <= 4, 'few questions');
  }
  t.equal(lies.length, 10);
});

t.test('answers that are no text are refused, not trusted', async (t) => {
  const { bots, resolver } = setUp();
  resolver.ptr.set('66.249.66.1', [42, null, {}] as unknown as string[]);
  t.equal(await verdictOf(bots.claim([google], address)), 'refuted');
});

t.test('a claim refuted is asked about again after an hour', async (t) => {
  const { bots, resolver, clock } = setUp();
  resolver.ptr.clear();
  t.equal(await verdictOf(bots.claim([google], address)), 'refuted');
  clock.advance(3_599_999);
  t.equal(bots.claim([google], address).kind, 'known');
  clock.advance(1);
  t.equal(bots.claim([google], address).kind, 'pending');
});

t.test('a DNS that hangs leaves the claim unproven after the time-out, and is asked again soon', async (t) => {
  const { bots, resolver, clock } = setUp();
  resolver.mode = 'hang';
  const claim = bots.claim([google], address);
  clock.advance(3_000);
  t.equal(await verdictOf(claim), 'unproven');
  t.same(bots.size, { known: 1, open: 0 });
  t.same(bots.claim([google], address), { kind: 'known', bot: 'googlebot', verdict: 'unproven' });
  resolver.mode = 'answer';
  clock.advance(60_000);
  t.equal(await verdictOf(bots.claim([google], address)), 'verified');
});

t.test('a DNS that fails leaves the claim unproven', async (t) => {
  const { bots, resolver } = setUp();
  resolver.mode = 'fail';
  t.equal(await verdictOf(bots.claim([google], address)), 'unproven');
});

t.test('one question per address at a time, and no more open ones than allowed', async (t) => {
  const { bots, resolver } = setUp({ maxOpen: 2 });
  resolver.mode = 'hang';
  bots.claim([google], address);
  bots.claim([google], address);
  bots.claim([google], ip('66.249.66.2'));
  t.same(bots.claim([google], ip('66.249.66.3')), { kind: 'known', bot: 'googlebot', verdict: 'unproven' });
  await settle();
  t.same(resolver.asked, ['66.249.66.1', '66.249.66.2']);
  t.same(bots.size, { known: 0, open: 2 });
  bots.close();
  await settle();
  t.same(bots.size, { known: 2, open: 0 });
  t.equal(bots.claim([google], ip('66.249.66.9')).kind, 'known', 'closed: nothing is asked any more');
});

t.test('a bounded number of answers is remembered', async (t) => {
  const { bots } = setUp({ maxKnown: 5 });
  for (let n = 0; n < 20; n++) await verdictOf(bots.claim([google], ip(`192.0.2.${n}`)));
  t.equal(bots.size.known, 5);
});

t.test('ranges of the settings are proof without DNS; without domains nothing else is', async (t) => {
  const clock = createManualClock();
  const resolver = createFakeDns();
  const crawlers = crawlersOf([
    { name: 'duckduckbot', userAgent: 'DuckDuckBot', ranges: ['20.191.45.0/24'], domains: [] },
    { name: 'mine', userAgent: 'MyMonitor', ranges: [], domains: ['.Monitor.Example.'] },
  ]);
  const bots = createGoodBots({ clock, log: collectedLog().log, resolver, crawlers });
  const duck = ['DuckDuckBot/1.1'];
  t.match(bots.claim(duck, ip('20.191.45.212')), { kind: 'known', verdict: 'verified' });
  t.match(bots.claim(duck, ip('192.0.2.1')), { kind: 'known', verdict: 'refuted' });
  t.same(resolver.asked, []);
  resolver.ptr.set('192.0.2.7', ['a.monitor.example']);
  resolver.hosts.set('a.monitor.example', ['192.0.2.7']);
  t.equal(await verdictOf(bots.claim(['mymonitor/2'], ip('192.0.2.7'))), 'verified');
});

t.test('the table of crawlers is well-formed', async (t) => {
  const names = new Set(knownCrawlers.map(({ name }) => name));
  t.equal(names.size, 13);
  for (const { tokens, domains, name } of knownCrawlers) {
    t.ok(tokens.length > 0 && tokens.every((token) => token === token.toLowerCase() && token.length >= 4), name);
    t.ok(
      domains.every((domain) => /^[a-z0-9.-]+\.[a-z]{2,}$/.test(domain)),
      name,
    );
  }
});
