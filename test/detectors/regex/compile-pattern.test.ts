/** The notation, piece by piece: what matches, what the groups are, and what is refused with which reason. */
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import type { PatternOptions } from '../../../detectors/regex/syntax.ts';

type Expected = readonly (string | undefined)[] | null;

/** Pattern, text, and the match with its groups (null for none). Expected values are those of Go's `regexp`. */
const matching: readonly (readonly [string, string, Expected])[] = [
  ['a.c', 'a\nc', null],
  ['a.c', 'a\rc', ['a\rc']],
  ['a.c', 'a\u2028c', ['a\u2028c']],
  ['(?s)a.c', 'a\nc', ['a\nc']],
  ['a$', 'a\n', null],
  ['(?m)a$', 'a\nb', ['a']],
  ['(?m)a$', 'a\rb', null],
  ['(?m)^b', 'a\rb', null],
  ['(?m)^b', 'a\nb', ['b']],
  ['(?m)\\Ab', 'a\nb', null],
  ['(?m)a\\z', 'a\nb', null],
  ['a(?i)b|c', 'C', ['C']],
  ['(a(?i)b)c', 'aBc', ['aBc', 'aB']],
  ['(a(?i)b)c', 'aBC', null],
  ['(?i:a)b', 'Ab', ['Ab']],
  ['(?i:a)b', 'AB', null],
  ['(?i)a(?-i)b', 'AB', null],
  ['(?is-m)a.^', 'a\n', null],
  ['(?i)k', '\u212a', ['\u212a']],
  ['(?i)S', 'ſ', ['ſ']],
  ['(?i)É', 'é', ['é']],
  ['(?i)ω', 'Ω', ['Ω']],
  ['(?i)[^k]', 'K', null],
  ['(?i)\\W', '\u212a', null],
  ['(?i)[à-ï]+', 'ÀÏ', ['ÀÏ']],
  ['(?i)ß', 'ẞ', ['ẞ']],
  ['(?i)ı', 'I', null],
  ['(?U)a+', 'aaa', ['a']],
  ['(?U)a+?', 'aaa', ['aaa']],
  ['(?P<year>\\d+)-(?<day>\\d+)', '2024-12', ['2024-12', '2024', '12']],
  ['[[:alpha:]]+', '12ab', ['ab']],
  ['[[:^alpha:]]+', '12ab', ['12']],
  ['[[:word:]-]+', '+a-_9', ['a-_9']],
  ['[^[:space:]]+', ' \v\fa', ['a']],
  ['[]x]+', 'a]x', [']x']],
  ['[^]x]+', ']xa', ['a']],
  ['[a-]+', 'b-a', ['-a']],
  ['[-a]+', 'b-a', ['-a']],
  ['[\\d-z]+', 'y1-z', ['1-z']],
  ['[[:]+', ':[', [':[']],
  ['[a^]+', '^a', ['^a']],
  ['[\\]\\\\]+', '\\]', ['\\]']],
  ['[^\\n]', '\n', null],
  ['[\\w.]+', '-a.b', ['a.b']],
  ['[^\\W_]+', '_a1_', ['a1']],
  ['\\s+', '\v\u00a0\f ', ['\f ']],
  ['\\S', '\v', ['\v']],
  ['\\v', '\v', ['\v']],
  ['\\a\\f\\t', '\x07\f\t', ['\x07\f\t']],
  ['\\Qa.b*\\E+', 'a.b**', ['a.b**']],
  ['\\Qa.b', 'a.b', ['a.b']],
  ['\\Q\\\\E', '\\', ['\\']],
  ['\\x41\\x{42}\\x{000043}', 'ABC', ['ABC']],
  ['\\x{1F600}', '😀', ['😀']],
  ['\\101\\060\\0', 'A0\0', ['A0\0']],
  ['[\\101-\\103]+', 'ABCD', ['ABC']],
  ['\\pL+', '1éa', ['éa']],
  ['\\p{Greek}+', 'aαβ', ['αβ']],
  ['\\p{^Greek}+', 'αab', ['ab']],
  ['\\PL+', 'a12', ['12']],
  ['[\\p{Lu}\\d]+', 'aÉ1', ['É1']],
  ['\\-\\_\\!\\/\\"', '-_!/"', ['-_!/"']],
  ['^.$', '😀', ['😀']],
  ['^..$', '😀', null],
  ['^[^a]$', '😀', ['😀']],
  ['^.{2}$', '😀😀', ['😀😀']],
  ['^[😀-😂]+$', '😀😁😂', ['😀😁😂']],
  ['(.*)(.)$', 'a😀', ['a😀', 'a', '😀']],
  ['\\B', '😀', ['']],
  ['{', '{', ['{']],
  ['a{,2}', 'a{,2}', ['a{,2}']],
  ['a{01}', 'a{01}', ['a{01}']],
  ['a{1', 'a{1', ['a{1']],
  ['x{2,3}', 'xxxx', ['xxx']],
  ['x{2,3}?', 'xxxx', ['xx']],
  ['x{2,}', 'xxxx', ['xxxx']],
  ['x{0}y', 'xy', ['y']],
  ['(x){0}y', 'xy', ['y', undefined]],
  ['^x{1,64}$', 'x'.repeat(64), ['x'.repeat(64)]],
  ['^x{1,64}$', 'x'.repeat(65), null],
  ['^(?:ab|c){20,40}$', 'abc'.repeat(20), ['abc'.repeat(20)]],
  ['^(x{1,30}){1,30}$', 'x'.repeat(31), ['x'.repeat(31), 'x']],
  ['a*(?i)*', 'aaA', ['aa']],
  ['(?:)|a', 'a', ['']],
  ['(|a)*', 'aa', ['', '']],
  ['(|a)+', 'aa', ['', '']],
  ['(a*)*', 'b', ['', '']],
  ['(a*)+', 'aab', ['aa', 'aa']],
  ['(?:(a)|b)*', 'ab', ['ab', 'a']],
  ['(a|ab)(c|bcd)(d*)', 'abcd', ['abcd', 'a', 'bcd', '']],
  ['(?:(\\d)|(\\w))+', 'a1b', ['a1b', '1', 'b']],
  ['^*a', 'a', ['a']],
  ['\\b+a', 'a', ['a']],
  ['(?:\\b){17}a', 'a', ['a']],
  ['()()', '', ['', '', '']],
  ['', 'abc', ['']],
];

t.test('matches and groups', async (t) => {
  for (const [source, text, expected] of matching) {
    const pattern = compilePattern(source);
    const match = pattern.exec(text);
    t.same(
      match && [...match],
      expected && [...expected],
      `/${source.replaceAll(/[^ -~]/g, '?')}/ on ${JSON.stringify(text).replaceAll(/[^ -~]/g, '?')}`,
    );
    t.equal(pattern.test(text), expected !== null);
    t.equal(pattern.regexp.flags, '');
  }
  t.equal(matching.length, 96, 'cases');
});

/** Pattern and a part of the message. */
const refused: readonly (readonly [string, string])[] = [
  ['a(?=b)', 'position 1: look-around'],
  ['(?!b)', 'position 0: look-around'],
  ['(?<=b)', 'position 0: look-around'],
  ['(?<!b)', 'position 0: look-around'],
  ['(?>a)', 'position 0: an atomic group'],
  ['(a)\\1', 'position 3: a back-reference'],
  ['\\k<a>', 'position 0: a back-reference'],
  ['a++', 'position 2: a repeat of a repeat'],
  ['a**', 'position 2: a repeat of a repeat'],
  ['a{2}{3}', 'position 4: a repeat of a repeat'],
  ['a*??', 'position 3: a repeat of a repeat'],
  ['*a', 'position 0: there is nothing to repeat'],
  ['(+)', 'position 1: there is nothing to repeat'],
  ['a|?', 'position 2: there is nothing to repeat'],
  ['(?i)*', 'position 4: there is nothing to repeat'],
  ['{2}', 'position 0: there is nothing to repeat'],
  ['(a', 'position 0: the group is not closed'],
  ['a)', 'position 1: unmatched )'],
  ['[a', 'position 0: the class is not closed'],
  ['[]', 'position 0: the class is not closed'],
  ['[a-', 'position 0: the class is not closed'],
  ['[z-a]', 'position 1: the range runs backwards'],
  ['[a-\\d]', 'position 3: the escape \\\\d'],
  ['[\\b]', 'position 1: the escape \\\\b'],
  ['[[:foo:]]', 'position 1: this POSIX class'],
  ['\\p{Klingon}', 'position 0: this Unicode class'],
  ['\\pZZ\\p', 'position 4: this Unicode class'],
  ['\\C', 'position 0: \\\\C'],
  ['\\8', 'position 0: a back-reference'],
  ['\\y', 'position 0: the escape \\\\y'],
  ['\\Z', 'position 0: the escape \\\\Z'],
  ['\\é', 'position 0: the escape \\\\é'],
  ['\\x{110000}', 'position 0: no character is that large'],
  ['\\xg1', 'position 0: the escape \\\\x'],
  ['a\\', 'position 1: it ends in a backslash'],
  ['(?P<>a)', 'position 0: the name of the group'],
  ['(?P<a b>a)', 'position 0: the name of the group'],
  ['(?x)a', 'position 0: this kind of group'],
  ['(?i', 'position 0: this kind of group'],
  ['(?i-)a', 'position 0: this kind of group'],
  ['(?#c)', 'position 0: this kind of group'],
  ['a{1001}', 'position 1: a count is above 1000'],
  ['a{99999999999999999999}', 'position 1: a count is above 1000'],
  ['a{2,1001}', 'position 1: a count is above 1000'],
  ['a{3,2}', 'position 1: the lower count'],
  ['(?:a{100}){100}', 'nested counts multiply above 1000'],
  ['(?:[ab]c|d{1,900}e){1000}', 'nested counts multiply above 1000'],
  [`${'(?:[^ab]cdefg|h)?'.repeat(7_000)}{3}`, 'refused'],
  [`${'('.repeat(300)}a${')'.repeat(300)}`, 'groups are nested deeper than 200'],
  ['(?:a|bc){0,1000}', 'too large once its counted repeats are unrolled'],
  ['\ud800', 'half of a surrogate pair'],
  ['a'.repeat(200_000), 'longer than 131072'],
];

t.test('what is not RE2, or too large, is refused with place and reason', async (t) => {
  for (const [source, reason] of refused) {
    try {
      compilePattern(source);
      t.fail(`/${source.slice(0, 80)}/ was accepted`);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      t.equal(error.code, 'PATTERN_INVALID');
      t.ok(error.remedy);
      t.ok(
        error.message.includes(reason.replaceAll('\\\\', '\\')),
        `/${source.slice(0, 40)}/: ${error.message.slice(-120)}`,
      );
      t.ok(error.message.length < 600, 'a long pattern is not repeated in full');
    }
  }
  t.equal(refused.length, 52, 'cases');
});

t.test('the options are the flags', async (t) => {
  const cases: readonly (readonly [string, PatternOptions, string, boolean])[] = [
    ['a.b', { dotAll: true }, 'a\nb', true],
    ['ab', { caseInsensitive: true }, 'AB', true],
    ['(?-i)ab', { caseInsensitive: true }, 'AB', false],
    ['^b', { multiline: true }, 'a\nb', true],
    ['(?-m)^b', { multiline: true }, 'a\nb', false],
    ['(?-s)a.b', { dotAll: true }, 'a\nb', false],
  ];
  for (const [source, options, text, expected] of cases) {
    t.equal(compilePattern(source, options).test(text), expected, `/${source}/ ${JSON.stringify(options)}`);
  }
});

t.test('bytes: one byte per character', async (t) => {
  const bytes = { subject: 'bytes', dotAll: true } as const;
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['^\\s$', '\v', true],
    ['^\\S$', '\v', false],
    ['\\s', '\xa0', false],
    ['^\\x{e2}\\x80\\x98$', '\xe2\x80\x98', true],
    ['^‘$', '\xe2\x80\x98', true],
    ['^(?:‘)+$', '\xe2\x80\x98\xe2\x80\x98', true],
    ['^‘{2}$', '\xe2\x80\x98\xe2\x80\x98', true],
    ['(?i)\xe9', '\xc3\xa9', true],
    ['(?i)\\xe9', '\xc9', false],
    ['(?i)k', '\u212a', false],
    ['^.$', '\xff', true],
    ['^[^a]$', '\xff', true],
    ['[\\x80-\\xff]', '\x7f', false],
    ['^\\W$', '\xe9', true],
  ];
  for (const [source, text, expected] of cases) {
    t.equal(compilePattern(source, bytes).test(text), expected, `/${source}/ on ${JSON.stringify(text)}`);
  }
  t.throws(() => compilePattern('[é]', bytes), /holds a character of several bytes/);
  t.throws(() => compilePattern('\\x{100}', bytes), /no byte is that large/);
  t.throws(() => compilePattern('\\400', bytes), /no byte is that large/);
  t.throws(() => compilePattern('\\pL', bytes), /no meaning in a pattern about bytes/);
});

t.test('groups are numbered by what is kept, and names may repeat', async (t) => {
  const source = '(a)(?P<x>b)(?:c)(?<x>d)';
  t.same(compilePattern(source).groupNames, [null, null, 'x', 'x']);
  t.same(compilePattern(source, { groups: 'named' }).groupNames, [null, 'x', 'x']);
  t.same(compilePattern(source, { groups: 'none' }).groupNames, [null]);
  const match = compilePattern(source, { groups: 'named' }).exec('xabcd');
  t.same([...(match ?? [])], ['abcd', 'b', 'd']);
  t.equal(match?.index, 1);
  t.equal(match?.input, 'xabcd');
  const replayed = compilePattern('(?:(?P<n>a)|b)+').exec('xab');
  t.same([...(replayed ?? [])], ['ab', 'a']);
  t.equal(replayed?.index, 1);
  t.equal(replayed?.input, 'xab');
});

t.test('a loop over everything at the start is anchored', async (t) => {
  t.equal(compilePattern('(?s).*a').regexp.source, '^[^]*a');
  t.equal(compilePattern('(?s)(?:.*a|.+?b)', { subject: 'bytes' }).regexp.source, '^[^]*a|^[^]+?b');
  t.equal(compilePattern('.*a').regexp.source, '(?m:^)[^\\x0a]*a');
  t.equal(compilePattern('[^x]*a', { subject: 'bytes' }).regexp.source, '[^x]*a');
});
