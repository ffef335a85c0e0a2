import fc from 'fast-check';
import t from 'tap';
import { parseDuration } from '../../../../core/duration.ts';
import { mirroredUuid, readMirrored, readMirroredKey } from '../../../../remediation/lapi/client/mirrored-decision.ts';
import { normalScope } from '../../../../remediation/normal-scope.ts';

const element = { scope: 'Ip', type: 'ban', value: '192.0.2.1', origin: 'CAPI', scenario: 's', duration: '1h', id: 1 };

t.test('scopes, types and values get their one spelling', async (t) => {
  const cases: [object, object | null][] = [
    [{}, { scope: 'Ip', type: 'ban', value: '192.0.2.1' }],
    [
      { scope: 'ip', type: 'Ban' },
      { scope: 'Ip', type: 'ban' },
    ],
    [{ value: '::ffff:192.0.2.9' }, { value: '192.0.2.9' }],
    [{ value: '2001:DB8:0:0::1' }, { value: '2001:db8::1' }],
    [{ value: '192.0.2.1/32' }, { scope: 'Ip', value: '192.0.2.1' }],
    [{ value: '198.51.100.70/26' }, { scope: 'Ip', value: '198.51.100.64/26' }],
    [
      { scope: 'RANGE', value: '192.0.2.1' },
      { scope: 'Range', value: '192.0.2.1/32' },
    ],
    [
      { scope: 'country', value: 'aq' },
      { scope: 'Country', value: 'AQ' },
    ],
    [
      { scope: 'as', value: 'AS64500' },
      { scope: 'AS', value: '64500' },
    ],
    [
      { scope: 'Session', value: 'aBc' },
      { scope: 'Session', value: 'aBc' },
    ],
    [{ value: 'no address' }, null],
    [{ value: '' }, null],
    [{ scope: '' }, null],
    [{ type: '' }, null],
    [{ scope: 7 }, null],
    [{ scope: 'Session', value: 'x'.repeat(2_049) }, null],
  ];
  for (const [over, expected] of cases) {
    const key = readMirroredKey({ ...element, ...over });
    if (expected === null) t.equal(key, null, JSON.stringify(over).slice(0, 80));
    else t.match(key, expected, JSON.stringify(over));
  }
  t.equal(cases.length, 16);
  t.equal(readMirroredKey(null), null);
  t.equal(readMirroredKey('x'), null);
  t.equal(normalScope('iP'), 'Ip');
});

t.test('the time that is left counts from receipt', async (t) => {
  const until = (duration: unknown): number | undefined => readMirrored({ ...element, duration }, 1_000)?.until;
  t.equal(until('3h59m59s'), 1_000 + 4 * 3_600_000 - 1_000);
  t.equal(until('3h59m59.520134257s'), 1_000 + 4 * 3_600_000 - 480 + 0.134257);
  t.equal(until('-1m2s'), 1_000 - 62_000);
  t.equal(until('2562047h47m16s'), 1_000 + 2_562_047 * 3_600_000 + 47 * 60_000 + 16_000);
  t.equal(until('99999999999999999999h'), 8.64e15, 'the end of time at most');
  for (const duration of ['', '1', 'h', '1h2', '1x', '1hh', 7, null, undefined]) t.equal(until(duration), undefined);
  t.equal(readMirrored({ ...element, simulated: true }, 0), null, 'nobody acts on a simulated one');
  t.match(readMirrored({ ...element, origin: undefined, scenario: 5 }, 0), { origin: '', scenario: '' });
});

t.test('the quick way to read a duration agrees with the thorough one', async () => {
  const unit = fc.constantFrom('h', 'm', 's', 'ms', 'us', 'd', '');
  const part = fc
    .tuple(fc.oneof(fc.nat().map(String), fc.constantFrom('1.5', '.5', '')), unit)
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), fc.constantFrom('', '-', '+'), (parts, sign) => {
      const text = sign + parts.join('');
      const left = parseDuration(text);
      const expected = left === null ? undefined : Math.min(8.64e15, left);
      return readMirrored({ ...element, duration: text }, 0)?.until === expected;
    }),
    { seed: 55, numRuns: 3_000 },
  );
});

t.test('a uuid tells its Local API and what it is about, and fits the store', async (t) => {
  const key = { scope: 'Ip', type: 'ban', value: '192.0.2.1' };
  t.equal(mirroredUuid('main', key), 'lapi/main/Ip/ban/192.0.2.1');
  const long = mirroredUuid('main', { ...key, scope: 'Session', value: 'x'.repeat(2_000) });
  t.match(long, /^lapi\/main\/#[0-9a-f]{64}$/);
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }).map((value) => value.toWellFormed());
  const any = fc.record({ scope: text, type: text, value: text });
  const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);
  fc.assert(
    fc.property(any, any, (a, b) => {
      const [first, second] = [mirroredUuid('l', a), mirroredUuid('l', b)];
      return first.length <= 256 && (first === second) === same(a, b);
    }),
    { seed: 56, numRuns: 1_000 },
  );
  const slashes = [
    { scope: 'a/b', type: 'c', value: 'd' },
    { scope: 'a', type: 'b/c', value: 'd' },
    { scope: 'a', type: 'b', value: 'c/d' },
  ];
  t.equal(new Set(slashes.map((each) => mirroredUuid('l', each))).size, 3);
});
