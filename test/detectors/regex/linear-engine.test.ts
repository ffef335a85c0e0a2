import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../../core/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import { compilePattern, type Pattern } from '../../../detectors/regex/compile-pattern.ts';
import { enableLinearEngine, probeLinearEngine } from '../../../detectors/regex/linear-engine.ts';
import { askLinearEngine } from './linear-child.ts';
import { randomPattern, randomText } from './random-patterns.ts';

const sources = join(import.meta.dirname, '../../../detectors/regex');

/** The probe in a process of its own, with the engine switched on or not. */
function probeInChild(enabled: boolean): { status: number | null; output: string } {
  const script = `
    const { enableLinearEngine, probeLinearEngine } = await import(${JSON.stringify(join(sources, 'linear-engine.ts'))});
    const { systemClock } = await import(${JSON.stringify(join(sources, '../../core/clock.ts'))});
    if (${enabled}) enableLinearEngine();
    try { probeLinearEngine(systemClock); console.log('suitable'); }
    catch (error) { console.log(error.code, error.message, error.remedy); }`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return { status: child.status, output: child.stdout };
}

t.test('the probe passes with the engine', async (t) => {
  t.same(probeInChild(true), { status: 0, output: 'suitable\n' });
  enableLinearEngine();
  t.type(probeLinearEngine(systemClock), 'number');
});

t.test('without the engine the probe says so, and comes back', async (t) => {
  const { status, output } = probeInChild(false);
  t.equal(status, 0);
  t.match(output, /^RUNTIME_UNSUITABLE the linear regular-expression engine .*bin\/portcullis\.js/);
});

t.test('random patterns are accepted by the linear engine, which agrees on every match', async (t) => {
  const pairs = fc.sample(fc.tuple(randomPattern, randomText), { seed: 5, numRuns: 3_000 });
  const compiled: [Pattern, string][] = [];
  for (const [source, text] of pairs) {
    try {
      compiled.push([compilePattern(source), text]);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }
  t.ok(compiled.length > 2_800, `${compiled.length} patterns`);
  const answers = askLinearEngine(compiled.map(([{ regexp }, text]) => [regexp.source, text]));
  for (const [index, [pattern, text]] of compiled.entries()) {
    const match = pattern.regexp.exec(text);
    const expected = match && [match.index, ...match].map((part) => part ?? null);
    if (JSON.stringify(answers[index]) === JSON.stringify(expected)) continue;
    t.same(answers[index], expected, `${pattern.source} as ${pattern.regexp}`);
  }
});
