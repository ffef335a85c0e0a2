/** What every transformation promises, held against texts that look like attacks and against noise. */
import fc from 'fast-check';
import t from 'tap';
import { findTransformation, transformations } from '../../../../detectors/waf/transformations/find-transformation.ts';
import type { Transformation } from '../../../../detectors/waf/transformations/transformation.ts';
import { hostileText } from './hostile-text.ts';

const all = [...new Set(transformations.values())];
const runs = { seed: 20_260_104, numRuns: 600 };

/** How long a result can be, in characters for each character of the value, and what comes on top. */
const growth: Readonly<Record<string, readonly [factor: number, extra: number]>> = {
  base64Encode: [4 / 3, 4],
  hexEncode: [2, 0],
  // &Gg; (four characters) becomes three bytes; two code points of up to four bytes are the longest that names stand for.
  htmlEntityDecode: [1.5, 0],
  length: [1, 16],
  md5: [0, 16],
  sha1: [0, 20],
  // A comment that ends the value leaves a NUL, one that does not end a blank.
  removeComments: [1, 0],
  urlEncode: [3, 0],
  // A character of two bytes becomes six.
  utf8toUnicode: [3, 0],
  // \HHHH: five characters become three bytes.
  cssDecode: [1.5, 0],
};

t.test('every transformation of the engines is there, under every spelling', async (t) => {
  t.equal(all.length, 35);
  t.equal(transformations.size, 37);
  t.equal(findTransformation('normalisePathWin'), findTransformation('NORMALIZEPATHWIN'));
  t.equal(findTransformation('none'), null);
  t.equal(findTransformation('sha256'), null);
});

t.test('a text without the characters that it looks for is the text itself', async (t) => {
  const selective = all.filter((transformation) => transformation.changes !== null);
  t.equal(selective.length, 26);
  for (const transformation of selective) {
    holds(t, transformation, (value) => {
      const harmless = withoutChanging(value, transformation.changes ?? []);
      return transformation.apply(harmless) === harmless;
    });
  }
});

t.test('results are bytes, no longer than they can be, and the same again', async (t) => {
  for (const transformation of all) {
    const [factor, extra] = growth[transformation.name] ?? [1, 0];
    holds(t, transformation, (value) => {
      const result = transformation.apply(value);
      return (
        result.length <= value.length * factor + extra &&
        /^[\0-\xff]*$/.test(result) &&
        transformation.apply(value) === result
      );
    });
  }
});

t.test('what is once normal stays as it is', async (t) => {
  const idempotent = [
    'cmdLine',
    'compressWhitespace',
    'lowercase',
    'normalizePath',
    'normalizePathWin',
    'parityEven7bit',
    'parityOdd7bit',
    'parityZero7bit',
    'removeNulls',
    'replaceComments',
    'replaceNulls',
    'trim',
    'trimLeft',
    'trimRight',
    'uppercase',
  ];
  for (const name of idempotent) {
    const transformation = findTransformation(name);
    if (transformation === null) throw new Error(`no ${name}`);
    holds(t, transformation, (value) => {
      const once = transformation.apply(value);
      return transformation.apply(once) === once;
    });
  }
});

t.test('what one encodes the other decodes', async (t) => {
  const pairs = [
    ['urlEncode', 'urlDecode'],
    ['urlEncode', 'urlDecodeUni'],
    ['hexEncode', 'hexDecode'],
    ['base64Encode', 'base64Decode'],
    ['base64Encode', 'base64DecodeExt'],
  ] as const;
  for (const [encode, decode] of pairs) {
    const [encoder, decoder] = [findTransformation(encode), findTransformation(decode)];
    if (encoder === null || decoder === null) throw new Error(`no ${encode} or ${decode}`);
    holds(t, decoder, (value) => decoder.apply(encoder.apply(value)) === value);
  }
});

t.test('path normalisation agrees with the resolution of absolute URLs', async (t) => {
  const transformation = findTransformation('normalizePath');
  if (transformation === null) throw new Error('no normalizePath');
  const path = fc
    .array(fc.constantFrom('a', 'b.c', '.', '..', '...'), { minLength: 1, maxLength: 9 })
    .map((s) => `/${s.join('/')}`);
  fc.assert(
    fc.property(path, (value) => {
      const resolved = new URL(`http://h${value}`).pathname;
      // A URL keeps the slash that a last dot segment leaves behind; the engines do not.
      const expected = /\/\.\.?$/.test(value) && resolved !== '/' ? resolved.slice(0, -1) : resolved;
      return transformation.apply(value) === expected;
    }),
    runs,
  );
  t.pass('agrees');
});

t.test('long hostile values take as many steps as they have characters', async (t) => {
  // Quadratic work on so much would take minutes; the run as a whole has a limit of time.
  const size = 300_000;
  const patterns = [
    '%',
    '%u',
    '\\',
    '\\u',
    '&',
    '&#',
    '&#x0',
    '&a',
    '/*',
    '/*/',
    '--',
    '<!-',
    ' ',
    ' \xc2',
    '\xc2',
    '../',
    './',
    '//',
    '0x',
    '="',
  ];
  for (const pattern of patterns) {
    const value = pattern.repeat(size / pattern.length);
    for (const transformation of all) {
      if (transformation.apply(value).length > 3 * size) t.fail(`${transformation.name} of ${pattern} repeated`);
    }
  }
  t.equal(patterns.length * all.length, 700);
});

interface Asserting {
  pass(message: string): unknown;
}

function holds(t: Asserting, transformation: Transformation, property: (value: string) => boolean): void {
  fc.assert(fc.property(hostileText, property), runs);
  t.pass(transformation.name);
}

function withoutChanging(value: string, changes: readonly (readonly [number, number])[]): string {
  let kept = '';
  for (const character of value) {
    const code = character.charCodeAt(0);
    if (!changes.some(([low, high]) => code >= low && code <= high)) kept += character;
  }
  return kept;
}
