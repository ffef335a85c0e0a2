/** The cases of the suite: files with an input and what a tokenizer, the folder or the detector makes of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface InjectionCase {
  readonly file: string;
  /** A byte string. */
  readonly input: string;
  readonly expected: string;
}

const sections = /--INPUT--\n([\s\S]*?)--EXPECTED--\n?([\s\S]*)$/;

/** The cases in `folder` whose names begin with `prefix` (`test-html5-`), lines without white space at their ends. */
export function readInjectionCases(folder: string, prefix: string): InjectionCase[] {
  const cases: InjectionCase[] = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.startsWith(prefix)) continue;
    const [, input = '', expected = ''] = sections.exec(readFileSync(join(folder, file), 'latin1')) ?? [];
    cases.push({ file, input: input.trim(), expected: trimLines(expected) });
  }
  return cases;
}

/** One text of lines, as the cases are compared. */
export function trimLines(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .join('\n');
}
