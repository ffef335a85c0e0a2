import t from 'tap';
import { parseTimestamp } from '../../../detectors/scenarios/pour-time.ts';

t.test('RFC 3339 is read to the nanosecond', async (t) => {
  const noon = Date.UTC(2021, 8, 29, 12, 37, 5);
  const cases: [string, number | null][] = [
    ['2021-09-29T12:37:05Z', noon],
    ['2021-09-29T14:37:05+02:00', noon],
    ['2021-09-29T12:37:05.25Z', noon + 250],
    ['2021-09-29T12:37:05.0005Z', noon + 0.5],
    ['2021-09-29T12:37:05.123456Z', noon + 123.456],
    ['', null],
    ['29/Sep/2021:12:37:05 +0000', null],
    ['2021-09-29', null],
    ['2021-13-29T12:37:05Z', null],
  ];
  for (const [text, expected] of cases) t.equal(parseTimestamp(text), expected, text);
  t.equal(cases.length, 9);
});
