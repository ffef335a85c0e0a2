/** The spellings of feeds, of decisions as the ledger gives them. */
import fc from 'fast-check';
import t from 'tap';
import { rangeContains } from '../../../../core/ip.ts';
import type { LedgerEntry } from '../../../../remediation/ledger/decision-ledger.ts';
import { feedEntry, type FeedEntry, widestNetworks } from '../../../../remediation/lapi/feeds/feed-entry.ts';
import { type FeedName, feedFormats } from '../../../../remediation/lapi/feeds/feed-format.ts';
import { feedLines } from '../../../../remediation/lapi/feeds/feed-lines.ts';

const now = Date.UTC(2026, 10, 21, 10);

function decision(value: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    id: 1,
    uuid: '',
    origin: 'crowdsec',
    scenario: 'a/b',
    scope: value.includes('/') ? 'Range' : 'Ip',
    type: 'ban',
    value,
    until: now + 3_600_000,
    createdAt: now,
    simulated: false,
    alertUuid: null,
    ...more,
  };
}

function feed(name: FeedName, decisions: readonly LedgerEntry[], versions: readonly (4 | 6)[] = [4, 6]): string {
  const facts = { now, versions, name: 'portcullis' };
  const onTooMany = (): void => {
    t.fail('too many networks');
  };
  return [...feedLines(decisions, { format: feedFormats[name], facts, onTooMany })].join('');
}

const mixed = [
  decision('192.0.2.1'),
  decision('2001:DB8:0:0::1'),
  decision('198.51.100.70/26'),
  decision('198.51.100.0/24', { until: now + 90_500 }),
  decision('203.0.113.7', { scope: 'Range', scenario: 'with, comma "and quote"' }),
  decision('FR', { scope: 'Country' }),
  decision('not an address'),
];

t.test('plain and CSV', (t) => {
  t.equal(
    feed('plain', mixed),
    '192.0.2.1\n2001:db8::1\n198.51.100.64/26\n198.51.100.0/24\n203.0.113.7\n',
    'canonical, one a line',
  );
  t.equal(feed('plain', mixed, [6]), '2001:db8::1\n');
  t.equal(feed('plain', []), '');
  t.equal(
    feed('csv', mixed.slice(3, 5)),
    [
      'value,scope,type,origin,scenario,expiration',
      '198.51.100.0/24,Range,ban,crowdsec,a/b,2026-11-21T10:01:30.500Z',
      '203.0.113.7,Range,ban,crowdsec,"with, comma ""and quote""",2026-11-21T11:00:00.000Z',
      '',
    ].join('\n'),
  );
  t.end();
});

t.test('nftables and ipset', (t) => {
  t.equal(
    feed('nftables', mixed, [4]),
    [
      'add table inet portcullis',
      'add set inet portcullis address4 { type ipv4_addr; flags timeout; }',
      'add set inet portcullis network4 { type ipv4_addr; flags interval, timeout; }',
      'flush set inet portcullis address4',
      'flush set inet portcullis network4',
      'add element inet portcullis address4 { 192.0.2.1 timeout 3600s, 203.0.113.7 timeout 3600s }',
      'add element inet portcullis network4 { 198.51.100.0/24 timeout 91s }',
      '',
    ].join('\n'),
  );
  t.equal(
    feed('ipset', mixed.slice(1, 4), [6]),
    [
      'create portcullis6 hash:net family inet6 maxelem 4194304 timeout 0',
      'create portcullis6-new hash:net family inet6 maxelem 4194304 timeout 0',
      'flush portcullis6-new',
      'add portcullis6-new 2001:db8::1 timeout 3600',
      'swap portcullis6-new portcullis6',
      'destroy portcullis6-new',
      '',
    ].join('\n'),
  );
  t.match(feed('ipset', [decision('192.0.2.1', { until: now + 90 * 86_400_000 })]), / timeout 2147483\n/);
  t.match(feed('ipset', [decision('192.0.2.1', { until: now + 1 })]), / timeout 1\n/);
  t.same(
    feed('ipset', [decision('0.0.0.0/0'), decision('::/0')]).match(/^add .*$/gm),
    [
      'add portcullis4-new 0.0.0.0/1 timeout 3600',
      'add portcullis4-new 128.0.0.0/1 timeout 3600',
      'add portcullis6-new ::/1 timeout 3600',
      'add portcullis6-new 8000::/1 timeout 3600',
    ],
    'ipset has no network of everything',
  );
  t.end();
});

t.test('a long list comes in pieces, and loses nothing', (t) => {
  const many = Array.from({ length: 5_500 }, (_, index) => decision(`10.1.${index >> 8}.${index & 255}`));
  const facts = { now, versions: [4, 6] as const, name: 'portcullis' };
  const pieces = [...feedLines(many, { format: feedFormats.plain, facts, onTooMany: () => {} })];
  t.ok(pieces.every((piece) => piece.split('\n').length <= 1_001));
  t.equal(pieces.join(''), many.map(({ value }) => `${value}\n`).join(''));
  t.end();
});

t.test('of networks the widest stay: none lies in another, and every one is covered', (t) => {
  const network = fc
    .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 16, max: 31 }), fc.integer({ min: 1, max: 9 }))
    .map(([low, prefix, until]) => decision(`10.0.${low >> 8}.${low & 255}/${prefix}`, { until: now + until }));
  fc.assert(
    fc.property(fc.array(network, { maxLength: 40 }), (decisions) => {
      const entries = decisions.flatMap((one) => feedEntry(one) ?? []);
      const kept = widestNetworks(entries);
      const covers = (outer: FeedEntry, inner: FeedEntry): boolean =>
        outer.range.prefix <= inner.range.prefix && rangeContains(outer.range, inner.range.address);
      for (const entry of entries) if (!kept.some((outer) => covers(outer, entry))) return false;
      return kept.every((entry, index) =>
        kept.every((other, otherIndex) => index === otherIndex || !covers(other, entry)),
      );
    }),
    { seed: 11, numRuns: 500 },
  );
  t.end();
});
