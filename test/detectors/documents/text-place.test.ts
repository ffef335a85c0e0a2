import t from 'tap';
import { isScalar, parseDocument, type Range, type YAMLMap } from 'yaml';
import { markAt, offsetInScalar } from '../../../detectors/documents/text-place.ts';

t.test('the mark stands under its column, also behind tabs and in long lines', async (t) => {
  t.equal(markAt('a: 1\n\tb: two\r\nc: 3', 9), ' |  b: two\n | ....^');
  const long = `filter: ${'x'.repeat(400)}HERE${'y'.repeat(400)}`;
  const [line = '', mark = ''] = markAt(long, long.indexOf('HERE')).split('\n');
  t.ok(line.length < 130 && line.startsWith(' | …') && line.endsWith('…'));
  t.equal(line.indexOf('HERE'), mark.indexOf('^'));
});

t.test('a place in a scalar of any style is found in the file', async (t) => {
  const cases: [yaml: string, wanted: string][] = [
    ['k: evt.Mta.x == 1', 'Mta'],
    ['k: "evt.Mta.x == 1"', 'Mta'],
    [`k: 'evt.Mta.x == ''a'' && Nobody'`, 'Nobody'],
    ['k: |\n    a &&\n      Nobody ||\n    b\n', 'Nobody'],
    ['k: >-\n  a\n  Nobody\n\n  b\n', 'Nobody'],
    ['k: a\n  && Nobody\n  && b', 'Nobody'],
    ['k: "a\n  && Nobody"', 'Nobody'],
  ];
  for (const [yaml, wanted] of cases) {
    const node = (parseDocument(yaml).contents as YAMLMap).get('k', true);
    if (!isScalar(node)) throw new Error('no scalar');
    const text = String(node.value);
    const found = offsetInScalar({ source: yaml, range: node.range as Range, text }, text.indexOf(wanted));
    t.equal(found, yaml.indexOf(wanted), yaml);
  }
  t.equal(cases.length, 7);
});

t.test('behind an escape the start of the scalar is shown', async (t) => {
  const yaml = 'k: "a\\u0062c Nobody"';
  const node = (parseDocument(yaml).contents as YAMLMap).get('k', true);
  if (!isScalar(node)) throw new Error('no scalar');
  const text = String(node.value);
  t.equal(offsetInScalar({ source: yaml, range: node.range as Range, text }, text.indexOf('Nobody')), 3);
});
