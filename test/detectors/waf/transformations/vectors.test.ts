/**
 * Every case that Coraza and ModSecurity hold their transformations to. Where a case is not met, or none says what holds, the
 * decision and its reason are here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { findTransformation } from '../../../../detectors/waf/transformations/find-transformation.ts';
import { suitePath } from '../../../support/suites.ts';

interface Vector {
  readonly input: string;
  readonly output: string;
}

/** Cases whose expected value is not ours: file, input, ours, reason. */
const decided: readonly (readonly [file: string, input: string, ours: string, reason: string])[] = [
  [
    'escapeSeqDecode',
    String.raw`\8\9\666\xag\xga\0123`,
    '89\xb6xagxga\n3',
    'Both engines drop the backslash of what is no escape. The case keeps it, but is not in force: `\\xag` cannot be unquoted.',
  ],
  [
    'hexDecode',
    '01234567890z',
    '01234567890z',
    'The case expects nothing together with an error; on an error Coraza goes on with the value as it was. So do we: a value ' +
      'that is not hexadecimal must not vanish from inspection. ModSecurity decodes such pairs to arbitrary bytes.',
  ],
  ['hexDecode', '54657374004', '54657374004', 'As above: an odd number of digits.'],
];

/** A JSON text as bytes: it stands for UTF-8, NULs are written `\u0000` with a backslash of its own, and bytes often `\xHH`. */
function toBytes(text: string, unquoteBytes: boolean): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1').replaceAll('\\u0000', '\0');
  if (!unquoteBytes) return bytes;
  return bytes.replaceAll(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** These read backslashes themselves: their input means what it says. */
const readsBackslashes = new Set(['escapeSeqDecode', 'jsDecode', 'cssDecode']);

t.test('the cases of the reference engines hold, but for those decided otherwise', async (t) => {
  const folder = suitePath(t, 'seclang-vectors/transformations');
  if (folder === null) return;
  let cases = 0;
  const deviations = new Set<string>();
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  for (const file of files) {
    const name = basename(file, '.json');
    const transformation = findTransformation(name);
    if (transformation === null) {
      t.fail(`no transformation ${name}`);
      continue;
    }
    const vectors = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Vector[];
    for (const vector of vectors) {
      cases += 1;
      const deviation = decided.find(([inFile, input]) => inFile === name && input === vector.input);
      if (deviation !== undefined) deviations.add(deviation[1]);
      const input = toBytes(vector.input, !readsBackslashes.has(name));
      const expected = deviation?.[2] ?? toBytes(vector.output, true);
      const actual = transformation.apply(input);
      if (actual !== expected) t.equal(actual, expected, `${name} of ${JSON.stringify(vector.input)}`);
    }
  }
  t.equal(files.length, 35, 'files');
  t.equal(cases, 358, 'cases');
  t.equal(deviations.size, decided.length, 'every decision names a case that exists');
});

/** Where the engines differ and no case decides: transformation, input, ours, whose and why. */
const differences: readonly (readonly [name: string, input: string, ours: string, reason: string])[] = [
  ['cssDecode', String.raw`\6565`, '\xe6\x95\xa5', 'Coraza, browsers: one character. ModSecurity keeps two digits: e.'],
  ['cssDecode', String.raw`\000000`, '\0', 'Both: a NUL, which rules remove afterwards. CSS itself says U+FFFD.'],
  ['htmlEntityDecode', '&lpar;&colon;&Tab;', '(:\t', 'Coraza, browsers: all names of HTML. ModSecurity knows five.'],
  ['htmlEntityDecode', '&nbsp;&#160;', '\xc2\xa0\xc2\xa0', 'Coraza: UTF-8. ModSecurity: the byte A0.'],
  ['htmlEntityDecode', 'a&#0;b', 'a\0b', 'ModSecurity: a NUL, which rules remove afterwards. Coraza: U+FFFD.'],
  ['htmlEntityDecode', '&#x13c;', '\xc4\xbc', 'Coraza, browsers. ModSecurity keeps the low byte: <.'],
  ['htmlEntityDecode', '&ltscript', '<script', 'Both: the old names need no semicolon.'],
  ['htmlEntityDecode', '&LTX', '<X', 'Coraza, browsers: LT is a name too. ModSecurity wants the whole name.'],
  ['utf8toUnicode', '\xc0\xbc', '%u003c', 'ModSecurity: over-long forms show what they hide. Coraza: U+FFFD.'],
  ['utf8toUnicode', '\xff\xe9', '\xff\xe9', 'ModSecurity: bytes that are no UTF-8 stay. Coraza: U+FFFD.'],
  ['utf8toUnicode', '\xf0\x9f\x98\x80', '%u1f600', 'Both: five digits where it takes them.'],
  ['removeWhitespace', 'a\xa0b\x85', 'ab\x85', 'ModSecurity: A0 is blank, 85 is not. Coraza: both are.'],
  ['removeWhitespace', 'a\xc2\xa0b', 'ab', 'Both leave the first byte of the character behind.'],
  ['compressWhitespace', 'a \xa0\tb', 'a b', 'ModSecurity: A0 is blank.'],
  ['removeComments', '/*a*//*b*/c', 'c', 'Both leave the second comment: a way round every rule that uses this.'],
  ['removeComments', 'a#b', 'a ', 'ModSecurity: a comment to the end leaves a blank.'],
  ['removeComments', 'a<!--b-->c--d', 'ac ', 'As above.'],
  ['base64Decode', 'YWI=YWI=', 'ab', 'Both: the padding ends it.'],
  ['base64Decode', 'YW\r\nI', 'ab', 'Coraza: line ends are passed over.'],
  ['base64DecodeExt', 'Y-W J=_j', 'abc', 'ModSecurity: whatever does not belong is passed over.'],
  ['jsDecode', String.raw`\uff1c\u013c`, '<<', 'Both: full-width forms fold, else the low byte.'],
  ['jsDecode', String.raw`\400`, ' 0', 'Both: octal up to 377.'],
  ['urlDecodeUni', '%u2019%U0027', "''", 'Both: best fit, and an upper-case U.'],
  ['urlDecodeUni', '%u0110%u0142%u01cd', 'DlA', 'Both: best fit beyond Latin-1.'],
];

t.test('where the engines differ, one way was chosen', async (t) => {
  t.equal(differences.length, 24);
  for (const [name, input, ours, reason] of differences) {
    t.equal(findTransformation(name)?.apply(input), ours, `${name} of ${JSON.stringify(input)}: ${reason}`);
  }
});
