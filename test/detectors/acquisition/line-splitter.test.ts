import fc from 'fast-check';
import t from 'tap';
import { LineSplitter } from '../../../detectors/acquisition/line-splitter.ts';

/** All lines of a text that comes in pieces of `cut` bytes, and the bytes that they took. */
function split(bytes: Buffer, cut: number, limit: number): { lines: string[]; truncated: number; consumed: number } {
  const splitter = new LineSplitter(limit);
  const lines: string[] = [];
  let truncated = 0;
  let consumed = 0;
  const shared = Buffer.alloc(cut);
  for (let at = 0; at < bytes.length; at += cut) {
    // Read into the same memory again and again, as files are.
    const length = bytes.copy(shared, 0, at, at + cut);
    splitter.feed(shared.subarray(0, length));
    for (let line = splitter.next(); line !== null; line = splitter.next()) {
      lines.push(line.text);
      consumed += line.consumed;
      if (line.truncated) truncated++;
    }
  }
  const last = splitter.last();
  if (last !== null) {
    lines.push(last.text);
    consumed += last.consumed;
    if (last.truncated) truncated++;
  }
  return { lines, truncated, consumed };
}

t.test('however the bytes are cut, the same lines come out, and every byte is accounted for', async (t) => {
  const line = fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '\r', '\t'), maxLength: 30 });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 10 }),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      (all, cut, isEnded) => {
        const bytes = Buffer.from(all.join('\n') + (isEnded && all.length > 0 ? '\n' : ''));
        const found = split(bytes, cut, 1_000);
        const expected = all.map((text) => text.replace(/\r$/, ''));
        if (!isEnded && all.at(-1) === '') expected.pop();
        t.same(found, { lines: expected, truncated: 0, consumed: bytes.length });
      },
    ),
    { numRuns: 500, seed: 1 },
  );
});

t.test('a line beyond the limit keeps its first part, however it comes', async (t) => {
  for (const cut of [1, 3, 64, 1_000]) {
    const bytes = Buffer.from(`${'x'.repeat(100)}\nshort\n${'y'.repeat(11)}`);
    const expected = { lines: ['x'.repeat(10), 'short', 'y'.repeat(10)], truncated: 2, consumed: bytes.length };
    t.same(split(bytes, cut, 10), expected);
  }
});

t.test('NULs before a line and bytes that are not UTF-8', async (t) => {
  t.same(split(Buffer.from('\0\0\0a\0b\n'), 3, 100).lines, ['a\0b']);
  t.same(split(Buffer.from([0xff, 0x61, 0xc3, 0x0a]), 1, 100).lines, ['\ufffda\ufffd']);
});
