import { isIP } from 'node:net';
import * as fc from 'fast-check';
import t from 'tap';
import {
  addressBits,
  formatRange,
  type IpAddress,
  ipv4,
  ipv6,
  isPrivate,
  masked,
  parseIp,
  parseRange,
  rangeBounds,
  rangeContains,
  rangeOf,
} from '../../core/ip.ts';

const word = fc.nat({ max: 0xffffffff });
const address = fc.oneof(
  word.map(ipv4),
  // A mapped address is an IPv4 address here, so it is not among the IPv6 ones.
  fc
    .tuple(word, word, word, word)
    .filter(([a, b, c]) => a !== 0 || b !== 0 || c !== 0xffff)
    .map((words) => ipv6(...words)),
);
const network = address.chain((each) => fc.nat({ max: addressBits(each) }).map((prefix) => rangeOf(each, prefix)));

/** The whole address as one number. */
function numberOf({ version, w0, w1, w2, w3 }: IpAddress): bigint {
  return version === 4 ? BigInt(w0) : [w0, w1, w2, w3].reduce((sum, each) => (sum << 32n) | BigInt(each), 0n);
}

t.test('an address has one canonical spelling', async (t) => {
  const cases: [written: string, canonical: string | null][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    // Leading zeros are octal to some programs and decimal to others.
    ['010.0.0.1', null],
    ['192.0.2.01', null],
    ['::ffff:192.0.2.01', null],
    ['192.0.2', null],
    ['192.0.2.1.1', null],
    ['192.0.2.256', null],
    ['192.0.2.', null],
    ['.192.0.2', null],
    ['192..2.1', null],
    ['3221225985', null],
    ['0xc0.0.2.1', null],
    ['192.0.2.1 ', null],
    ['192.0.2.1:80', null],
    ['[::1]', null],
    ['fe80::1%eth0', null],
    ['1::2::3', null],
    ['12345::', null],
    [':::', null],
    [':', null],
    ['1:2:3:4:5:6:7', null],
    ['1:2:3:4:5:6:7:8:9', null],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['', null],
    ['localhost', null],
    ['١٩٢.0.2.1', null],
  ];
  t.equal(cases.length, 38);
  for (const [written, canonical] of cases) t.equal(parseIp(written)?.text ?? null, canonical, written);
});

t.test('what is an address agrees with Node, whatever the text', async (t) => {
  const nearAddress = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.'.split('')), maxLength: 46 }),
    fc.ipV4(),
    fc.ipV6(),
    fc
      .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat({ max: 44 }), fc.constantFrom(...'0:.f%x '.split('')))
      .map(([text, at, extra]) => {
        return text.slice(0, at) + extra + text.slice(at);
      }),
  );
  fc.assert(
    fc.property(nearAddress, (text) => (parseIp(text) !== null) === (isIP(text) !== 0 && !text.includes('%'))),
    { seed: 1, numRuns: 5000 },
  );
  t.pass('5000 texts');
});

t.test('the canonical spelling is read back as the same address', async (t) => {
  fc.assert(
    fc.property(address, (each) => {
      t.same(parseIp(each.text), each);
    }),
    { seed: 2, numRuns: 500 },
  );
});

t.test('IPv6 is read and spelled as URLs have it', async (t) => {
  // Zeros are common in addresses, and what `::` is about.
  const group = fc.oneof(
    fc.constant('0'),
    fc.constant('0000'),
    fc.nat({ max: 0xffff }).map((each) => each.toString(16)),
  );
  const written = fc.oneof(
    fc.ipV6(),
    fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':')),
    fc
      .tuple(fc.array(group, { maxLength: 5 }), fc.array(group, { maxLength: 3 }))
      .filter(([before, after]) => before.length + after.length < 8)
      .map(([before, after]) => `${before.join(':')}::${after.join(':').toUpperCase()}`),
  );
  fc.assert(
    fc.property(written, (text) => {
      const found = parseIp(text);
      // A mapped address is another one here.
      return found?.version === 4 || new URL(`http://[${text}]`).hostname === `[${found?.text}]`;
    }),
    { seed: 6, numRuns: 5_000 },
  );
  t.pass('5000 addresses');
});

t.test('an IPv4 address and its mapped form are one, in ranges too', async (t) => {
  fc.assert(
    fc.property(word, fc.nat({ max: 32 }), (value, prefix) => {
      const { text } = ipv4(value);
      t.same(parseIp(`::ffff:${text}`), parseIp(text));
      t.same(parseRange(`::ffff:${text}/${prefix + 96}`), parseRange(`${text}/${prefix}`));
    }),
    { seed: 3, numRuns: 200 },
  );
  t.equal(parseRange('::ffff:10.0.0.0/95'), null, 'a range that holds more than mapped addresses is not guessed at');
});

t.test('a range has its host bits cleared and knows its first and last address', async (t) => {
  fc.assert(
    fc.property(network, ({ address: first, prefix }) => {
      const size = 1n << BigInt(addressBits(first) - prefix);
      const bounds = rangeBounds({ address: first, prefix });
      t.equal(numberOf(first) % size, 0n);
      t.equal(numberOf(bounds.first), numberOf(first));
      t.equal(numberOf(bounds.last), numberOf(first) + size - 1n);
      t.same(parseRange(formatRange({ address: first, prefix })), { address: first, prefix });
    }),
    { seed: 4, numRuns: 500 },
  );
});

t.test('a range contains exactly the addresses between its bounds', async (t) => {
  fc.assert(
    fc.property(network, address, fc.nat({ max: 0xffffffff }), (range, other, offset) => {
      const { first, last } = rangeBounds(range);
      // Near addresses: a random one would almost never be inside.
      const near =
        first.version === 4
          ? ipv4((first.w0 + offset) >>> 0)
          : ipv6(first.w0, first.w1, first.w2, (first.w3 ^ offset) >>> 0);
      for (const each of [first, last, near, other]) {
        const inside =
          each.version === first.version && numberOf(each) >= numberOf(first) && numberOf(each) <= numberOf(last);
        t.equal(rangeContains(range, each), inside, `${each.text} in ${formatRange(range)}`);
      }
    }),
    { seed: 5, numRuns: 500 },
  );
});

t.test('texts that are no range are refused', async (t) => {
  const texts = [
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '10.0.0.0/ 8',
    '10.0.0/8',
    '::/129',
    '/24',
    '10.0.0.0/8/8',
    'x/8',
  ];
  for (const text of texts) t.equal(parseRange(text), null, text);
  t.equal(formatRange(parseRange('192.0.2.77/24') ?? rangeOf(ipv4(0), 0)), '192.0.2.0/24');
  t.equal(formatRange(parseRange('192.0.2.77') ?? rangeOf(ipv4(0), 0)), '192.0.2.77/32');
  t.equal(formatRange(parseRange('2001:db8::1') ?? rangeOf(ipv4(0), 0)), '2001:db8::1/128');
  t.equal(formatRange(parseRange('::/0') ?? rangeOf(ipv4(0), 0)), '::/0');
});

t.test('private addresses are those that no stranger can have', async (t) => {
  const inside = [
    '127.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.1.1',
    '100.64.0.1',
    '100.127.255.255',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
  ];
  const outside = [
    '126.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.169.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '::2',
    'fe00::1',
    'fec0::1',
    '2001:db8::1',
    '8.8.8.8',
  ];
  for (const text of inside) t.equal(isPrivate(parseIp(text) as IpAddress), true, text);
  for (const text of outside) t.equal(isPrivate(parseIp(text) as IpAddress), false, text);
});

t.test('a mask outside 0–32 keeps all bits or none', async (t) => {
  t.equal(masked(0xffffffff, 40), 0xffffffff);
  t.equal(masked(0xffffffff, -5), 0);
  t.equal(masked(0xffffffff, 1), 0x80000000);
  t.equal(masked(0xffffffff, 31), 0xfffffffe);
});
