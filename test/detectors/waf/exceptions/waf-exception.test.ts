import fc from 'fast-check';
import t from 'tap';
import { bytesOf, nameText, pathText } from '../../../../detectors/waf/exceptions/place-text.ts';
import {
  covers,
  type ExceptionScope,
  formatTarget,
  parsePath,
  parseTarget,
  targetOf,
} from '../../../../detectors/waf/exceptions/waf-exception.ts';

const seed = { seed: 20260801, numRuns: 500 };
/** One character for each byte. */
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString('latin1'));

t.test('paths and names in text are the bytes that they were, and hold nothing that a terminal obeys', async (t) => {
  fc.assert(
    fc.property(bytes, (text) => {
      t.equal(bytesOf(pathText(text)), text);
      t.equal(bytesOf(nameText(text)), text);
      t.match(pathText(text), /^[!-~]*$/);
      t.match(nameText(text), /^[!-~]*$/);
      t.notMatch(pathText(text), /[*?#"<>\\`{|}^]/);
    }),
    seed,
  );
});

t.test('what people write', async (t) => {
  const cases: readonly (readonly [written: string, kept: string | null])[] = [
    ['/search', '/search'],
    ['/', '/'],
    ['', ''],
    ['*', ''],
    ['/*', ''],
    ['/shop/*', '/shop/*'],
    ['/shop*', '/shop*'],
    ['/café', '/caf%C3%A9'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/caf%e9', '/caf%E9'],
    ['/a b', '/a%20b'],
    ['/100%', '/100%25'],
    ['/a%2Fb', '/a/b'],
    ['/star%2A', '/star%2A'],
    ['/star%2A*', '/star%2A*'],
    ["/it's", "/it's"],
    ['search', null],
    ['/a*b', null],
    ['/**', null],
    ['/search?q=1', null],
    ['/search#top', null],
    ['https://shop.example/search', null],
  ];
  for (const [written, kept] of cases) t.equal(parsePath(written), kept, written);
  t.equal(cases.length, 22);
});

t.test('a path that was kept is read as itself', async (t) => {
  fc.assert(
    fc.property(bytes, fc.boolean(), (text, isBeginning) => {
      const path = parsePath(pathText(`/${text}`) + (isBeginning ? '*' : ''));
      t.ok(path !== null);
      t.equal(parsePath(path ?? ''), path);
      if (!isBeginning) t.equal(bytesOf(path ?? ''), `/${text}`);
    }),
    seed,
  );
});

t.test('targets', async (t) => {
  t.same(parseTarget('args:Q'), { variable: 'ARGS', name: 'Q' });
  t.same(parseTarget('ARGS'), { variable: 'ARGS', name: '' });
  t.same(parseTarget('ARGS:a:b'), { variable: 'ARGS', name: 'a:b' });
  t.same(parseTarget('ARGS:größe'), { variable: 'ARGS', name: 'gr\xc3\xb6\xc3\x9fe' });
  t.same(parseTarget('XML:/*'), { variable: 'XML', name: '/*' });
  t.equal(parseTarget('ARGUMENTS:q'), null);
  t.equal(parseTarget(''), null);
  t.same(targetOf('&REQUEST_HEADERS:Host'), { variable: 'REQUEST_HEADERS', name: 'Host' }, 'a count of values');
  t.same(targetOf('ARGS:a%20b'), { variable: 'ARGS', name: 'a%20b' }, 'a rule names bytes');
  fc.assert(
    fc.property(bytes, (name) => {
      const target = { variable: 'ARGS', name } as const;
      t.same(parseTarget(formatTarget(target)), target);
      t.same(targetOf(`ARGS:${name}`), target);
    }),
    seed,
  );
});

t.test('one exception is enough for another one', async (t) => {
  const scope = (more: Partial<ExceptionScope> = {}): ExceptionScope => ({
    ruleId: 1,
    site: 'shop.example',
    path: '/search',
    target: { variable: 'ARGS', name: 'q' },
    ...more,
  });
  const cases: readonly (readonly [Partial<ExceptionScope>, boolean])[] = [
    [{}, true],
    [{ target: { variable: 'ARGS', name: 'Q' } }, true],
    [{ target: { variable: 'ARGS', name: '' } }, true],
    [{ target: null, path: '', site: '' }, true],
    [{ path: '/sea*' }, true],
    [{ ruleId: 2 }, false],
    [{ site: 'other.example' }, false],
    [{ path: '/sea' }, false],
    [{ path: '/shop/*' }, false],
    [{ target: { variable: 'ARGS', name: 'p' } }, false],
    [{ target: { variable: 'ARGS_GET', name: 'q' } }, false],
  ];
  for (const [wider, enough] of cases) t.equal(covers(scope(wider), scope()), enough, JSON.stringify(wider));
  t.equal(cases.length, 11);
  t.notOk(covers(scope(), scope({ target: null })));
  t.notOk(covers(scope(), scope({ path: '/sea*' })));
});
