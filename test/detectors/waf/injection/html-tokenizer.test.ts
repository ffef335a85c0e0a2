import t from 'tap';
import { type HtmlContext, HtmlTokenizer } from '../../../../detectors/waf/injection/html-tokenizer.ts';
import { suitePath } from '../../../support/suites.ts';
import { readInjectionCases, trimLines } from './injection-cases.ts';

function render(text: string, context: HtmlContext = 'data'): string {
  const tokenizer = new HtmlTokenizer(text, context);
  const lines: string[] = [];
  for (let token = tokenizer.next(); token !== null; token = tokenizer.next()) {
    lines.push(`${token.type},${token.value.length},${token.value}`);
  }
  return trimLines(lines.join('\n'));
}

t.test('values are cut into the HTML tokens of the suite', async (t) => {
  const folder = suitePath(t, 'injection-samples/cases');
  if (folder === null) return;
  const cases = readInjectionCases(folder, 'test-html5-');
  t.equal(cases.length, 63);
  for (const { file, input, expected } of cases) t.equal(render(input), expected, file);
});

t.test('a value is read as the rest of an attribute in each way of writing one', async (t) => {
  t.equal(render('x onload=1', 'unquoted'), 'ATTR_VALUE,1,x\nATTR_NAME,6,onload\nATTR_VALUE,1,1');
  t.equal(
    render(`a b' c="d">e`, "'"),
    'ATTR_VALUE,3,a b\nATTR_NAME,1,c\nATTR_VALUE,1,d\nTAG_NAME_CLOSE,1,>\nDATA_TEXT,1,e',
  );
  t.equal(render('a" b', '"'), 'ATTR_VALUE,1,a\nATTR_NAME,1,b');
  t.equal(render('a`/>', '`'), 'ATTR_VALUE,1,a\nTAG_NAME_SELFCLOSE,2,/>');
  t.equal(render('onload = 1', 'tag'), 'ATTR_NAME,6,onload\nATTR_VALUE,1,1');
});

t.test('a comment ends where browsers end it', async (t) => {
  t.equal(render('<!--a--!>b'), 'TAG_COMMENT,1,a\nDATA_TEXT,1,b');
  t.equal(render('<!--a--\0>b'), 'TAG_COMMENT,1,a\nDATA_TEXT,1,b');
  t.equal(render('</>a'), 'DATA_TEXT,1,a');
});
