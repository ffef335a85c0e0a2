import t from 'tap';
import { readDirectives, splitArguments } from '../../../../detectors/waf/seclang/read-directives.ts';

function read(text: string): readonly (readonly [number, string, string])[] {
  return [...readDirectives(text)].map(({ line, name, rest }) => [line, name, rest]);
}

t.test('lines are stripped, and blank and comment lines dropped', async (t) => {
  t.same(read('\n# one\n   # two\n\n  SecMarker a\t\r\nSecMarker\tb'), [
    [5, 'SecMarker', 'a'],
    [6, 'SecMarker', 'b'],
  ]);
});

t.test('a backslash at the end joins the next line with nothing between', async (t) => {
  t.same(read('SecAction "id:1,\\\n    phase:1,\\\r\n  pass"\nSecMarker a'), [
    [1, 'SecAction', '"id:1,phase:1,pass"'],
    [4, 'SecMarker', 'a'],
  ]);
});

t.test('blanks before the backslash are kept, those before the next line are not', async (t) => {
  t.same(read('SecAction "id:1,msg:\'one \\\n  two\'"'), [[1, 'SecAction', '"id:1,msg:\'one two\'"']]);
});

t.test('comments and blank lines may stand between the lines of a directive', async (t) => {
  t.same(read('SecAction \\\n# a comment\\\n\n  "id:1"'), [[1, 'SecAction', '"id:1"']]);
});

t.test('a continuation at the end of the text ends with it', async (t) => {
  t.same(read('SecMarker a\\\n'), [[1, 'SecMarker', 'a']]);
  t.same(read('SecMarker a\\'), [[1, 'SecMarker', 'a']]);
  t.same(read('\\\n \\\n'), []);
});

t.test('a byte order mark is no part of the first directive', async (t) => {
  t.same(read('\xef\xbb\xbfSecMarker a'), [[1, 'SecMarker', 'a']]);
});

t.test('bytes that are blanks to JavaScript only are kept', async (t) => {
  // 0xA0 ends the UTF-8 sequence of "à", and 0x85 that of many others.
  t.same(read('SecMarker \xc3\xa0'), [[1, 'SecMarker', '\xc3\xa0']]);
  t.same(read('SecMarker a\xa0b\x85'), [[1, 'SecMarker', 'a\xa0b\x85']]);
});

t.test('a block in backticks is one argument list', async (t) => {
  t.same(read('SecDataset names `\none\n# two\n`\nSecMarker a'), [
    [1, 'SecDataset', 'names `\none\n# two\n`'],
    [5, 'SecMarker', 'a'],
  ]);
});

const argumentCases: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['one', ['one']],
  ['one  two\tthree', ['one', 'two', 'three']],
  ['"one two" three', ['one two', 'three']],
  ["'one two' three", ['one two', 'three']],
  ['""', ['']],
  ['"say \\"yes\\""', ['say "yes"']],
  ["'it\\'s'", ["it's"]],
  ['"it\'s"', ["it's"]],
  // Other backslashes belong to a regular expression.
  ['"a\\.b\\\\"', ['a\\.b\\\\']],
  ['"a\\\\\\"b" c', ['a\\\\"b', 'c']],
  ['ARGS:/a"b/ "c"', ['ARGS:/a"b/', 'c']],
  ["ARGS:/it's/ x", ["ARGS:/it's/", 'x']],
  ['930120 !ARGS_NAMES:json.profile', ['930120', '!ARGS_NAMES:json.profile']],
];

t.test('arguments are split at blanks outside of quotes', async (t) => {
  t.equal(argumentCases.length, 14);
  for (const [text, values] of argumentCases) {
    t.same(splitArguments(text), { kind: 'arguments', values }, JSON.stringify(text));
  }
});

t.test('quotes that do not close, and text behind those that do, are faults', async (t) => {
  for (const text of ['"one', '"one\\"', "'one", '"a"b', 'a "b" "c']) {
    t.equal(splitArguments(text).kind, 'fault', text);
  }
});
