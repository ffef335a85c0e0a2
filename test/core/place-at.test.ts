import * as fc from 'fast-check';
import t from 'tap';
import { lineAt, placeAt } from '../../core/place-at.ts';

t.test('a place counts lines and characters from 1', async (t) => {
  const text = 'one\ntwo 😀 x\n\nlast';
  const cases: [number, number, number][] = [
    [0, 1, 1],
    [3, 1, 4],
    [4, 2, 1],
    [text.indexOf('x'), 2, 7],
    [text.indexOf('last'), 4, 1],
    [text.length, 4, 5],
    [text.length + 9, 4, 5],
    [-1, 1, 1],
  ];
  for (const [offset, line, column] of cases) t.strictSame(placeAt(text, offset), { line, column }, String(offset));
  t.equal(cases.length, 8);
});

t.test('line, column and line agree with the text cut up', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '😀', ' ') }), fc.nat(60), (text, at) => {
      const before = text.slice(0, at);
      if (!before.isWellFormed()) return;
      const { line, column } = placeAt(text, at);
      const lines = before.split('\n');
      const found = { line, column, text: lineAt(text, at) };
      const wanted = {
        line: lines.length,
        column: [...(lines.at(-1) ?? '')].length + 1,
        text: text.split('\n')[lines.length - 1],
      };
      if (JSON.stringify(found) !== JSON.stringify(wanted))
        throw new Error(`${JSON.stringify(found)} for ${JSON.stringify(wanted)}`);
    }),
    { seed: 31, numRuns: 500 },
  );
});
