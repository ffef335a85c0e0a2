import * as fc from 'fast-check';
import t from 'tap';
import { formatTime, GoTime, GoZone, parseTime } from '../../../detectors/expr/go-time.ts';
import { compileDateLayout } from '../../../detectors/expr/date-layout.ts';
import { createDateParser, knownLayouts } from '../../../detectors/parsers/parse-date.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { modelDate } from './date-model.ts';
import { eventOf, fieldsOf, worldOfYaml } from './support.ts';

/** The clock of these tests stands in 2026. */
const parse = createDateParser(createManualClock(Date.UTC(2026, 5, 1)));

t.test('every known layout is read', async (t) => {
  const cases: [string, string][] = [
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05+02:00', '2026-01-02T03:04:05+02:00'],
    ['2026-01-02T03:04:05.120-07:30', '2026-01-02T03:04:05.12-07:30'],
    ['28/Aug/2026:10:11:12 +0200', '2026-08-28T10:11:12+02:00'],
    ['28/Aug/2026:10:11:12 +0000', '2026-08-28T10:11:12Z'],
    ['Fri Aug 28 10:11:12 2026', '2026-08-28T10:11:12Z'],
    ['Fri Aug  8 10:11:12 2026', '2026-08-08T10:11:12Z'],
    ['28-Aug-2026 10:11:12 europe/paris', '2026-08-28T10:11:12Z'],
    ['01/02/2026 10:11:12', '2026-01-02T10:11:12Z'],
    ['2026-08-28 10:11:12.5 +0200 CEST', '2026-08-28T10:11:12.5+02:00'],
    ['2026-08-28 10:11:12 +0200 UTC', '2026-08-28T10:11:12Z'],
    ['Aug 28 10:11:12', '2026-08-28T10:11:12Z'],
    ['Aug  8 10:11:12', '2026-08-08T10:11:12Z'],
    ['Mon Aug 02 10:11:12.345678 2026', '2026-08-02T10:11:12.345678Z'],
    ['2026/08/28', '2026-08-28T00:00:00Z'],
    ['2026/08/28 10:11', '2026-08-28T10:11:00Z'],
    ['2026-08-28', '2026-08-28T00:00:00Z'],
    ['2026-08-28 10:11', '2026-08-28T10:11:00Z'],
    ['2026/08/28 10:11:12', '2026-08-28T10:11:12Z'],
    ['2026-08-28 10:11:12', '2026-08-28T10:11:12Z'],
    ['2026-08-28T10:11:12', '2026-08-28T10:11:12Z'],
  ];
  for (const [text, expected] of cases) t.equal(parse(text, '')?.text, expected, text);
  t.equal(cases.length, 21);
  t.equal(knownLayouts.length, 16);
});

t.test("Go's rules: implicit fractions, runs of spaces, one or two digits, any case, nothing behind", async (t) => {
  const now = '2026-06-01T00:00:00Z';
  const cases: [string, string][] = [
    ['28/Aug/2026:10:11:12.25 +0200', '2026-08-28T10:11:12.25+02:00'],
    ['28/Aug/2026:10:11:12,250 +0200', '2026-08-28T10:11:12.25+02:00'],
    ['2026-08-28 10:11:12.1234567891', '2026-08-28T10:11:12.123456789Z'],
    ['2026-08-28 10:11:12.000', '2026-08-28T10:11:12Z'],
    ['2026-08-28 10:11:12.', now],
    ['2026-08-28   10:11:12', '2026-08-28T10:11:12Z'],
    ['Aug       8 10:11:12', '2026-08-08T10:11:12Z'],
    ['2026-08-28 9:11:12', '2026-08-28T09:11:12Z'],
    ['2026-08-28 10:1:12', now],
    ['2026-8-28 10:11:12', now],
    ['8/Aug/2026:10:11:12 +0200', now],
    ['28/aUG/2026:10:11:12 +0200', '2026-08-28T10:11:12+02:00'],
    ['2026-08-28 10:11:12 ', now],
    [' 2026-08-28 10:11:12', now],
    ['2026-08-28t10:11:12z', now],
    ['2026-02-30', now],
    ['2026-02-29', now],
    ['2028-02-29', '2028-02-29T00:00:00Z'],
    ['2026-04-31 10:11:12', now],
    ['2026-13-01', now],
    ['2026-08-28 24:00:00', now],
    ['2026-08-28 10:60:00', now],
    ['2026-08-28 10:11:60', now],
    ['28/Aug/2026:10:11:12 +2400', now],
    ['0001-01-01', now],
    ['0001-01-02', '0001-01-02T00:00:00Z'],
    ['', now],
    ['yesterday', now],
  ];
  for (const [text, expected] of cases) {
    // An offset of a whole day is read and then cannot be written: upstream fails, and nothing is enriched.
    t.equal(parse(text, '')?.text ?? now, expected, text);
  }
  t.equal(cases.length, 28);
});

t.test('seconds since the epoch, above 0, a fraction dropped', async (t) => {
  t.equal(parse('1672330955', '')?.text, '2022-12-29T16:22:35Z');
  t.equal(parse('1672330955.273', '')?.text, '2022-12-29T16:22:35Z');
  t.equal(parse('1672330955.273', '')?.ms, 1_672_330_955_000);
  t.equal(parse('0', '')?.ms, null);
  t.equal(parse('-5', '')?.ms, null);
  t.equal(parse('1e9', '')?.ms, null);
  t.equal(parse('1672330955273', ''), null, 'in the year 54963: no RFC 3339');
});

t.test('a date without a year is of this one', async (t) => {
  const clock = createManualClock(Date.UTC(2027, 11, 31, 23, 59, 59));
  const parseThen = createDateParser(clock);
  t.equal(parseThen('Feb 29 10:11:12', '')?.text, '2027-03-01T10:11:12Z', 'the day that the year does not have');
  t.equal(parseThen('Feb 28 10:11:12', '')?.text, '2027-02-28T10:11:12Z');
  clock.advance(1_000);
  t.equal(parseThen('Feb 28 10:11:12', '')?.text, '2028-02-28T10:11:12Z', 'not remembered from last year');
  t.equal(parseThen('Feb 29 10:11:12', '')?.text, '2028-02-29T10:11:12Z');
});

t.test('a format of its own is tried first, then the known ones', async (t) => {
  const cases: [string, string, string][] = [
    ['02.01.2026 10:11:12', '02.01.2006 15:04:05', '2026-01-02T10:11:12Z'],
    ['10:11:12 PM 1/2/26', '03:04:05 PM 1/2/06', '2026-01-02T22:11:12Z'],
    ['2026-08-28', '02.01.2006', '2026-08-28T00:00:00Z'],
    ['2026 240', '2006 002', '2026-08-28T00:00:00Z'],
    ['Friday, 28-August-26', 'Monday, 2-January-06', '2026-08-28T00:00:00Z'],
    ['20260828T101112.123+0200', '20060102T150405.000-0700', '2026-08-28T10:11:12.123+02:00'],
    ['Aug  8 2026', 'Jan _2 2006', '2026-08-08T00:00:00Z'],
    ['20260828101112', '20060102150405', '2026-08-28T10:11:12Z'],
    ['8_2026', '2_2006', '2026-06-08T00:00:00Z'],
    ['2026-08-28 10:11:12 CEST', '2006-01-02 15:04:05 MST', '2026-08-28T10:11:12Z'],
    ['2026-08-28 10:11:12 GMT+3', '2006-01-02 15:04:05 MST', '2026-08-28T13:11:12+03:00'],
  ];
  for (const [text, layout, expected] of cases.filter(([, layout]) => layout !== '2_2006')) {
    t.equal(parse(text, layout)?.text, expected, `${text} by ${layout}`);
  }
  t.equal(parse('8_2026', '2_2006')?.text, '2026-01-08T00:00:00Z', '_2006 is a text and a year');
  t.equal(cases.length, 11);
});

t.test('the answer for a text is remembered, and another format is another question', async (t) => {
  const first = parse('01/02/2026 10:11:12', '');
  t.equal(parse('01/02/2026 10:11:12', ''), first);
  t.equal(parse('01/02/2026 10:11:12', '02/01/2006 15:04:05')?.text, '2026-02-01T10:11:12Z');
  t.equal(parse('01/02/2026 10:11:12', '')?.text, '2026-01-02T10:11:12Z');
});

/** Dates of the years that RFC 3339 has, some with a fraction, in zones of whole minutes. */
const anyDate = fc.record({
  ms: fc.integer({ min: Date.UTC(1000, 0), max: Date.UTC(9000, 0) }),
  minutes: fc.integer({ min: -840, max: 840 }),
});

/** The finest unit that a layout can say, in milliseconds. */
function precisionOf(layout: string): number {
  if (/[.]/.test(layout)) return 1;
  if (layout.includes('05')) return 1_000;
  return layout.includes('15') ? 60_000 : 86_400_000;
}

t.test('a date printed by a layout is read back as it was', async (t) => {
  for (const layout of knownLayouts) {
    const precision = precisionOf(layout);
    const zoned = layout.includes('07');
    fc.assert(
      fc.property(anyDate, ({ ms, minutes }) => {
        const zone = GoZone.fixed('CEST', zoned ? minutes : 0);
        const wall = new Date(Math.floor((ms + zone.offsetMinutes(ms) * 60_000) / precision) * precision);
        if (!layout.includes('2006')) wall.setUTCFullYear(2026);
        const time = new GoTime(wall.getTime() - zone.offsetMinutes(ms) * 60_000, zone);
        return parse(formatTime(time, layout), layout)?.text === time.toJson();
      }),
      { seed: 11, numRuns: 150 },
    );
  }
  t.equal(knownLayouts.length, 16);
});

/** Texts near a layout: printed by it, then damaged. */
function textsNear(layout: string): fc.Arbitrary<string> {
  const printed = anyDate.map(({ ms, minutes }) => formatTime(new GoTime(ms, GoZone.fixed('CEST', minutes)), layout));
  const damage = fc.array(
    fc.record({
      at: fc.nat(40),
      take: fc.nat(2),
      put: fc.constantFrom(
        '',
        ' ',
        '  ',
        '0',
        '1',
        '9',
        '29',
        '31',
        '.',
        ',5',
        '.123456789',
        'Z',
        '+',
        '-',
        'Feb',
        'UTC',
        'GMT+3',
        'x',
        '\n',
      ),
    }),
    { maxLength: 2 },
  );
  return fc
    .tuple(printed, damage)
    .map(([text, changes]) =>
      changes.reduce((damaged, { at, take, put }) => damaged.slice(0, at) + put + damaged.slice(at + take), text),
    );
}

t.test('layouts read what a slow model reads', async (t) => {
  let read = 0;
  for (const layout of new Set(knownLayouts)) {
    const fast = compileDateLayout(layout);
    fc.assert(
      fc.property(textsNear(layout), (text) => {
        const found = fast(text);
        if (found !== null) read++;
        const expected = modelDate(text, layout);
        const { zone: _zone, zoneName: _name, ...instant } = found ?? {};
        return JSON.stringify(found === null ? null : instant) === JSON.stringify(expected);
      }),
      { seed: 12, numRuns: 1_000 },
    );
  }
  t.ok(read > 3_000 && read < 14_000, `${read} texts of 15000 are dates`);
});

t.test('layouts of any kind never throw, and agree with the expression language where both read', async (t) => {
  const part = fc.constantFrom(
    ...'2006 06 01 1 Jan January 02 2 _2 15 03 3 04 4 05 5 PM pm MST -0700 Z07:00 .000 .999 - : T'.split(' '),
    ' ',
  );
  let agreed = 0;
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), anyDate, (parts, { ms, minutes }) => {
      const layout = parts.join('');
      const text = formatTime(new GoTime(ms, GoZone.fixed('CEST', minutes)), layout);
      const found = compileDateLayout(layout)(text);
      const other = parseTime(text, layout);
      if (found === null || other === null) return true;
      agreed++;
      return Math.abs(found.seconds * 1_000 + found.nanoseconds / 1e6 - other.ms) < 0.001;
    }),
    { seed: 13, numRuns: 2_000 },
  );
  t.ok(agreed > 500, `${agreed} of 2000 texts were read by both`);
  fc.assert(
    fc.property(fc.string(), fc.string(), (layout, text) => {
      compileDateLayout(layout)(text);
    }),
    { seed: 14, numRuns: 500 },
  );
});

const dates = 'name: dates\nstatics: [{method: ParseDate, expression: evt.StrTime}]';

t.test('ParseDate: an empty text is now, and nothing else takes an empty text', async (t) => {
  const { set, clock } = worldOfYaml({ s00: dates });
  const event = eventOf('line');
  set.parse(event, null);
  t.equal(event.Enriched.MarshaledTime, new Date(clock.now()).toISOString().replace('.000Z', 'Z'));
});

t.test("the event's time follows its text only while a log is replayed, and never the time now", async (t) => {
  const { set } = worldOfYaml({ s00: dates });
  const timeOf = (ExpectMode: 0 | 1, StrTime: string, StrTimeFormat = ''): number => {
    const event = eventOf('line', { ExpectMode, StrTime, StrTimeFormat, Time: 42 });
    set.parse(event, null);
    t.ok(event.Enriched.MarshaledTime);
    return event.Time;
  };
  t.equal(timeOf(1, '2026-01-02T03:04:05.5Z'), Date.UTC(2026, 0, 2, 3, 4, 5, 500));
  t.equal(timeOf(1, '02.01.2026', '02.01.2006'), Date.UTC(2026, 0, 2));
  t.equal(timeOf(1, '1672330955'), 1_672_330_955_000);
  t.equal(timeOf(0, '2026-01-02T03:04:05Z'), 42);
  t.equal(timeOf(1, 'no date'), 42);
});

t.test('a date that cannot be written leaves the event as it was', async (t) => {
  const { set } = worldOfYaml({ s00: dates });
  const event = eventOf('line', { StrTime: '1672330955273', Time: 42, Enriched: fieldsOf({ MarshaledTime: 'old' }) });
  t.equal(set.parse(event, null).kind, 'passed');
  t.equal(event.Enriched.MarshaledTime, 'old');
});
