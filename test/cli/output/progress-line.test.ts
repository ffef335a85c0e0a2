import t from 'tap';
import { createProgressLine } from '../../../cli/output/progress-line.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function terminal(columns: number, isTTY = true) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns, write: (text: string) => written.push(text) } };
}

function unseen(): never {
  throw new Error('a text was made that nobody sees');
}

t.test('a line is written anew, no more often than people see, cut to the terminal, and gone afterwards', async (t) => {
  const clock = createManualClock();
  const { written, stream } = terminal(10);
  const line = createProgressLine(stream, clock);
  line.show(() => 'one');
  line.show(unseen);
  clock.advance(80);
  line.show(() => 'longer than ten');
  line.clear();
  line.clear();
  t.strictSame(written, ['\r\x1b[2Kone', '\r\x1b[2Klonger t…', '\r\x1b[2K']);
});

t.test('nothing is written where nobody looks, and no text is made', async (t) => {
  const { written, stream } = terminal(80, false);
  const line = createProgressLine(stream, createManualClock());
  line.show(unseen);
  line.clear();
  t.strictSame(written, []);
});
