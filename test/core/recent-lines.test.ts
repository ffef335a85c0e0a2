import t from 'tap';
import { RecentLines } from '../../core/recent-lines.ts';

t.test('the last lines are kept, the oldest first', async (t) => {
  const recent = new RecentLines({ lines: 3, characters: 1_000 });
  t.equal(recent.text(), '');
  for (const line of ['a\n', 'b', 'c\n', 'd\n']) recent.write(line);
  t.equal(recent.text(), 'b\nc\nd\n');
});

t.test('long lines are cut, and all together stay within the limit', async (t) => {
  const recent = new RecentLines({ lines: 1_000, characters: 10_000 });
  recent.write(`${'x'.repeat(1_000_000)}\n`);
  t.equal(recent.text(), `${'x'.repeat(4_096)}…\n`);
  for (let index = 0; index < 100; index++) recent.write(`${index} ${'y'.repeat(997)}\n`);
  const lines = recent.text().split('\n').slice(0, -1);
  t.equal(lines.length, 10);
  t.match(lines[0], /^90 y/);
  t.match(lines.at(-1), /^99 y/);
});

t.test('one line that is larger than everything that may be kept leaves nothing', async (t) => {
  const recent = new RecentLines({ lines: 10, characters: 100 });
  recent.write('a');
  recent.write('x'.repeat(101));
  t.equal(recent.text(), '');
  recent.write('b');
  t.equal(recent.text(), 'b\n');
});
