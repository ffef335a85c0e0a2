import t from 'tap';
import { type Answer, type AnswerCache, type AnswerCacheOptions, createAnswerCache } from '../../core/answer-cache.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

interface Fixture {
  readonly cache: AnswerCache<string>;
  readonly clock: ManualClock;
  /** Keys in the order in which they were asked for. */
  readonly asked: string[];
  readonly signals: Map<string, AbortSignal>;
  readonly ask: (key: string) => Answer<string>;
  /** Answers, and waits until whoever asked knows. */
  readonly answer: (key: string, value: string | Error) => Promise<void>;
}

function cacheOf(more: Partial<AnswerCacheOptions<string>> = {}): Fixture {
  const clock = createManualClock();
  const cache = createAnswerCache<string>(
    {
      lifeMs: () => 1_000,
      patienceMs: 500,
      mostAnswers: 3,
      mostQuestions: 2,
      failed: (cause) => `failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      refused: 'refused',
      ...more,
    },
    clock,
  );
  const asked: string[] = [];
  const signals = new Map<string, AbortSignal>();
  const settle = new Map<string, (value: string | Error) => void>();
  const question = (key: string) => (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      asked.push(key);
      signals.set(key, signal);
      settle.set(key, (value) => (value instanceof Error ? reject(value) : resolve(value)));
    });
  const ask = (key: string): Answer<string> => cache.ask(key, question(key));
  return {
    cache,
    clock,
    asked,
    signals,
    ask,
    async answer(key, value) {
      const found = ask(key);
      settle.get(key)?.(value);
      if (found.kind === 'asked') await found.ready;
    },
  };
}

const known = (value: string): Answer<string> => ({ kind: 'known', value });

t.test('a question is asked once, its answer remembered for its life', async (t) => {
  const { ask, answer, asked, clock } = cacheOf();
  const first = ask('a');
  t.equal(first.kind, 'asked');
  t.equal(ask('a'), first, 'who asks meanwhile waits for the same');
  await answer('a', 'one');
  t.strictSame(ask('a'), known('one'));
  clock.advance(999);
  t.strictSame(ask('a'), known('one'));
  clock.advance(1);
  t.equal(ask('a').kind, 'asked');
  t.strictSame(asked, ['a', 'a']);
});

t.test('failures are answers too: rejected, thrown at once, or late', async (t) => {
  const { cache, ask, answer, clock, signals } = cacheOf();
  await answer('a', new Error('no'));
  t.strictSame(ask('a'), known('failed: no'));
  const thrown = cache.ask('b', () => {
    throw new Error('at once');
  });
  if (thrown.kind === 'asked') await thrown.ready;
  t.strictSame(ask('b'), known('failed: at once'));
  const late = ask('c');
  clock.advance(499);
  t.equal(signals.get('c')?.aborted, false);
  clock.advance(1);
  t.equal(signals.get('c')?.aborted, true, 'who asks is told to stop');
  if (late.kind === 'asked') await late.ready;
  t.strictSame(ask('c'), known('failed: no answer within 0.5 s'));
});

t.test('one question too many is refused, and may be asked later', async (t) => {
  const { ask, answer, asked } = cacheOf();
  ask('a');
  ask('b');
  t.strictSame(ask('c'), known('refused'));
  await answer('a', 'one');
  t.equal(ask('c').kind, 'asked');
  t.strictSame(asked, ['a', 'b', 'c']);
});

t.test('the oldest answers go first, by number and by size; the newest stays whatever it weighs', async (t) => {
  const { ask, answer } = cacheOf();
  for (const key of ['a', 'b', 'c', 'd']) await answer(key, key);
  t.equal(ask('a').kind, 'asked');
  t.strictSame(ask('b'), known('b'));
  const sized = cacheOf({ mostSize: 5, sizeOf: ({ length }) => length });
  await sized.answer('a', 'xx');
  await sized.answer('b', 'xxx');
  t.strictSame(sized.ask('a'), known('xx'));
  await sized.answer('c', 'x');
  t.equal(sized.ask('a').kind, 'asked');
  t.strictSame(sized.ask('b'), known('xxx'));
  await sized.answer('d', 'xxxxxxxx');
  t.strictSame(sized.ask('d'), known('xxxxxxxx'));
  await sized.answer('e', 'x');
  t.equal(cacheSizeOf(sized, ['b', 'c', 'd', 'e']), 1, 'and goes with the next');
});

/** How many of the keys are remembered. */
function cacheSizeOf({ cache }: Fixture, keys: readonly string[]): number {
  const never = (): Promise<string> => new Promise(() => undefined);
  const unknown = (key: string): boolean => {
    const { kind, ...rest } = cache.ask(key, never);
    return kind === 'asked' || ('value' in rest && rest.value === 'refused');
  };
  return keys.filter((key) => !unknown(key)).length;
}

t.test('a life that is over makes room for nothing twice', async (t) => {
  const { ask, answer, clock } = cacheOf({ mostSize: 4, sizeOf: ({ length }) => length });
  await answer('a', 'xxxx');
  clock.advance(1_000);
  await answer('a', 'xxx');
  await answer('b', 'x');
  t.strictSame(ask('a'), known('xxx'), 'what was forgotten weighs no more');
  t.strictSame(ask('b'), known('x'));
});

t.test('closing lets everybody go on, and nothing is asked afterwards', async (t) => {
  const { cache, ask, asked, signals } = cacheOf();
  const waiting = ask('a');
  cache.close();
  if (waiting.kind === 'asked') await waiting.ready;
  t.equal(signals.get('a')?.aborted, true);
  t.strictSame(ask('a'), known('failed: the program ends'));
  t.strictSame(ask('b'), known('refused'));
  t.strictSame(asked, ['a']);
});
