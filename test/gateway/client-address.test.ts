/** Who is asking: forwarding headers count from trusted proxies only, and are read from the right. */
import fc from 'fast-check';
import t from 'tap';
import { type ClientAddressOptions, createClientResolver } from '../../gateway/client-address.ts';
import { RequestHead } from '../../gateway/request-head.ts';

interface Case {
  readonly name: string;
  readonly options?: Partial<ClientAddressOptions>;
  readonly peer: string;
  readonly head: Partial<RequestHead>;
  readonly client: string;
  readonly from: string;
}

const cases: readonly Case[] = [
  {
    name: 'an untrusted peer is the client whatever it says',
    peer: '203.0.113.5',
    head: { forwardedFor: '1.1.1.1' },
    client: '203.0.113.5',
    from: 'peer',
  },
  {
    name: 'a trusted peer names the client',
    peer: '10.0.0.1',
    head: { forwardedFor: '198.51.100.7' },
    client: '198.51.100.7',
    from: 'x-forwarded-for',
  },
  {
    name: 'the header is read from the right',
    peer: '10.0.0.1',
    head: { forwardedFor: '1.1.1.1, 198.51.100.7, 10.0.0.2' },
    client: '198.51.100.7',
    from: 'x-forwarded-for',
  },
  {
    name: 'several header lines are one list',
    peer: '10.0.0.1',
    head: { forwardedFor: '1.1.1.1,198.51.100.7' },
    client: '198.51.100.7',
    from: 'x-forwarded-for',
  },
  {
    name: 'a chain of our own proxies names the farthest',
    peer: '10.0.0.1',
    head: { forwardedFor: '10.0.0.9, 10.0.0.2' },
    client: '10.0.0.9',
    from: 'x-forwarded-for',
  },
  {
    name: 'garbage ends the reading at the nearest hop',
    peer: '10.0.0.1',
    head: { forwardedFor: '198.51.100.7, unknown, 10.0.0.2' },
    client: '10.0.0.2',
    from: 'x-forwarded-for',
  },
  {
    name: 'garbage alone leaves the peer',
    peer: '10.0.0.1',
    head: { forwardedFor: 'unknown' },
    client: '10.0.0.1',
    from: 'peer',
  },
  {
    name: 'an empty header leaves the peer',
    peer: '10.0.0.1',
    head: { forwardedFor: '' },
    client: '10.0.0.1',
    from: 'peer',
  },
  {
    name: 'a port after IPv4 is dropped',
    peer: '10.0.0.1',
    head: { forwardedFor: '198.51.100.7:4711' },
    client: '198.51.100.7',
    from: 'x-forwarded-for',
  },
  {
    name: 'brackets and port of IPv6 are dropped',
    peer: '10.0.0.1',
    head: { forwardedFor: '[2001:DB8::7]:4711' },
    client: '2001:db8::7',
    from: 'x-forwarded-for',
  },
  {
    name: 'a mapped address is its IPv4 address',
    peer: '::ffff:10.0.0.1',
    head: { forwardedFor: '::ffff:198.51.100.7' },
    client: '198.51.100.7',
    from: 'x-forwarded-for',
  },
  {
    name: 'a mapped peer is its IPv4 address',
    peer: '::ffff:203.0.113.5',
    head: {},
    client: '203.0.113.5',
    from: 'peer',
  },
  {
    name: 'Forwarded is understood',
    peer: '10.0.0.1',
    head: { forwarded: 'for=1.1.1.1, for="[2001:db8::7]:80";proto=https, for=10.0.0.3' },
    client: '2001:db8::7',
    from: 'forwarded',
  },
  {
    name: 'an obfuscated Forwarded element ends the reading',
    peer: '10.0.0.1',
    head: { forwarded: 'for=1.1.1.1, for=_hidden' },
    client: '10.0.0.1',
    from: 'peer',
  },
  {
    name: 'CF-Connecting-IP counts from Cloudflare',
    options: { trustedProxies: ['cloudflare'] },
    peer: '173.245.48.9',
    head: { forwarding: ['CF-Connecting-IP', '198.51.100.9'], forwardedFor: '1.1.1.1' },
    client: '198.51.100.9',
    from: 'cf-connecting-ip',
  },
  {
    name: 'CF-Connecting-IP from another proxy does not count',
    peer: '10.0.0.1',
    head: { forwarding: ['CF-Connecting-IP', '1.1.1.1'] },
    client: '10.0.0.1',
    from: 'peer',
  },
  {
    name: 'a header of the operator’s own',
    options: { header: 'x-edge-client' },
    peer: '10.0.0.1',
    head: { ordinary: ['X-Edge-Client', '198.51.100.9'], forwardedFor: '1.1.1.1' },
    client: '198.51.100.9',
    from: 'x-edge-client',
  },
  {
    name: 'X-Real-IP when the operator names it',
    options: { header: 'x-real-ip' },
    peer: '10.0.0.1',
    head: { replaced: ['X-Real-IP', '198.51.100.9'] },
    client: '198.51.100.9',
    from: 'x-real-ip',
  },
  {
    name: 'the last of a repeated own header counts',
    options: { header: 'x-edge-client' },
    peer: '10.0.0.1',
    head: { ordinary: ['x-edge-client', '1.1.1.1', 'x-edge-client', '198.51.100.9'] },
    client: '198.51.100.9',
    from: 'x-edge-client',
  },
  {
    name: 'octal-looking IPv4 is no address',
    peer: '10.0.0.1',
    head: { forwardedFor: '010.1.1.1' },
    client: '10.0.0.1',
    from: 'peer',
  },
];

t.test('the client address in every case', async (t) => {
  for (const { name, options, peer, head, client, from } of cases) {
    const resolver = createClientResolver({ trustedProxies: ['10.0.0.0/24'], header: 'auto', ...options }, null);
    const found = resolver.clientOf(resolver.peerOf(peer), Object.assign(new RequestHead('/'), head));
    t.equal(found.address.text, client, name);
    t.equal(found.from, from, `${name}: where from`);
  }
  t.equal(cases.length, 20);
});

t.test('no header of an untrusted peer ever moves its address', async () => {
  const resolver = createClientResolver({ trustedProxies: ['10.0.0.0/24'], header: 'auto' }, null);
  const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constant('for=1.2.3.4'));
  fc.assert(
    fc.property(text, text, text, (forwardedFor, forwarded, cloudflare) => {
      const head = Object.assign(new RequestHead('/'), {
        forwardedFor,
        forwarded,
        forwarding: ['cf-connecting-ip', cloudflare],
      });
      return resolver.clientOf(resolver.peerOf('203.0.113.5'), head).address.text === '203.0.113.5';
    }),
    { seed: 20260101, numRuns: 500 },
  );
});

t.test('what an attacker prepends to a trusted chain changes nothing', async () => {
  const resolver = createClientResolver({ trustedProxies: ['10.0.0.0/24'], header: 'auto' }, null);
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 200 }), (prefix) => {
      const forwardedFor = [...prefix, '198.51.100.7', '10.0.0.2'].join(',');
      const head = Object.assign(new RequestHead('/'), { forwardedFor });
      return resolver.clientOf(resolver.peerOf('10.0.0.1'), head).address.text === '198.51.100.7';
    }),
    { seed: 20260102, numRuns: 500 },
  );
});
