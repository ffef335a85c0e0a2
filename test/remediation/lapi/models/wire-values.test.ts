import fc from 'fast-check';
import t from 'tap';
import { parseDuration } from '../../../../core/duration.ts';
import { readDuration, writeDuration } from '../../../../remediation/lapi/models/durations.ts';
import {
  goTimeText,
  millisecondDate,
  readDate,
  wholeSecondDate,
} from '../../../../remediation/lapi/models/go-dates.ts';
import { firstJsonValue } from '../../../../remediation/lapi/models/go-json-syntax.ts';
import { float32Value, jsonText } from '../../../../core/json-text.ts';
import { firstValues, readBool, readId } from '../../../../remediation/lapi/models/query-fields.ts';

const written: readonly (readonly [number, string])[] = [
  [0, '0s'],
  [499, '0s'],
  [500, '1s'],
  [-499, '0s'],
  [-500, '-1s'],
  [59_499, '59s'],
  [59_500, '1m0s'],
  [-62_000, '-1m2s'],
  [14_398_000, '3h59m58s'],
  [14_400_000, '4h0m0s'],
  [1_000 * 3_600_000, '1000h0m0s'],
];

t.test('durations are whole seconds, never days, never fractions', async (t) => {
  for (const [ms, text] of written) t.equal(writeDuration(ms), text, String(ms));
  t.equal(written.length, 11);
  fc.assert(
    fc.property(fc.integer({ min: -1e13, max: 1e13 }), (ms) => {
      const text = writeDuration(ms);
      return /^-?(\d+h)?(\d+m)?\d+s$/.test(text) && Math.abs((parseDuration(text) ?? Infinity) - ms) <= 500;
    }),
    { seed: 61, numRuns: 500 },
  );
});

t.test('a text is a duration or has words for why not', async (t) => {
  t.equal(readDuration('1d12h'), 36 * 3_600_000);
  t.equal(readDuration('-9223372036854775807ns'), -9_223_372_036_854.775);
  t.equal(readDuration('9223372036854775808us'), 'time: invalid duration "9223372036854775808us"');
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+]?([0-9.]{1,4}[a-zµ]{0,2}){0,4}$/)), (text) => {
      const found = readDuration(text);
      return typeof found === 'number'
        ? found === parseDuration(text)
        : /^time: (invalid duration|missing unit in duration|unknown unit ".*" in duration) ".*"$/.test(found);
    }),
    { seed: 62, numRuns: 2_000 },
  );
});

t.test('dates', async (t) => {
  t.equal(readDate('2026-01-01T00:00:00.0009Z'), Date.UTC(2026, 0, 1));
  t.equal(readDate('2026-01-01T02:00:00+02:00'), Date.UTC(2026, 0, 1));
  t.equal(readDate('1969-12-31T23:59:59.9999Z'), -1);
  t.equal(readDate('2026-01-01'), null);
  t.equal(wholeSecondDate(Date.UTC(2026, 0, 1, 1, 2, 3, 999)), '2026-01-01T01:02:03Z');
  t.equal(millisecondDate(null), '0001-01-01T00:00:00.000Z');
  t.equal(goTimeText('no date'), 'no date', 'what is none is shown as it is');
});

t.test('JSON is escaped as Go escapes it', async (t) => {
  t.equal(
    jsonText({ b: '<a href="x">&\u2028\u2029é\u0007', a: undefined }),
    '{"b":"\\u003ca href=\\"x\\"\\u003e\\u0026\\u2028\\u2029é\\u0007"}',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const found = jsonText(text);
      return JSON.parse(found) === text && !/[<>&\u2028\u2029]/.test(found);
    }),
    { seed: 63 },
  );
});

t.test('coordinates are the shortest number that is the same in 32 bits', async (t) => {
  for (const [value, shown] of [
    [48.858222222, 48.858223],
    [2.294481, 2.294481],
    [0.1, 0.1],
    [-2.5e-8, -2.5e-8],
    [1e39, 0],
    [0, 0],
  ] as const)
    t.equal(float32Value(value), shown);
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const found = float32Value(value);
      return Math.fround(found) === value && String(found).length <= String(value).length;
    }),
    { seed: 64, numRuns: 500 },
  );
});

t.test('parameters of a query', async (t) => {
  t.same(firstValues({ a: ['1', '2'], b: '', c: 5, d: [] }), [
    ['a', '1'],
    ['b', ''],
    ['c', ''],
    ['d', ''],
  ]);
  t.same(firstValues(null), []);
  t.same(['1', 't', 'TRUE', 'True', '0', 'f', 'False', 'tRue', 'yes', ''].map(readBool), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    null,
    null,
    null,
  ]);
  t.same(
    [
      '7',
      '+7',
      '-7',
      '007',
      '',
      '7 ',
      '0x7',
      '9223372036854775807',
      '9223372036854775808',
      '-9223372036854775809',
      '9'.repeat(1e5),
    ].map(readId),
    [7, 7, -7, 7, null, null, null, 2 ** 63, null, null, null],
  );
});

t.test('the first value of a text ends where a parser would stop', async (t) => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', ' ', '\n', ' x', ']', '{'), (json, rest) => {
      const bytes = Buffer.from(` ${json}${rest}`);
      const found = firstJsonValue(bytes);
      // A number runs on into what could be part of it; none of these texts is.
      return found.kind === 'value' && bytes.subarray(0, found.end).toString().trim() === json.trim();
    }),
    { seed: 65, numRuns: 1_000 },
  );
  t.pass();
});
