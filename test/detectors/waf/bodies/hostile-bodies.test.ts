/**
 * Bodies made to break readers. None of these tests measures time: a reader that took more than linear time for one of the
 * large bodies would not come to an end.
 */
import fc from 'fast-check';
import t from 'tap';
import type { BodyContents } from '../../../../detectors/waf/bodies/body-processor.ts';
import { parseCookies } from '../../../../detectors/waf/bodies/parse-cookies.ts';
import { limits, process } from './support.ts';

const processors = ['URLENCODED', 'MULTIPART', 'JSON', 'XML', 'RAW'] as const;

/** Characters of all that was read. Every value is a piece of the body, so this shows whether something multiplied. */
function sizeOf(contents: BodyContents): number {
  const named = [...contents.args, ...contents.partHeaders].reduce(
    (sum, { name, value }) => sum + name.length + value.length,
    0,
  );
  const files = contents.files.reduce(
    (sum, { field, name, content }) => sum + field.length + name.length + content.length,
    0,
  );
  const texts = [...(contents.xmlTexts ?? []), ...contents.xmlAttributes].reduce((sum, { length }) => sum + length, 0);
  return named + files + texts;
}

function isBounded(contents: BodyContents): boolean {
  return (
    contents.args.length <= limits.arguments &&
    contents.files.length <= limits.files &&
    contents.partHeaders.length <= 4 * (limits.arguments + limits.files) &&
    (contents.xmlTexts ?? []).length <= limits.arguments &&
    contents.xmlAttributes.length <= limits.arguments
  );
}

const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array).toString('latin1'));

const pieces: Readonly<Record<(typeof processors)[number], readonly string[]>> = {
  URLENCODED: ['a', '=', '&', '%', '%4', '%41', '%00', '+', ';', '\0', '\xff', '%u0041', '&&'],
  MULTIPART: [
    '--B',
    '--B--',
    '\r\n',
    '\n',
    '\r',
    'Content-Disposition: form-data; name="a"',
    'Content-Disposition: form-data; name=',
    '; filename="',
    "; filename*=UTF-8''%41",
    '"',
    "'",
    '\\',
    ';',
    '=',
    ':',
    ' ',
    '\0',
    '\xff',
    '--',
    'x',
  ],
  JSON: [
    '{',
    '}',
    '[',
    ']',
    '"',
    '"a"',
    ':',
    ',',
    '\\',
    '\\u',
    '\\ud83d',
    '1',
    'e',
    '-',
    'null',
    ' ',
    '\0',
    '\xff',
    '\xef\xbb\xbf',
  ],
  XML: [
    '<',
    '>',
    '</',
    '/>',
    '<a',
    ' b=',
    '"',
    "'",
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE',
    '<!ENTITY',
    '[',
    ']',
    '<?xml ',
    '?>',
    '&#',
    'x41;',
    '&lt;',
    '&',
    ' ',
    't',
    '\0',
    '\xff',
  ],
  RAW: ['a', '\0', '\xff'],
};

for (const [index, name] of processors.entries()) {
  t.test(`${name} reads any sequence of its own words`, async () => {
    const body = fc.array(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...pieces[name]) }, { weight: 1, arbitrary: bytes }),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(body, fc.boolean(), (list, truncated) => {
        const text = list.join('');
        const contents = process(name, text, { truncated });
        // Names of JSON repeat their path, and a part of a form repeats its field's name for each header.
        return isBounded(contents) && sizeOf(contents) <= 20 * text.length * text.length + 100;
      }),
      { seed: 4_050 + index, numRuns: 5_000 },
    );
  });

  t.test(`${name} reads any bytes, in whatever encoding they are`, async () => {
    const body = fc.oneof(
      bytes,
      fc
        .array(fc.constantFrom(...pieces[name]), { maxLength: 20 })
        .chain((list) =>
          fc
            .constantFrom('utf16le' as const, 'utf8' as const)
            .map((encoding) => Buffer.from(list.join(''), encoding).toString('latin1')),
        ),
    );
    fc.assert(
      fc.property(body, fc.string(), (text, contentType) =>
        isBounded(process(name, text, { contentType: `multipart/form-data; ${contentType}` })),
      ),
      { seed: 4_060 + index, numRuns: 1_500 },
    );
  });
}

const megabyte = 1_048_576;
const many = (text: string, size = megabyte): string => text.repeat(Math.floor(size / text.length));
const deepKey = `{"${'k'.repeat(9_000)}":`;

/** Processor, what it is, the body, how often its own size may come out of it. */
const large: readonly (readonly [(typeof processors)[number], string, string, number])[] = [
  ['URLENCODED', 'arguments without "="', many('a&'), 1],
  ['URLENCODED', 'separators', many('&'), 1],
  ['URLENCODED', 'equals signs', many('='), 1],
  ['URLENCODED', 'percent signs', many('%'), 1],
  ['URLENCODED', 'one long name', many('a+%4'), 1],
  ['MULTIPART', 'empty parts', many('--B\r\n'), 1],
  ['MULTIPART', 'fields', many('--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'), 1],
  ['MULTIPART', 'final boundaries', many('--B--\r\n'), 1],
  ['MULTIPART', 'boundaries inside lines', `--B\r\n\r\n${many('x--B')}`, 1],
  ['MULTIPART', 'dashes', many('-'), 1],
  ['MULTIPART', 'line ends', `--B\r\n${many('\r\n')}`, 1],
  ['MULTIPART', 'headers', `--B\r\n${many('a: b\r\n')}`, 2],
  ['MULTIPART', 'headers of the same name', `--B\r\n${many('content-disposition: form-data; name="a"\r\n')}`, 2],
  ['MULTIPART', 'a folded header', `--B\r\na: b\r\n${many(' c\r\n')}`, 3],
  ['MULTIPART', 'a header without a colon', `--B\r\n${many('a')}`, 3],
  ['MULTIPART', 'parameters', `--B\r\nContent-Disposition: form-data${many('; name="a"')}\r\n\r\nx\r\n--B--`, 3],
  ['MULTIPART', 'backslashes', `--B\r\nContent-Disposition: form-data; name="${many('\\"')}"\r\n\r\nx\r\n--B--`, 4],
  [
    'MULTIPART',
    'one name for many headers',
    `--B\r\nContent-Disposition: form-data; name="${many('n', 40_000)}"\r\n${many('a: b\r\n', 40_000)}\r\nx\r\n--B--`,
    40,
  ],
  ['MULTIPART', 'spaces behind a boundary', `--B${many(' ')}`, 1],
  ['JSON', 'opening brackets', many('['), 1],
  ['JSON', 'opening braces', many('{"a":'), 1],
  ['JSON', 'an array of ones', `[${many('1,')}1]`, 3],
  ['JSON', 'keys', `{${many('"a":1,')}"b":2}`, 3],
  ['JSON', 'long keys below each other', `${deepKey.repeat(90)}[${many('1,', 2_000)}1]${'}'.repeat(90)}`, 20],
  ['JSON', 'backslashes', `"${many('\\\\')}`, 1],
  ['JSON', 'a string without its end', `"${many('a')}`, 1],
  ['JSON', 'escapes', `"${many('\\u0041')}"`, 1],
  ['JSON', 'broken escapes', `"${many('\\u00')}"`, 1],
  ['JSON', 'digits', many('1'), 1],
  ['JSON', 'an exponent', `1e${many('9')}x`, 1],
  ['JSON', 'blanks', many(' '), 1],
  ['XML', 'opening signs', many('<'), 1],
  ['XML', 'elements', many('<a>'), 1],
  ['XML', 'texts', many('<a>t</a>'), 1],
  ['XML', 'attributes', `<a${many(' b="c"')}>`, 1],
  ['XML', 'attributes without values', `<a${many(' b')}>`, 1],
  ['XML', 'quotes', `<a${many('"')}>`, 1],
  ['XML', 'ampersands', many('&'), 1],
  ['XML', 'beginnings of references', many('&#x4'), 1],
  ['XML', 'a reference of many digits', `<a>&#${many('0')}65;</a>`, 1],
  ['XML', 'beginnings of comments', many('<!--'), 1],
  ['XML', 'beginnings of CDATA sections', many('<![CDATA['), 1],
  ['XML', 'beginnings of declarations', many('<!'), 1],
  ['XML', 'beginnings of instructions', many('<?xml '), 1],
  ['XML', 'comments between texts', `<a>${many('t<!---->')}</a>`, 1],
  ['XML', 'entities', `<!DOCTYPE a [${many('<!ENTITY x "&y;&y;">')}]><a>&x;</a>`, 1],
  ['XML', 'brackets of a declaration', `<!DOCTYPE a ${many('[')}`, 1],
  ['RAW', 'anything', many('a'), 1],
];

t.test('large bodies are read in linear time, and nothing multiplies', async (t) => {
  for (const [name, what, body, times] of large) {
    const contents = process(name, body);
    t.ok(isBounded(contents), `${name}: ${what}: bounds`);
    t.ok(sizeOf(contents) <= times * body.length + 1_000, `${name}: ${what}: ${sizeOf(contents)} of ${body.length}`);
  }
  t.equal(large.length, 48);
});

t.test('100,000 arguments are read up to the limit', async (t) => {
  for (const [name, body] of [
    ['URLENCODED', many('a=b&', 400_000)],
    ['MULTIPART', many('--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n', 5_300_000)],
    ['JSON', `[${many('1,', 200_000)}1]`],
  ] as const) {
    const contents = process(name, body);
    t.equal(contents.args.length, limits.arguments, name);
    t.equal(contents.argumentsDropped, true, name);
  }
});

t.test('a long Content-Type, Content-Disposition or Cookie is read in linear time', async (t) => {
  const size = 65_536;
  for (const piece of [
    'boundary',
    'boundary=',
    'boundary =',
    ';boundary=B',
    ' ',
    ';',
    '"',
    '=',
    '\\"',
    'boundary\t',
    "'",
  ]) {
    process('MULTIPART', '--B\r\n\r\nx', { contentType: `multipart/form-data; ${many(piece, size)}` });
    process('MULTIPART', `--B\r\nContent-Disposition: form-data; ${many(piece, size)}\r\n\r\nx`);
    t.ok(parseCookies(many(piece, size)).length <= size);
  }
});
