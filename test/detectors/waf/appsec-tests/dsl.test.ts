import t from 'tap';
import { createDslFunctions } from '../../../../detectors/waf/appsec-tests/dsl-functions.ts';
import { evaluateDsl } from '../../../../detectors/waf/appsec-tests/dsl-evaluate.ts';
import { DslError, parseDsl } from '../../../../detectors/waf/appsec-tests/dsl-syntax.ts';
import type { DslValue } from '../../../../detectors/waf/appsec-tests/dsl-value.ts';
import { expandText } from '../../../../detectors/waf/appsec-tests/expand-text.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

const functions = createDslFunctions({
  clock: createManualClock(Date.parse('2026-03-04T05:06:07Z')),
  random: {
    uuid: () => '00000000-0000-4000-8000-000000000000',
    bytes: (length) => new Uint8Array(length),
    fraction: () => 0.5,
    requestId: () => '0',
  },
});
const names = new Map<string, DslValue>([
  ['status_code', 403],
  ['body', 'Hello World'],
  ['list', ['a', 'b']],
  ['interactsh-url', 'x.oast.example'],
  ['payload', '<a>'],
]);
const evaluate = (text: string): DslValue => evaluateDsl(parseDsl(text), { names, functions });

const expressions: readonly (readonly [text: string, value: DslValue])[] = [
  ['status_code == 403', true],
  ['status_code != 403 || status_code >= 400 && status_code < 500', true],
  ['!(status_code == 403)', false],
  ['1 + 2 * 3 - 4 / 2', 5],
  ['2 ** 3 % 5', 3],
  ['(1 + 2) * 3', 9],
  ['-2 + 3', 1],
  ['~0 & 5 | 2 ^ 3', 4],
  ['1 << 4 >> 2', 4],
  ["'a' + 'b' + 1", 'ab1'],
  ['"it\\"s\\n\\x41\\d"', 'it"s\nA\\d'],
  ["'a' < 'b'", true],
  ["body =~ '^Hel+o'", true],
  ["body !~ 'w.rld'", true],
  ["'b' in list", true],
  ["'c' in ('a', 'b')", false],
  ["status_code == 403 ? 'yes' : 'no'", 'yes'],
  ["missing ?? 'standard'", 'standard'],
  ['nil ?? 5', 5],
  ['true && false', false],
  ['[status_code] == 403', true],
  ['0x1f', 31],
  ['1.5e1', 15],
];

t.test('operators and values', async (t) => {
  for (const [text, value] of expressions) t.same(evaluate(text), value, text);
  t.equal(expressions.length, 23);
});

const calls: readonly (readonly [text: string, value: DslValue])[] = [
  ["base64('a\\xffb')", 'Yf9i'],
  ["base64_decode('Yf9i')", 'a\xffb'],
  ["base64_py('abc')", 'YWJj\n'],
  ["url_encode('a b/ü')", 'a+b%2F%FC'],
  ["url_decode('a+b%2f')", 'a b/'],
  ["hex_encode('az')", '617a'],
  ["hex_decode('617a')", 'az'],
  ["html_escape('<&\"')", '&lt;&amp;&#34;'],
  ["html_unescape('&lt;&#65;&#x42;&none;')", '<AB&none;'],
  ["to_lower('aBC') + tolower('X')", 'abcx'],
  ["to_upper('abc') + toupper('x')", 'ABCX'],
  ["to_title('ab cd')", 'Ab Cd'],
  ["trim('xxaxx', 'x')", 'a'],
  ["trim_left('xxa', 'x') + trim_right('axx', 'x')", 'aa'],
  ["trim_space('\\n a ')", 'a'],
  ["trim_prefix('abc', 'a') + trim_suffix('abc', 'c')", 'bcab'],
  ["replace('aXbX', 'X', '$&')", 'a$&b$&'],
  ["replace_regex('a1b22', '([0-9])+', '<$1>')", 'a<1>b<2>'],
  ["remove_bad_chars('a-b-c', '-')", 'abc'],
  ["reverse('abc')", 'cba'],
  ["repeat('ab', 3)", 'ababab'],
  ["padding('ab', '0', 4, 'prefix') + padding('ab', '0', 4, 'suffix')", '00abab00'],
  ["concat('a', 1, true)", 'a1true'],
  ["join('-', 'a', 'b') + join(',', list)", 'a-ba,b'],
  ["split('a,b,c', ',', 2)", ['a', 'b,c']],
  ["substr('abcdef', 1, 3) + substr('abc', 2)", 'bcc'],
  ["index('abc', 1) + index(list, 0)", 'ba'],
  ["len('abc') + len(list)", 5],
  ["sort('cab') + uniq('aab')", 'abcab'],
  ["md5('a')", '0cc175b9c0f1b6a831c399e269772661'],
  ["sha1('a')", '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'],
  ["sha256('a')", 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  ["hmac('sha1', 'data', 'key')", '104152c5bfdca07bc633eebd46199f0255c9f49d'],
  ["mmh3('hello') + ' ' + mmh3('')", '613153351 0'],
  ["gzip_decode(gzip('abc')) + zlib_decode(zlib('d')) + inflate(deflate('e'))", 'abcde'],
  ["contains(body, 'World') && !contains(body, 'world')", true],
  ["contains_all(body, 'H', 'W') && contains_any(body, 'x', 'W')", true],
  ["starts_with(body, 'x', 'Hell') && ends_with(body, 'rld')", true],
  ["line_starts_with('a\\nbc', 'b') && line_ends_with('a\\nbc', 'c')", true],
  ["equals_any('a', 'b', 'a')", true],
  ["regex('^H.*d$', body) && regex_any(body, 'x', 'W') && !regex_all(body, 'x', 'W')", true],
  ["compare_versions('v1.2.10', '>= 1.2.9', '<2')", true],
  ["to_number('5') + hex_to_dec('ff') + bin_to_dec('0b11') + oct_to_dec('17')", 278],
  ['dec_to_hex(255)', 'ff'],
  ["len(rand_base(6)) == 6 && len(rand_text_alpha(4)) == 4 && len(rand_char('ab')) == 1", true],
  ["rand_base(3, 'ab')", 'bbb'],
  ["rand_text_numeric(2, '5')", '44'],
  ['rand_int(10, 20)', 15],
  ["rand_ip('192.0.2.0/24')", '192.0.2.128'],
  ['unix_time(10)', 1_772_600_777],
  ["date_time('%Y-%m-%d %H:%M:%S')", '2026-03-04 05:06:07'],
  ["xor('ab', '\\x01\\x02')", '``'],
  ['json_minify(\'{ "a": [1, 2] }\')', '{"a":[1,2]}'],
  ["len(generate_java_gadget('dns', 'http://x', 'raw')) > 4", true],
];

t.test('functions', async (t) => {
  for (const [text, value] of calls) t.same(evaluate(text), value, text);
  t.equal(calls.length, 54);
});

const wrong = [
  '',
  '1 +',
  '(1',
  'nothing',
  'nothing()',
  "'abc",
  '1 2',
  'a b',
  '[1]',
  '}',
  "repeat('x', 99999999)",
  "'a' - 1",
];

t.test('what is no expression, or cannot be evaluated, raises', async (t) => {
  for (const text of wrong) t.throws(() => evaluate(text), DslError, text);
  t.throws(() => evaluate('('.repeat(10_000)), DslError);
  t.throws(() => evaluate(`${'!'.repeat(3_000)}true`), DslError);
});

const texts: readonly (readonly [text: string, expanded: string])[] = [
  ['a {{status_code}} b', 'a 403 b'],
  ['{{interactsh-url}}', 'x.oast.example'],
  ['{{ payload }}', '<a>'],
  ['§payload§', '<a>'],
  ['{{base64(payload)}}', 'PGE+'],
  ['{{base64("{{payload}}")}}', 'PGE+'],
  ["{{to_lower('A}}B')}}", 'a}}b'],
  ['{{unknown}} {{unknown()}}', '{{unknown}} {{unknown()}}'],
  ['{{7*7}} {{"a".b}}', '{{7*7}} {{"a".b}}'],
  ['{{var this.getTemplateFilter().filter(foobar)}}', '{{var this.getTemplateFilter().filter(foobar)}}'],
  ['\\}\\}\\{\\{async async=false\\}\\}', '\\}\\}\\{\\{async async=false\\}\\}'],
  ['{{{payload}}}', '{<a>}'],
  ['{{{base64(payload)}}}', '{PGE+}'],
  ['{{ {{payload}}', '{{ <a>'],
  ['{{base64(payload)', '{{base64(payload)'],
];

t.test('texts are expanded where there is something to expand, and stay as they are elsewhere', async (t) => {
  for (const [text, expanded] of texts) t.equal(expandText(text, { names, functions }), expanded, text);
  t.equal(texts.length, 15);
});

t.test('texts full of markers take linear time and end', async (t) => {
  const scope = { names: new Map<string, DslValue>([['a', '{{a}}']]), functions };
  t.equal(expandText('{{a}}', scope), '{{a}}');
  const many = '{{'.repeat(5_000) + '}}'.repeat(5_000);
  t.equal(expandText(many, scope).length, many.length);
});
