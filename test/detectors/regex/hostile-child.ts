/**
 * A process of its own that runs patterns on hostile texts, so that a test can kill it when it does not come back: reads
 * `{sources, options, texts}` from standard input, writes how many of the pairs match.
 */
import { readFileSync } from 'node:fs';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { enableLinearEngine } from '../../../detectors/regex/linear-engine.ts';
import type { PatternOptions } from '../../../detectors/regex/syntax.ts';

interface Job {
  readonly sources: readonly string[];
  readonly options: PatternOptions;
  readonly texts: readonly string[];
}

enableLinearEngine();
const job = JSON.parse(readFileSync(0, 'utf8')) as Job;
let matches = 0;
let tried = 0;
for (const source of job.sources) {
  const pattern = compilePattern(source, job.options);
  for (const text of job.texts) {
    tried++;
    if (pattern.test(text)) matches++;
  }
}
process.stdout.write(JSON.stringify({ tried, matches }));
