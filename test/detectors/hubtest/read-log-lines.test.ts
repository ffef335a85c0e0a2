import t from 'tap';
import { readLogLines } from '../../../detectors/hubtest/read-log-lines.ts';

function read(text: string): ReturnType<typeof readLogLines> {
  return readLogLines(Buffer.from(text));
}

t.test('ends of lines go, empty lines too, everything else stays', async (t) => {
  t.strictSame(read('a\nb\r\n\n\r\n c \nd\r\r\ne'), { lines: ['a', 'b', ' c ', 'd\r', 'e'], endedAt: null });
  t.strictSame(read(''), { lines: [], endedAt: null });
  t.strictSame(read('\n\n'), { lines: [], endedAt: null });
  t.strictSame(read('größe ☃\n'), { lines: ['größe ☃'], endedAt: null });
});

t.test('reading ends at a line of 64 KiB', async (t) => {
  const longest = 'x'.repeat(65_535);
  t.strictSame(read(`a\n${longest}\nb\n`).lines.length, 3);
  t.strictSame(read(`a\n${longest}x\nb\n`), { lines: ['a'], endedAt: 2 });
  t.strictSame(read(`${'ü'.repeat(32_768)}\n`).endedAt, 1, 'bytes count, not characters');
});
