import t from 'tap';
import { parseIp, privateRanges } from '../../core/ip.ts';
import { isPublic } from '../../core/public-address.ts';

const cases: readonly (readonly [text: string, isPublic: boolean])[] = [
  ['1.1.1.1', true],
  ['9.255.255.255', true],
  ['11.0.0.0', true],
  ['172.15.255.255', true],
  ['172.32.0.0', true],
  ['223.255.255.255', true],
  ['2606:4700::1111', true],
  ['2a00::1', true],
  ['2002:101:101::1', true],
  ['64:ff9b::101:101', true],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['127.255.255.255', false],
  ['169.254.169.254', false],
  ['172.16.0.1', false],
  ['192.0.0.170', false],
  ['192.168.1.1', false],
  ['198.18.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::ffff:127.0.0.1', false],
  ['::127.0.0.1', false],
  ['fc00::1', false],
  ['fd12:3456::1', false],
  ['fe80::1', false],
  ['ff02::1', false],
  ['2001::7f00:1', false],
  ['2001:db8::1', false],
  ['2002:7f00:1::1', false],
  ['64:ff9b::7f00:1', false],
  ['64:ff9b::a9fe:a9fe', false],
  ['64:ff9b:1::1', false],
];

t.test('addresses of the public internet, and all others', async (t) => {
  for (const [text, expected] of cases) {
    const address = parseIp(text);
    t.ok(address !== null && isPublic(address) === expected, `${text} ${expected ? 'is' : 'is not'} public`);
  }
  t.equal(cases.length, 36);
});

t.test('nothing that counts as private elsewhere is public here', async (t) => {
  for (const { address } of privateRanges) t.notOk(isPublic(address), address.text);
});
