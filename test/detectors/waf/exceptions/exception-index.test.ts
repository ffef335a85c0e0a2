import fc from 'fast-check';
import t from 'tap';
import { applyExceptions, ExceptionIndex } from '../../../../detectors/waf/exceptions/exception-index.ts';
import { bytesOf } from '../../../../detectors/waf/exceptions/place-text.ts';
import type { ExceptionTarget, WafException } from '../../../../detectors/waf/exceptions/waf-exception.ts';
import type { Transaction } from '../../../../detectors/waf/engine/transaction.ts';
import { ids, transactionRequest, world } from '../engine/world.ts';

let made = 0;
function exception(more: Partial<WafException>): WafException {
  made++;
  return {
    id: String(made),
    ruleId: 1,
    site: '',
    path: '',
    target: null,
    comment: '',
    createdAt: 0,
    until: null,
    ...more,
  };
}

const found = (index: ExceptionIndex, site: string, path: string, now = 0): readonly string[] =>
  index
    .find(site, path, now)
    .map(({ id }) => id)
    .toSorted();

t.test('the index finds what a look at each exception finds', async (t) => {
  const paths = fc.constantFrom('', '/', '/a', '/a*', '/a/*', '/a/b', '/a/b*', '/caf%C3%A9*', '/%2A', '/b');
  const exceptions = fc.array(
    fc.record({
      path: paths,
      site: fc.constantFrom('', 'one', 'two'),
      until: fc.constantFrom(null, 5, 10),
    }),
    { maxLength: 30 },
  );
  const asked = fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/b', '/*', '/caf\xc3\xa9s', '/nothing');
  fc.assert(
    fc.property(
      exceptions,
      asked,
      fc.constantFrom('one', 'two', 'three'),
      fc.constantFrom(0, 5, 9, 10),
      (list, path, site, now) => {
        const all = list.map((each) => exception(each));
        const expected = all.filter((each) => {
          const isBeginning = each.path.endsWith('*');
          const wanted = bytesOf(isBeginning ? each.path.slice(0, -1) : each.path);
          const isHere = each.path === '' || (isBeginning ? path.startsWith(wanted) : path === wanted);
          return isHere && (each.site === '' || each.site === site) && (each.until === null || each.until > now);
        });
        t.same(found(new ExceptionIndex(all), site, path, now), expected.map(({ id }) => id).toSorted());
      },
    ),
    { seed: 20260802, numRuns: 500 },
  );
});

t.test('the beginning of a path is not trusted where an origin may read another path', async (t) => {
  const index = new ExceptionIndex([exception({ path: '/shop/*' })]);
  for (const path of ['/shop/', '/shop/a/b', '/shop/a..b', '/shop/...', '/shop/.well-known', '/shop/50%']) {
    t.equal(found(index, '', path).length, 1, path);
  }
  const crooked = [
    '/shop/../admin',
    '/shop/..',
    '/shop/a/../../admin',
    '/shop/./a',
    String.raw`/shop/..\admin`,
    String.raw`/shop/a\..\..\admin`,
    '/shop/..;/admin',
    '/shop/%2e%2e/admin',
    '/shop/..%2Fadmin',
    '/shop/..%5cadmin',
    '/shop/%252e%252e/admin',
    '/shop/a\0/admin',
  ];
  for (const path of crooked) t.equal(found(index, '', path).length, 0, path);
  const exact = new ExceptionIndex([exception({ path: '/shop/../admin' })]);
  t.equal(found(exact, '', '/shop/../admin').length, 1, 'one that was meant so');
});

const rules = `
SecRuleEngine On
SecRequestBodyAccess On
SecRule ARGS|REQUEST_HEADERS|REQUEST_FILENAME "@contains evil" "id:1,phase:2,pass,log"
SecRule ARGS "@contains evil" "id:2,phase:2,pass,log,chain"
  SecRule REQUEST_METHOD "@streq GET" "t:none"
SecRule &ARGS:q "@gt 1" "id:3,phase:2,pass,log"
SecRule ARGS_NAMES "@contains evil" "id:4,phase:2,pass,log"
`;

function run(
  target: string,
  excepted: readonly { ruleId: number; target: ExceptionTarget | null }[],
  headers: readonly string[] = [],
): Transaction {
  const transaction = world(rules).rules.begin(transactionRequest({ target, headers }));
  applyExceptions(excepted, transaction);
  transaction.processRequestHeaders();
  transaction.processRequestBody(null, true);
  transaction.finish();
  return transaction;
}

t.test('a rule looks away from what is excepted, and from nothing else', async (t) => {
  const target = (variable: ExceptionTarget['variable'], name = ''): ExceptionTarget => ({ variable, name });
  const cases: readonly (readonly [string, ExceptionTarget | null, readonly number[]])[] = [
    ['/?q=evil', null, [2]],
    ['/?q=evil', target('ARGS', 'q'), [2]],
    ['/?Q=evil', target('ARGS', 'q'), [2]],
    ['/?q=evil', target('ARGS', 'Q'), [2]],
    ['/?q=evil', target('ARGS'), [2]],
    ['/?p=evil', target('ARGS', 'q'), [1, 2]],
    ['/?q=evil&p=evil', target('ARGS', 'q'), [1, 2]],
    ['/?q=evil', target('ARGS_GET', 'q'), [1, 2]],
    ['/evil', target('REQUEST_FILENAME'), []],
    ['/evil', target('ARGS'), [1]],
    ['/?%C3%A9=evil', target('ARGS', '\xc3\xa9'), [2]],
    ['/?%C3%89=evil', target('ARGS', '\xc3\xa9'), [1, 2]],
  ];
  for (const [address, excepted, expected] of cases) {
    t.same(ids(run(address, [{ ruleId: 1, target: excepted }])), expected, `${address} ${JSON.stringify(excepted)}`);
  }
  t.equal(cases.length, 12);
  t.same(ids(run('/?q=evil', [{ ruleId: 2, target: target('ARGS', 'q') }])), [1], 'with its chain');
  t.same(ids(run('/?q=a&q=b', [])), [3]);
  t.same(ids(run('/?q=a&q=b', [{ ruleId: 3, target: target('ARGS', 'q') }])), [], 'a count');
  t.same(ids(run('/?evil=a', [{ ruleId: 4, target: target('ARGS_NAMES', 'evil') }])), []);
  t.same(ids(run('/?evil=a', [{ ruleId: 4, target: target('ARGS', 'evil') }])), [4]);
  const headers = ['X-Note', 'evil'];
  t.same(ids(run('/', [{ ruleId: 1, target: target('REQUEST_HEADERS', 'x-note') }], headers)), []);
  t.same(ids(run('/', [{ ruleId: 1, target: target('REQUEST_HEADERS', 'x-other') }], headers)), [1]);
  t.same(ids(run('/?q=evil', [{ ruleId: 99, target: null }])), [1, 2], 'a rule that is not there');
});
