import t from 'tap';
import type { Selector, Target } from '../../../../detectors/waf/seclang/definition.ts';
import { parseTargets } from '../../../../detectors/waf/seclang/parse-targets.ts';
import type { VariableName } from '../../../../detectors/waf/variable-names.ts';

const all: Selector = { kind: 'all' };
const key = (written: string): Selector => ({ kind: 'key', key: written.toLowerCase(), written });
const pattern = (source: string): Selector => ({ kind: 'pattern', source });
const xpath = (path: string): Selector => ({ kind: 'xpath', path });
const target = (variable: VariableName, selector: Selector = all, count = false): Target => ({
  variable,
  selector,
  count,
});

function parse(text: string) {
  const reasons: string[] = [];
  const parsed = parseTargets(text, (_level, reason) => reasons.push(reason));
  return { parsed, reasons };
}

const cases: readonly (readonly [string, readonly Target[], (readonly Target[])?])[] = [
  ['ARGS', [target('ARGS')]],
  ['args|Request_Headers', [target('ARGS'), target('REQUEST_HEADERS')]],
  ['ARGS | ARGS_NAMES', [target('ARGS'), target('ARGS_NAMES')]],
  ['REQUEST_HEADERS:User-Agent', [target('REQUEST_HEADERS', key('User-Agent'))]],
  ['ARGS:ids[0][a b]', [target('ARGS', key('ids[0][a b]'))]],
  ['ARGS:', [target('ARGS')]],
  ['&ARGS', [target('ARGS', all, true)]],
  ['&REQUEST_HEADERS:Host', [target('REQUEST_HEADERS', key('Host'), true)]],
  ['ARGS|!ARGS:token', [target('ARGS')], [target('ARGS', key('token'))]],
  ['!REQUEST_COOKIES:/^_ga(?:_\\w+)?$/', [], [target('REQUEST_COOKIES', pattern('^_ga(?:_\\w+)?$'))]],
  ['TX:/^score_/', [target('TX', pattern('^score_'))]],
  ["ARGS:'/a|b/'|ARGS_NAMES", [target('ARGS', pattern('a|b')), target('ARGS_NAMES')]],
  ['ARGS:/a|b/|ARGS_NAMES', [target('ARGS', pattern('a|b')), target('ARGS_NAMES')]],
  ["ARGS:/it's/|ARGS_NAMES:/b's/", [target('ARGS', pattern("it's")), target('ARGS_NAMES', pattern("b's"))]],
  ['ARGS:/a\\/b/', [target('ARGS', pattern('a\\/b'))]],
  ['ARGS:/a/b/', [target('ARGS', pattern('a/b'))]],
  ['ARGS:/a\\/|b/', [target('ARGS', pattern('a\\/|b'))]],
  ["ARGS:'a|b'|ARGS_NAMES", [target('ARGS', key('a|b')), target('ARGS_NAMES')]],
  ['XML:/*|XML://@*', [target('XML', xpath('/*')), target('XML', xpath('//@*'))]],
  ['XML:/a/b/|ARGS', [target('XML', xpath('/a/b/')), target('ARGS')]],
  ["XML:'/*'", [target('XML', xpath('/*'))]],
  ['&XML:/*', [target('XML', xpath('/*'), true)]],
  ['REQUEST_XML:/*', [target('XML', xpath('/*'))]],
  // As ModSecurity 2 has it; a comma in a name stays one.
  ['!ARGS:a,!ARGS:b', [], [target('ARGS', key('a')), target('ARGS', key('b'))]],
  ['REQUEST_URI, REQUEST_BODY', [target('REQUEST_URI'), target('REQUEST_BODY')]],
  ['ARGS:a,b', [target('ARGS', key('a,b'))]],
  ['ARGS:a,ARGSX', [target('ARGS', key('a,ARGSX'))]],
  ['ARGS:/a,ARGS/,ARGS:b', [target('ARGS', pattern('a,ARGS')), target('ARGS', key('b'))]],
];

t.test('variables, selectors, counts and exclusions', async (t) => {
  t.equal(cases.length, 28);
  for (const [text, targets, excluded = []] of cases) {
    t.same(parse(text), { parsed: { targets, excluded }, reasons: [] }, text);
  }
});

t.test('keys are folded byte by byte', async (t) => {
  // 0xC3 is half of a UTF-8 sequence and no letter.
  t.same(parse('ARGS:\xc3\x89A').parsed?.targets[0]?.selector, { kind: 'key', key: '\xc3\x89a', written: '\xc3\x89A' });
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ['', /No variable is named/],
  ['|', /There is no variable/],
  ['ARG', /There is no variable "ARG"\. Did you mean ARGS\?/],
  ['REQUEST_HEADER:Host', /Did you mean REQUEST_HEADERS\?/],
  ['REQUEST_URI:x', /REQUEST_URI is a single value: it takes no selector/],
  ['ARGS:/a', /The selector of ARGS is not closed/],
  ["ARGS:'a", /The selector of ARGS is not closed/],
  ['ARGS:/(/', /missing|paren|\(/i],
  ['ARGS.a', /Text follows the variable ARGS/],
  ['PERF_ALL', /has no meaning in this gateway/],
];

t.test('what cannot be understood is said, once', async (t) => {
  t.equal(mistakes.length, 10);
  for (const [text, reason] of mistakes) {
    const { parsed, reasons } = parse(text);
    t.equal(parsed, null, text);
    t.equal(reasons.length, 1, text);
    t.match(reasons[0], reason, text);
  }
});

t.test('a list without end is refused', async (t) => {
  t.match(parse('ARGS|'.repeat(3_000)).reasons, [/2000 variables at most/]);
});
