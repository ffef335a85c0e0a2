import t from 'tap';
import { expandTemplate } from '../../../../detectors/waf/ftw/expand-template.ts';

t.test('templates of test data', async (t) => {
  const cases: readonly (readonly [template: string, text: string])[] = [
    ['a={{ "1" | repeat 5 }}&b', 'a=11111&b'],
    ['{{ repeat 2 `x"` }}', 'x"x"'],
    ['{{"ab"|upper|repeat 2}}', 'ABAB'],
    ['{{ "a\\n" | repeat 2 | b64enc }}', 'YQphCg=='],
    ['{{ "a b" | replace " " "$&" }}', 'a$&b'],
    ['x {{- "a" -}} y', 'xay'],
    ['a{{/* said in passing */}}b', 'ab'],
    ['{{ 7 }}', '7'],
    ['no template', 'no template'],
  ];
  for (const [template, text] of cases) t.equal(expandTemplate(template), text, template);
  t.equal(cases.length, 9);
});

t.test('an attack on template engines stays what it is, the templates beside it too', async (t) => {
  const attacks = [
    '{{7*7}}',
    '{{ config.items() }}',
    '{{ "a" | nothing }}',
    '{{ "a" "b" }}',
    '{{',
    '}}{{',
    '{{}}',
    '{{ "a" | repeat -1 }}',
    '{{ "abc" | repeat 999999999 }}',
    '{{ | repeat 2 }}',
    '{{ "a" | }}',
    '{{ "a" | repeat 2 }} and {{7*7}}',
    '{{ constructor }}',
    '{{ "\\x41" }}',
  ];
  for (const attack of attacks) t.equal(expandTemplate(attack), attack);
  t.equal(attacks.length, 14);
});
