import * as fc from 'fast-check';
import t from 'tap';
import { formatDuration, parseDuration } from '../../core/duration.ts';

t.test('durations are read as Go and CrowdSec write them', async (t) => {
  const cases: [text: string, ms: number | null][] = [
    ['0', 0],
    ['0s', 0],
    ['300ms', 300],
    ['0.5s', 500],
    ['.5s', 500],
    ['1.s', 1000],
    ['1m30s', 90_000],
    ['1h1m1s', 3_661_000],
    ['4h', 14_400_000],
    ['7d', 604_800_000],
    ['1d12h', 129_600_000],
    ['-1.5h', -5_400_000],
    ['+5s', 5_000],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['100ns', 0.0001],
    ['2540400h10m10.5s', 9_145_440_610_500],
    ['', null],
    ['-', null],
    ['+', null],
    ['10', null],
    ['s', null],
    ['1', null],
    ['1x', null],
    ['1 s', null],
    [' 1s', null],
    ['1s ', null],
    ['1s1', null],
    ['--1s', null],
    ['.s', null],
    ['1e3s', null],
    ['1w', null],
    ['1S', null],
    [`${'1'.repeat(65)}s`, null],
  ];
  t.equal(cases.length, 35);
  for (const [text, ms] of cases) t.equal(parseDuration(text), ms, text);
});

t.test("durations are written as Go's Duration.String writes them", async (t) => {
  const cases: [ms: number, text: string][] = [
    [0, '0s'],
    [1, '1ms'],
    [1_500, '1.5s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
    [14_400_000, '4h0m0s'],
    [604_800_000, '168h0m0s'],
    [-90_000, '-1m30s'],
    [0.001, '1µs'],
    [0.0001, '100ns'],
    [1.5, '1.5ms'],
    [60_001, '1m0.001s'],
  ];
  for (const [ms, text] of cases) t.equal(formatDuration(ms), text);
});

t.test('what is written is read back as the same time, from milliseconds to centuries', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e13, max: 1e13 }),
      (ms) => Math.abs((parseDuration(formatDuration(ms)) ?? NaN) - ms) < 0.01,
    ),
    { seed: 1, numRuns: 2000 },
  );
  t.pass('2000 durations');
});

t.test('no text raises or reads as something that is not a finite number', async (t) => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'0123456789.smhdnuµ+-'.split('')), maxLength: 70 }),
  );
  fc.assert(
    fc.property(text, (each) => {
      const ms = parseDuration(each);
      return ms === null || Number.isFinite(ms);
    }),
    { seed: 2, numRuns: 3000 },
  );
  t.pass('3000 texts');
});
