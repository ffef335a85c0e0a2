import fc from 'fast-check';
import t from 'tap';
import { bodyProcessors } from '../../../../detectors/waf/bodies/body-processors.ts';
import { parseArguments } from '../../../../detectors/waf/bodies/parse-arguments.ts';
import { parseCookies } from '../../../../detectors/waf/bodies/parse-cookies.ts';
import { decodeForm, decodePercent } from '../../../../detectors/waf/bodies/percent-decode.ts';
import { pairs, process } from './support.ts';

const argumentCases: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['&', []],
  ['&&a=1&&', ['a=1']],
  ['a', ['a=']],
  ['a=', ['a=']],
  ['=x', ['=x']],
  ['=', ['=']],
  ['a=b=c', ['a=b=c']],
  ['a=1&a=2', ['a=1', 'a=2']],
  ['a+b=%41%20+', ['a b=A  ']],
  ['a%3Db=c%26d', ['a=b=c&d']],
  ['a=%zz&b=%4&c=%', ['a=%zz', 'b=%4', 'c=%']],
  ['a=%u0041', ['a=%u0041']],
  ['a=%00%ff', ['a=\0\xff']],
  ['a=%2525', ['a=%25']],
  ['a;b=1;c', ['a;b=1;c']],
  ['a=\r\n', ['a=\r\n']],
];

t.test('arguments are split, decoded once and kept in order', async (t) => {
  for (const [text, expected] of argumentCases) {
    t.same(pairs(parseArguments(text, '&', 100).values), expected, JSON.stringify(text));
  }
  t.equal(argumentCases.length, 17);
});

t.test('another separator can be set, and an empty one means the usual', async (t) => {
  t.same(pairs(parseArguments('a=1;b=2&c', ';', 100).values), ['a=1', 'b=2&c']);
  t.same(pairs(parseArguments('a=1&b', '', 100).values), ['a=1', 'b=']);
});

t.test('arguments beyond the limit are dropped, and that is said', async (t) => {
  const exactly = parseArguments('a&b&', '&', 2);
  t.same(pairs(exactly.values), ['a=', 'b=']);
  t.equal(exactly.dropped, false);
  const more = parseArguments('a&b&c', '&', 2);
  t.same(pairs(more.values), ['a=', 'b=']);
  t.equal(more.dropped, true);
});

t.test('broken escapes are noticed', async (t) => {
  t.equal(parseArguments('a=%41&b=%e9', '&', 9).brokenEscape, false);
  t.equal(parseArguments('a=%41&b=%4', '&', 9).brokenEscape, true);
  t.equal(parseArguments('a=100%', '&', 9).brokenEscape, true);
  t.equal(parseArguments('%x=1', '&', 9).brokenEscape, true);
});

t.test('what was encoded is what comes out', async () => {
  const byteText = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 90,
  });
  const encoded = fc.tuple(byteText, fc.infiniteStream(fc.nat(2)));
  fc.assert(
    fc.property(fc.array(fc.tuple(encoded, encoded), { maxLength: 12 }), (list) => {
      const body = list.map(([name, value]) => `${encode(...name)}=${encode(...value)}`).join('&');
      const values = parseArguments(body, '&', 1_000).values;
      return (
        values.length === list.length &&
        values.every(({ name, value }, index) => name === list[index]?.[0][0] && value === list[index][1][0])
      );
    }),
    { seed: 4_001, numRuns: 2_000 },
  );
});

/** Percent-encodes what must be, and of the rest what the stream says. */
function encode(text: string, choices: Iterable<number>): string {
  const next = choices[Symbol.iterator]();
  return Array.from(text, (character) => {
    const choice = next.next().value as number;
    if (character === ' ' && choice === 0) return '+';
    if (choice !== 0 && /[^%&=+ ]/.test(character)) return character;
    const hex = character.charCodeAt(0).toString(16).padStart(2, '0');
    return `%${choice === 2 ? hex.toUpperCase() : hex}`;
  }).join('');
}

t.test('decoding agrees with a plain model, whatever the text', async () => {
  const character = fc.constantFrom('%', '+', '4', '1', 'f', 'G', 'u', ' ', '\0', '\xe9');
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 120 }), (text) => {
      const percent = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
      const form = text.replace(/\+|%([0-9a-f]{2})/gi, (found, hex: string | undefined) =>
        found === '+' ? ' ' : String.fromCharCode(Number.parseInt(hex ?? '', 16)),
      );
      return decodePercent(text) === percent && decodeForm(text) === form;
    }),
    { seed: 4_002, numRuns: 5_000 },
  );
});

const cookieCases: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  [' ; ;', []],
  ['a=1; b=2', ['a=1', 'b=2']],
  ['a=1;a=2', ['a=1', 'a=2']],
  ['  a = 1 ;', ['a= 1']],
  ['a=b=c', ['a=b=c']],
  ['flag', ['flag=']],
  ['=x', ['=x']],
  ['a=%41+"q"', ['a=%41+"q"']],
  ['a=1, b=2', ['a=1, b=2']],
  ['a=\xa0x\xa0', ['a=\xa0x\xa0']],
];

t.test('cookies are split and never decoded', async (t) => {
  for (const [header, expected] of cookieCases) t.same(pairs(parseCookies(header)), expected, JSON.stringify(header));
  t.equal(cookieCases.length, 11);
});

t.test('an urlencoded body fills REQUEST_BODY, and so does a raw one', async (t) => {
  const form = process('URLENCODED', 'a=1&b=%20');
  t.same(pairs(form.args), ['a=1', 'b= ']);
  t.equal(form.fillsRequestBody, true);
  t.equal(form.error, '');
  const raw = process('RAW', 'a=1');
  t.same(raw.args, []);
  t.equal(raw.fillsRequestBody, true);
});

t.test('processors are found by name in any case', async (t) => {
  for (const name of ['URLENCODED', 'MULTIPART', 'JSON', 'XML', 'RAW']) {
    t.equal(bodyProcessors(name)?.name, name);
    t.equal(bodyProcessors(name.toLowerCase())?.name, name);
  }
  t.equal(bodyProcessors('YAML'), null);
});
