/** What a real program said, shown when the test that started it has failed. */
import type { Teardown } from './process.ts';

/** What `t` of a tap test offers. */
export interface Telling extends Teardown {
  passing(): boolean;
  comment(text: string): unknown;
}

const shownLines = 25;

/** At the end of a failed test, the newest lines of `output` become comments under it. */
export function tellOnFailure(t: Telling, name: string, output: () => string): void {
  t.teardown(() => {
    if (t.passing()) return;
    const lines = output().trimEnd().split('\n').slice(-shownLines);
    t.comment(`what ${name} said:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  });
}
