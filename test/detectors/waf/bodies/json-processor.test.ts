import fc from 'fast-check';
import t from 'tap';
import type { NamedValue } from '../../../../detectors/waf/bodies/body-processor.ts';
import { bytesOf, isBeginning, limits, pairs, process } from './support.ts';

const readable: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  [' \r\n\t', []],
  ['{}', []],
  ['[]', []],
  ['{"a":[],"b":{}}', []],
  ['5', ['json=5']],
  ['"x"', ['json=x']],
  ['null', ['json=']],
  ['{"a":1}', ['json.a=1']],
  [
    '{"a":1.50,"b":-0,"c":1E+05,"d":100000000000000000000001}',
    ['json.a=1.50', 'json.b=-0', 'json.c=1E+05', 'json.d=100000000000000000000001'],
  ],
  ['{"a":true,"b":false,"c":null}', ['json.a=true', 'json.b=false', 'json.c=']],
  ['{"a":1,"a":"2"}', ['json.a=1', 'json.a=2']],
  ['{"items":[{"id":1},"x"]}', ['json.items.0.id=1', 'json.items.1=x', 'json.items=2']],
  ['[[1,2],[3]]', ['json.0.0=1', 'json.0.1=2', 'json.0=2', 'json.1.0=3', 'json.1=1', 'json=2']],
  ['{"":1,"a.b":2}', ['json.=1', 'json.a.b=2']],
  ['{"a":"\\u0041\\n\\"\\\\\\/\\b\\f\\r\\t"}', ['json.a=A\n"\\/\b\f\r\t']],
  ['{"\\u0061":"\\u00e9\\u20AC\\ud83d\\ude00"}', [`json.a=${bytesOf('é€😀')}`]],
  ['{"a":"\\u0000\\ud800x\\udc00"}', [`json.a=\0${bytesOf('\ufffdx\ufffd')}`]],
  [bytesOf('{"ключ":"é"}'), [bytesOf('json.ключ=é')]],
  ['\xef\xbb\xbf{"a":1}', ['json.a=1']],
  [' { "a" : [ 1 , 2 ] } ', ['json.a.0=1', 'json.a.1=2', 'json.a=2']],
];

t.test('documents become arguments named by their path, in the spelling of their source', async (t) => {
  for (const [body, expected] of readable) {
    const contents = process('JSON', body);
    t.same(pairs(contents.args), expected, JSON.stringify(body));
    t.equal(contents.error, '', JSON.stringify(body));
    t.equal(contents.fillsRequestBody, false);
  }
  t.equal(readable.length, 21);
});

const unreadable: readonly (readonly [string, readonly string[]])[] = [
  ['{"a":1', ['json.a=1']],
  ['{"a":"x', ['json.a=x']],
  ['{"a":1}}', ['json.a=1', 'json.a=}']],
  ['{"a":1}{"b":2}', ['json.a=1', 'json.a={"b":2}']],
  ["{'a':1}", ["json='a':1}"]],
  ['{a:1}', ['json=a:1}']],
  ['{"a":1,}', ['json.a=1', 'json=}']],
  ['[1,]', ['json.0=1', 'json.1=]']],
  ['{"a" 1}', ['json.a=1}']],
  ['{"a":}', ['json.a=}']],
  ['{"a":01}', ['json.a=01}']],
  ['{"a":+1}', ['json.a=+1}']],
  ['{"a":.5}', ['json.a=.5}']],
  ['{"a":1.}', ['json.a=1.}']],
  ['{"a":NaN}', ['json.a=NaN}']],
  ['{"a":True}', ['json.a=True}']],
  ['{"a":1 /* c */}', ['json.a=1', 'json.a=/* c */}']],
  ['{"a":"x\ny"}', ['json.a=x\ny']],
  ['{"a":"\\x41\\u00g0"}', ['json.a=\\x41\\u00g0']],
  ['{"a":"\xff"}', ['json.a=\xff']],
  ['a=1&b=2', ['json=a=1&b=2']],
  ['[1}', ['json.0=1', 'json.0=}']],
  ['{"a"', ['json.a=']],
  ['\0', ['json=\0']],
];

t.test('what is not JSON is an error, and what is left is seen as it is', async (t) => {
  for (const [body, expected] of unreadable) {
    const contents = process('JSON', body);
    t.match(contents.error, /^JSON parsing error: ./, JSON.stringify(body));
    t.same(pairs(contents.args), expected, JSON.stringify(body));
  }
  t.equal(unreadable.length, 24);
});

t.test('UTF-16 and UTF-32 are read as the libraries of origins read them', async (t) => {
  const text = '{"a":"é<script>"}';
  const expected = [bytesOf('json.a=é<script>')];
  const little = Buffer.from(text, 'utf16le');
  const big = Buffer.from(little).swap16();
  const wide = Buffer.concat(Array.from(text, (character) => Buffer.from([character.charCodeAt(0), 0, 0, 0])));
  const wideBig = Buffer.from(wide).swap32();
  const marked = (mark: string, bytes: Buffer): Buffer => Buffer.concat([Buffer.from(mark, 'latin1'), bytes]);
  const bodies = [
    little,
    big,
    wide,
    wideBig,
    marked('\xff\xfe', little),
    marked('\xfe\xff', big),
    marked('\xff\xfe\0\0', wide),
    marked('\0\0\xfe\xff', wideBig),
  ];
  for (const body of bodies) {
    const contents = process('JSON', body.toString('latin1'));
    t.same(pairs(contents.args), expected);
    t.equal(contents.error, '');
  }
});

t.test('nesting deeper than the limit is an error', async (t) => {
  const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
  t.equal(process('JSON', nested(limits.depth)).error, '');
  const deeper = process('JSON', nested(limits.depth + 1));
  t.match(deeper.error, /nesting is deeper than 100/);
  t.match(deeper.args.at(-1)?.value, /^\[1\]/);
});

t.test('values beyond the limit are dropped', async (t) => {
  const two = { limits: { ...limits, arguments: 2 } };
  t.equal(process('JSON', '{"a":1,"b":2}', two).argumentsDropped, false);
  const more = process('JSON', '{"a":1,"b":2,"c":3}', two);
  t.same(pairs(more.args), ['json.a=1', 'json.b=2']);
  t.equal(more.argumentsDropped, true);
});

t.test('long keys do not multiply in the names below them', async (t) => {
  const key = 'k'.repeat(5_000);
  const contents = process('JSON', `{"${key}":{"${key}":{"a":1,"b":[2]}}}`);
  t.same(
    contents.args.map(({ name, value }) => [name.length, name.slice(-12), value]),
    [
      [5_005, 'kkkkkkkkkkkk', ''],
      [5_005, 'kkkkkkkkkkkk', ''],
      [6, 'json.a', '1'],
      [8, 'json.b.0', '2'],
      [6, 'json.b', '1'],
    ],
  );
});

interface Sample {
  readonly source: string;
  readonly values: (name: string) => readonly NamedValue[];
}

const byte = fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code));
const letters = fc.oneof(byte, fc.constantFrom('é', '€', '😀', '\\', '"', '/')).map((text) => text);
const texts = fc.array(fc.tuple(letters, fc.nat(3)), { maxLength: 8 }).map((list) => ({
  source: `"${list.map(([letter, choice]) => spell(letter, choice)).join('')}"`,
  value: bytesOf(list.map(([letter]) => letter).join('')),
}));
const space = fc.constantFrom('', ' ', '\n', '\t\r');

/** A letter of a JSON string: as it is when it may be, or escaped. */
function spell(letter: string, choice: number): string {
  const plain = letter >= ' ' && letter !== '"' && letter !== '\\';
  if (choice > 0 && plain) return bytesOf(letter);
  if (choice > 0 && '"\\/'.includes(letter)) return `\\${letter}`;
  return Array.from({ length: letter.length }, (_, index) => {
    const hex = letter.charCodeAt(index).toString(16).padStart(4, '0');
    return `\\u${choice === 1 ? hex.toUpperCase() : hex}`;
  }).join('');
}

/** Documents with what they hold, so that the expected answer is known without reading. */
const { document } = fc.letrec<{ document: Sample; scalar: Sample; array: Sample; object: Sample }>((tie) => ({
  document: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('scalar'), tie('array'), tie('object')),
  scalar: fc.oneof(
    fc
      .constantFrom('0', '-1', '1.250', '1e9', '-0.0E-10', '98765432109876543210', 'true', 'false')
      .map((source): Sample => ({ source, values: (name) => [{ name, value: source }] })),
    fc.constant<Sample>({ source: 'null', values: (name) => [{ name, value: '' }] }),
    texts.map(({ source, value }): Sample => ({ source, values: (name) => [{ name, value }] })),
  ),
  array: fc.tuple(fc.array(tie('document'), { maxLength: 4 }), space).map(
    ([items, gap]): Sample => ({
      source: `[${gap}${items.map((item) => item.source + gap).join(`,${gap}`)}]`,
      values: (name) => [
        ...items.flatMap((item, index) => item.values(`${name}.${index}`)),
        ...(items.length > 0 ? [{ name, value: String(items.length) }] : []),
      ],
    }),
  ),
  object: fc.tuple(fc.array(fc.tuple(texts, tie('document')), { maxLength: 4 }), space).map(
    ([members, gap]): Sample => ({
      source: `{${gap}${members.map(([key, item]) => `${key.source}${gap}:${gap}${item.source}${gap}`).join(`,${gap}`)}}`,
      values: (name) => members.flatMap(([key, item]) => item.values(`${name}.${key.value}`)),
    }),
  ),
}));

t.test('every value of a document comes out under its path', async () => {
  fc.assert(
    fc.property(document, space, (sample, gap) => {
      const contents = process('JSON', gap + sample.source + gap);
      return contents.error === '' && JSON.stringify(contents.args) === JSON.stringify(sample.values('json'));
    }),
    { seed: 4_011, numRuns: 1_500 },
  );
});

t.test('a document that is cut anywhere keeps what came before, and the cut is no mistake', async () => {
  fc.assert(
    fc.property(document, (sample) => {
      const whole = process('JSON', sample.source);
      for (let cut = 0; cut < sample.source.length; cut += 1) {
        const { args, error } = process('JSON', sample.source.slice(0, cut), { truncated: true });
        if (error !== '' || !isBeginning(args, whole.args)) return false;
      }
      return true;
    }),
    { seed: 4_012, numRuns: 250 },
  );
});

t.test('exactly the texts that JSON.parse accepts are without error', async (t) => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '\\',
    'u0041',
    '1',
    '-',
    '.',
    'e',
    '0',
    ' ',
    '\n',
    'true',
    'null',
    "'",
    '\0',
    '"b":',
    '[1',
    '2]',
    '\t',
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 9 }), (pieces) => {
      const body = pieces.join('');
      // Zero bytes among the first four are the mark of UTF-16 and UTF-32.
      if (body.trim() === '' || body.slice(0, 4).includes('\0')) return true;
      const valid = parses(body);
      if (valid) accepted += 1;
      return (process('JSON', body).error === '') === valid;
    }),
    { seed: 4_013, numRuns: 30_000 },
  );
  t.ok(accepted > 300, `${accepted} documents were valid`);
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
