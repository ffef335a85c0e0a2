import t from 'tap';
import type { DnsResolver } from '../../../core/dns-resolver.ts';
import type { EnricherGeo } from '../../../detectors/parsers/enrichers.ts';
import { createHostResolver, type HostResolver } from '../../../core/host-resolver.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { noGeo } from '../../support/no-geo.ts';
import { eventOf, fieldsOf, worldOfYaml } from './support.ts';

const geo: EnricherGeo = {
  loaded: { city: true, asn: true },
  city: (ip) =>
    ip === '192.0.2.1' ? { country: 'FR', inEuropeanUnion: true, latitude: 48.8582, longitude: 2.3387 } : null,
  asn: (ip) => (ip === '192.0.2.1' ? { number: 64_500, organisation: 'Example', range: '192.0.2.0/25' } : null),
};

/** What a method leaves in Enriched for a value. */
function enriched(method: string, value: string, databases: EnricherGeo): Record<string, unknown> {
  const event = eventOf('line', { Meta: fieldsOf({ value }) });
  const yaml = `name: node\nstatics: [{method: ${method}, expression: evt.Meta.value}]`;
  t.equal(worldOfYaml({ s00: yaml }, { geo: databases }).set.parse(event, null).kind, 'passed');
  return { ...event.Enriched };
}

t.test(
  'GeoIpCity: what the record says, zeros for an address that is not there, nothing without a database',
  async (t) => {
    t.strictSame(enriched('GeoIpCity', '192.0.2.1', geo), {
      IsoCode: 'FR',
      IsInEU: 'true',
      Latitude: '48.858200',
      Longitude: '2.338700',
    });
    const absent = { IsoCode: '', IsInEU: 'false', Latitude: '0.000000', Longitude: '0.000000' };
    t.strictSame(enriched('GeoIpCity', '198.51.100.1', geo), absent);
    t.strictSame(enriched('GeoIpCity', 'nonsense', geo), {});
    t.strictSame(enriched('GeoIpCity', '', geo), {});
    t.strictSame(enriched('GeoIpCity', '192.0.2.1', noGeo), {});
  },
);

t.test('GeoIpASN and IpToRange', async (t) => {
  t.strictSame(enriched('GeoIpASN', '192.0.2.1', geo), { ASNNumber: '64500', ASNumber: '64500', ASNOrg: 'Example' });
  t.strictSame(enriched('GeoIpASN', '198.51.100.1', geo), { ASNNumber: '0', ASNumber: '0', ASNOrg: '' });
  t.strictSame(enriched('GeoIpASN', '192.0.2.1', noGeo), {});
  t.strictSame(enriched('IpToRange', '192.0.2.1', geo), { SourceRange: '192.0.2.0/25' });
  t.strictSame(enriched('IpToRange', '198.51.100.1', geo), {});
});

t.test('UnmarshalJSON puts the members of the line into Unmarshaled', async (t) => {
  const yaml = `name: node\nstatics: [{method: UnmarshalJSON, expression: evt.Line.Raw}, {meta: a, expression: evt.Unmarshaled.a.b}]`;
  const { set } = worldOfYaml({ s00: yaml });
  const unmarshaled = (raw: string): unknown => {
    const event = eventOf(raw, { Unmarshaled: { kept: 1 } });
    t.equal(set.parse(event, null).kind, 'passed');
    return { ...event.Unmarshaled, meta: event.Meta.a };
  };
  t.strictSame(unmarshaled('{"a": {"b": "c"}, "d": 2}'), { kept: 1, a: { b: 'c' }, d: 2, meta: 'c' });
  for (const bad of ['{"a":', '[1]', '"text"', 'null', '{"a":'.repeat(1_000)]) {
    t.strictSame(unmarshaled(bad), { kept: 1, meta: undefined }, bad.slice(0, 10));
  }
  const hostile = eventOf('{"__proto__": {"polluted": true}}');
  set.parse(hostile, null);
  t.equal(Reflect.get({}, 'polluted'), undefined);
});

interface Names {
  readonly hosts: HostResolver;
  readonly clock: ManualClock;
  readonly asked: string[];
  answer(ip: string, answer: readonly string[] | Error): void;
}

/** Names of a DNS whose answers the test gives when it pleases. */
function namesOfDns(): Names {
  const clock = createManualClock();
  const asked: string[] = [];
  const waiting = new Map<string, (answer: readonly string[] | Error) => void>();
  const resolver: DnsResolver = {
    reverse: (ip) =>
      new Promise((resolve, reject) => {
        asked.push(ip);
        waiting.set(ip, (answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      }),
    forward: async () => [],
  };
  return {
    hosts: createHostResolver({ clock, resolver }),
    clock,
    asked,
    answer: (ip, answer) => waiting.get(ip)?.(answer),
  };
}

/** Asks, and waits for the answer that `give` makes happen. */
async function ask({ hosts }: Names, ip: string, give: () => void): Promise<void> {
  const found = hosts.names(ip);
  give();
  if (found.kind === 'asked') await found.ready;
}

t.test('a name is asked for once, and remembered for an hour with its dot', async (t) => {
  const dns = namesOfDns();
  await ask(dns, '192.0.2.1', () => dns.answer('192.0.2.1', ['host.example.org', 'other.example.org']));
  t.match(dns.hosts.names('192.0.2.1'), { kind: 'known', value: ['host.example.org.', 'other.example.org.'] });
  dns.clock.advance(3_599_999);
  t.match(dns.hosts.names('192.0.2.1'), { kind: 'known' });
  dns.clock.advance(1);
  t.match(dns.hosts.names('192.0.2.1'), { kind: 'asked' });
  t.equal(dns.asked.length, 2);
});

t.test('no name, and no answer, are remembered for five minutes', async (t) => {
  for (const give of [
    (dns: Names) => dns.answer('192.0.2.1', []),
    (dns: Names) => dns.answer('192.0.2.1', new Error('SERVFAIL')),
    (dns: Names) => dns.clock.advance(5_000),
  ]) {
    const dns = namesOfDns();
    await ask(dns, '192.0.2.1', () => give(dns));
    t.strictSame(dns.hosts.names('192.0.2.1'), { kind: 'known', value: [] });
    dns.clock.advance(300_000);
    t.match(dns.hosts.names('192.0.2.1'), { kind: 'asked' });
  }
});

t.test('who asks meanwhile waits for the same answer; too many questions at once are not asked', async (t) => {
  const dns = namesOfDns();
  const first = dns.hosts.names('192.0.2.1');
  t.equal(dns.hosts.names('::ffff:192.0.2.1'), first);
  t.equal(dns.asked.length, 1);
  for (let host = 0; host < 300; host++) dns.hosts.names(`198.51.${host >> 8}.${host & 255}`);
  t.equal(dns.asked.length, 256);
  t.strictSame(dns.hosts.names('203.0.113.1'), { kind: 'known', value: [] });
  t.strictSame(dns.hosts.names('nonsense'), { kind: 'known', value: [] });
  dns.answer('192.0.2.1', ['host.']);
  if (first.kind === 'asked') await first.ready;
  t.match(dns.hosts.names('192.0.2.1'), { kind: 'known', value: ['host.'] });
});

t.test('a line waits for a name, and is parsed once more when it is known', async (t) => {
  const dns = namesOfDns();
  const yaml = `name: rdns
statics:
  - {method: reverse_dns, expression: evt.Meta.source_ip}
  - {meta: name, expression: evt.Enriched.reverse_dns}
`;
  const { set } = worldOfYaml({ s00: yaml }, { hosts: dns.hosts });
  const fresh = (): ReturnType<typeof eventOf> => eventOf('line', { Meta: fieldsOf({ source_ip: '192.0.2.1' }) });
  const outcome = set.parse(fresh(), null);
  t.equal(outcome.kind, 'pending');
  const hurried = fresh();
  t.equal(set.parse(hurried, null, true).kind, 'passed', 'who does not wait goes on without');
  t.equal(hurried.Enriched.reverse_dns, undefined);
  dns.answer('192.0.2.1', ['host.example.org']);
  if (outcome.kind === 'pending') await outcome.ready;
  const event = fresh();
  t.equal(set.parse(event, null).kind, 'passed');
  t.equal(event.Meta.name, 'host.example.org.');
  t.equal(dns.asked.length, 1);
});

t.test('without a DNS no address has a name', async (t) => {
  t.strictSame(enriched('reverse_dns', '192.0.2.1', noGeo), {});
});
