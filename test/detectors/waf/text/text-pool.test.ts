import t from 'tap';
import { SearchIndexBuilder } from '../../../../detectors/waf/text/search-index.ts';
import { TextPool } from '../../../../detectors/waf/text/text-pool.ts';
import { type TextChange, TextSteps } from '../../../../detectors/waf/text/text-step.ts';

const lowercase: TextChange = {
  name: 'lowercase',
  apply: (value) => value.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  changes: [[0x41, 0x5a]],
};
const length: TextChange = { name: 'length', apply: (value) => String(value.length), changes: null };
const emptyIndex = new SearchIndexBuilder().build();

t.test('a string is one text while it is kept', async (t) => {
  const pool = new TextPool(emptyIndex, { texts: 2 });
  const first = pool.text('first value');
  t.equal(pool.text('first value'), first);
  for (const value of ['b', 'c', 'd']) pool.text(value);
  t.equal(pool.text('first value'), first, 'the old generation still has it, and gives it back to the young one');
  for (const value of ['e', 'f', 'g', 'h', 'i']) pool.text(value);
  t.not(pool.text('first value'), first);
  t.ok(pool.size <= 4, `${pool.size} texts`);
});

t.test('long texts and many characters are not kept', async (t) => {
  const pool = new TextPool(emptyIndex, { characters: 1_000 });
  const long = 'x'.repeat(513);
  t.not(pool.text(long), pool.text(long));
  t.equal(pool.size, 0);
  for (let number = 0; number < 100; number++) pool.text(`${number} ${'y'.repeat(400)}`);
  t.ok(pool.size <= 8, `${pool.size} texts`);
});

t.test('a transformation that cannot change a text is not run', async (t) => {
  const pool = new TextPool(emptyIndex);
  const steps = new TextSteps();
  let runs = 0;
  const counted = steps.step({
    ...lowercase,
    apply: (value) => {
      runs++;
      return lowercase.apply(value);
    },
  });
  const lower = pool.text('lower 12');
  t.equal(pool.transform(lower, counted), lower);
  t.equal(runs, 0);
  const mixed = pool.text('Lower 12');
  const made = pool.transform(mixed, counted);
  t.equal(made.value, 'lower 12');
  t.equal(pool.transform(mixed, counted), made);
  t.equal(runs, 1);
});

t.test('what two transformations make alike is one text', async (t) => {
  const pool = new TextPool(emptyIndex);
  const steps = new TextSteps();
  const again = { ...lowercase, name: 'again' };
  const text = pool.text('ABC');
  t.equal(pool.transform(text, steps.step(lowercase)), pool.transform(text, steps.step(again)));
});

t.test('a chain goes step by step, and stops for texts that it cannot change', async (t) => {
  const pool = new TextPool(emptyIndex);
  const steps = new TextSteps();
  const text = pool.text('ABC');
  t.equal(pool.run(text, steps.chain([lowercase, length])).value, '3');
  t.equal(
    pool.run(pool.text(''), steps.chain([length])).value,
    '0',
    'a change without characters meets the empty text too',
  );
  t.equal(pool.run(pool.text('abc'), steps.chain([lowercase])), pool.text('abc'));
  t.equal(steps.step(lowercase), steps.step(lowercase));
});

t.test('only ASCII letters are lower-cased', async (t) => {
  const pool = new TextPool(emptyIndex);
  t.equal(pool.text('\xc3\x89A').lower, '\xc3\x89a');
  t.equal(pool.text('ABC').lower, 'abc');
  const lower = pool.text('abc');
  t.equal(lower.lower, lower.value);
});
