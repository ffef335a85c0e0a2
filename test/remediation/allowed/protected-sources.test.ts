import t from 'tap';
import { parseRange, type IpRange } from '../../../core/ip.ts';
import { createProtectedSources } from '../../../remediation/allowed/protected-sources.ts';

function range(text: string): IpRange {
  const parsed = parseRange(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

const trustedProxies = [range('203.0.113.0/24')];

t.test('loopback, private and link-local addresses and trusted proxies are protected', async (t) => {
  const sources = createProtectedSources({ trustedProxies });
  const inside = [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    'fe80::1',
  ];
  for (const text of inside) t.match(sources.reasonFor(range(text)), /^private range/, text);
  t.equal(inside.length, 9);
  t.equal(sources.reasonFor(range('203.0.113.9')), 'trusted proxy 203.0.113.0/24');
  t.equal(
    sources.reasonFor(range('203.0.0.0/16')),
    'trusted proxy 203.0.113.0/24',
    'a range that holds one would ban it too',
  );
  for (const text of ['198.51.100.1', '2001:db8::1', '172.32.0.1']) t.equal(sources.reasonFor(range(text)), null, text);
});

t.test(
  'a gateway that stands inside may decide about private addresses, never about loopback and proxies',
  async (t) => {
    const sources = createProtectedSources({ trustedProxies, protectPrivate: false });
    for (const text of ['10.1.2.3', 'fd00::1', 'fe80::1']) t.equal(sources.reasonFor(range(text)), null, text);
    for (const text of ['127.0.0.1', '::1', '203.0.113.9']) t.ok(sources.reasonFor(range(text)), text);
  },
);
