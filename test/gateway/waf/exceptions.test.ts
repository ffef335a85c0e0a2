import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createSystemRandom } from '../../../core/random.ts';
import { mostExceptions, parsePath } from '../../../detectors/waf/exceptions/waf-exception.ts';
import { exceptionsFileIn, type NewException, openExceptions } from '../../../gateway/waf/exceptions.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

interface Place {
  readonly path: string;
  readonly clock: ManualClock;
  readonly open: () => ReturnType<typeof openExceptions>;
  readonly read: () => { exceptions: Record<string, unknown>[] };
}

function place(t: Test): Place {
  const path = exceptionsFileIn(t.testdir({}));
  const clock = createManualClock();
  return {
    path,
    clock,
    open: () => openExceptions(path, { clock, random: createSystemRandom() }),
    read: () => JSON.parse(readFileSync(path, 'utf8')) as { exceptions: Record<string, unknown>[] },
  };
}

function wanted(more: Partial<NewException> = {}): NewException {
  return {
    ruleId: 942_100,
    site: '',
    path: '/search',
    target: { variable: 'ARGS', name: 'q' },
    comment: '',
    until: null,
    ...more,
  };
}

t.test('what is added is found, kept for the next start, and private', async (t) => {
  const { path, open } = place(t);
  const { exceptions, faults } = await open();
  t.same(faults, []);
  t.same(exceptions.find('shop', '/search?q=1'), []);
  const { exception, replaced } = await exceptions.add(wanted({ comment: 'the search box' }));
  t.match(exception.id, /^[0-9a-f]{8}$/);
  t.notOk(replaced);
  t.same(exceptions.find('shop', '/search?q=1'), [exception]);
  t.same(exceptions.find('shop', '/sear%63h'), [exception], 'the path is decoded');
  t.same(exceptions.find('shop', '/other?a=/search'), []);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.notOk(existsSync(`${path}.new`));
  const again = await open();
  t.same(again.faults, []);
  t.same(again.exceptions.list(), [exception]);
  t.same(await again.exceptions.remove(exception.id), exception);
  t.same(again.exceptions.find('shop', '/search'), []);
  t.same((await open()).exceptions.list(), []);
  await t.rejects(again.exceptions.remove(exception.id), { code: 'NOT_FOUND' });
});

t.test('it lapses by itself, at its time', async (t) => {
  const { clock, open, read } = place(t);
  const { exceptions } = await open();
  const until = clock.now() + 60_000;
  await exceptions.add(wanted({ until }));
  await exceptions.add(wanted({ path: '/other' }));
  clock.advance(59_999);
  t.equal(exceptions.find('', '/search').length, 1);
  t.equal(exceptions.list().length, 2);
  clock.advance(1);
  t.equal(exceptions.find('', '/search').length, 0);
  t.equal(exceptions.list().length, 1);
  t.equal(read().exceptions.length, 2, 'the file is not touched for it');
  await exceptions.add(wanted({ path: '/third' }));
  t.same(
    read().exceptions.map((each) => each.path),
    ['/other', '/third'],
    'until it is written again',
  );
});

t.test('the same once more is renewed', async (t) => {
  const { clock, open } = place(t);
  const { exceptions } = await open();
  const first = await exceptions.add(wanted({ until: clock.now() + 1_000 }));
  const second = await exceptions.add(wanted({ target: { variable: 'ARGS', name: 'Q' }, comment: 'longer' }));
  t.ok(second.replaced);
  t.equal(second.exception.id, first.exception.id);
  t.equal(exceptions.list().length, 1);
  t.match(exceptions.list()[0], { until: null, comment: 'longer' });
  for (const other of [{ ruleId: 1 }, { site: 'shop' }, { path: '/search*' }, { target: null }]) {
    t.notOk((await exceptions.add(wanted(other))).replaced, JSON.stringify(other));
  }
  t.equal(exceptions.list().length, 5);
});

t.test('writes wait for each other, and none is lost', async (t) => {
  const { open } = place(t);
  const { exceptions } = await open();
  const added = await Promise.all(
    Array.from({ length: 40 }, (_, index) => exceptions.add(wanted({ path: `/p${index}` }))),
  );
  const removed = added.slice(0, 20).map(({ exception }) => exceptions.remove(exception.id));
  await Promise.all(removed);
  t.equal(exceptions.list().length, 20);
  t.same((await open()).exceptions.list(), exceptions.list());
});

t.test('there is a bound, and lapsed ones make room', async (t) => {
  const { path, clock, open } = place(t);
  mkdirSync(dirname(path), { recursive: true });
  const at = new Date(clock.now()).toISOString();
  const entries = Array.from({ length: mostExceptions }, (_, index) => ({
    id: index.toString(16).padStart(8, '0'),
    rule: 1,
    path: `/p${index}`,
    created_at: at,
    until: index === 0 ? new Date(clock.now() + 1_000).toISOString() : null,
  }));
  writeFileSync(path, JSON.stringify({ format: 1, exceptions: entries }));
  const { exceptions, faults } = await open();
  t.same(faults, []);
  t.equal(exceptions.list().length, mostExceptions);
  await t.rejects(exceptions.add(wanted()), { code: 'GATEWAY_REFUSED', message: /1000 exceptions already/ });
  t.ok((await exceptions.add(wanted({ ruleId: 1, path: '/p7', target: null }))).replaced, 'one of them can be renewed');
  clock.advance(1_000);
  t.notOk((await exceptions.add(wanted())).replaced);
  t.equal(exceptions.list().length, mostExceptions);
});

t.test('a damaged file is set aside, and what is whole in it stays in force', async (t) => {
  const whole = { id: '0000000a', rule: 7, path: '/a', target: 'ARGS:q', created_at: '2026-01-01T00:00:00.000Z' };
  const cases: readonly (readonly [name: string, content: string, kept: number])[] = [
    ['no JSON', '{"format":1,"exceptions":[', 0],
    ['another file', '[]', 0],
    ['a later format', JSON.stringify({ format: 2, exceptions: [] }), 0],
    ['a broken entry', JSON.stringify({ format: 1, exceptions: [whole, { ...whole, id: 'x' }] }), 1],
    ['a variable that is none', JSON.stringify({ format: 1, exceptions: [{ ...whole, target: 'ARG' }, whole] }), 1],
    [
      'a path that is none',
      JSON.stringify({ format: 1, exceptions: [whole, { ...whole, id: '0000000b', path: 'a' }] }),
      1,
    ],
    ['one twice', JSON.stringify({ format: 1, exceptions: [whole, whole] }), 1],
    ['an unknown word', JSON.stringify({ format: 1, exceptions: [{ ...whole, sites: 'a' }] }), 0],
  ];
  for (const [name, content, kept] of cases) {
    await t.test(name, async (t) => {
      const { path, open } = place(t);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      const { exceptions, faults } = await open();
      t.match(faults, [
        { code: 'EXCEPTIONS_UNREADABLE', message: /was damaged/, remedy: new RegExp(`^${kept} exceptions`) },
      ]);
      t.equal(readFileSync(`${path}.damaged`, 'utf8'), content);
      t.equal(exceptions.list().length, kept);
      t.equal(exceptions.find('', '/a').length, kept);
      await exceptions.add(wanted());
      const again = await open();
      t.same(again.faults, []);
      t.equal(again.exceptions.list().length, kept + 1);
    });
  }
  t.equal(cases.length, 8);
});

t.test('a file that cannot be read is left as it is', async (t) => {
  const { path, open } = place(t);
  // A folder of that name: unreadable for everybody, root too.
  mkdirSync(path, { recursive: true });
  const { exceptions, faults } = await open();
  t.match(faults, [{ code: 'EXCEPTIONS_UNREADABLE', message: /cannot be read/ }]);
  t.same(exceptions.list(), []);
  await t.rejects(exceptions.add(wanted()), { code: 'GATEWAY_REFUSED', message: /cannot be read/ });
  t.ok(statSync(path).isDirectory());
});

t.test('a disk that cannot be written changes nothing', async (t) => {
  const { path, open } = place(t);
  const { exceptions } = await open();
  const { exception } = await exceptions.add(wanted());
  // Where the new file is to be written, something stands that cannot be removed as a file.
  mkdirSync(join(`${path}.new`, 'full'), { recursive: true });
  chmodSync(path, 0o600);
  await t.rejects(exceptions.add(wanted({ path: '/b' })), { code: 'GATEWAY_REFUSED', message: /cannot be written/ });
  await t.rejects(exceptions.remove(exception.id), { code: 'GATEWAY_REFUSED' });
  t.same(exceptions.list(), [exception]);
  t.same((await open()).exceptions.list(), [exception]);
});

t.test('whatever is added is read back as it was', async (t) => {
  const { path } = place(t);
  const clock = createManualClock();
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((array) => Buffer.from(array).toString('latin1'));
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        ruleId: fc.integer({ min: 1, max: 9_999_999 }),
        site: fc.constantFrom('', 'shop.example', '*.example.com'),
        path: fc.webPath().map((text) => parsePath(text.startsWith('/') ? text : `/${text}`) ?? ''),
        target: fc.option(bytes.map((name) => ({ variable: 'ARGS' as const, name }))),
        comment: fc.string({ maxLength: 20 }),
        until: fc.option(fc.integer({ min: 1, max: 1_000_000 }).map((ms) => clock.now() + ms)),
      }),
      async (one) => {
        const runtime = { clock, random: createSystemRandom() };
        const { exceptions } = await openExceptions(path, runtime);
        const { exception } = await exceptions.add(one);
        const again = await openExceptions(path, runtime);
        t.same(again.faults, []);
        t.same(again.exceptions.list(), [exception]);
        t.match(exception, one);
        await again.exceptions.remove(exception.id);
      },
    ),
    { seed: 20_260_805, numRuns: 60 },
  );
});
