/**
 * Texts that are hard on the patterns of the Core Rule Set, at its strictest level with the shipped limits: whatever a request
 * holds, the rules end within their budget. A sample, another one for each release of the rules;
 * `npm run bench -- pumped` runs all of them.
 */
import t from 'tap';
import { compileParsed } from '../../detectors/regex/compile-pattern.ts';
import { foldPattern } from '../../detectors/regex/fold-pattern.ts';
import { AutomatonMemory, LazyAutomaton } from '../../detectors/regex/lazy-automaton.ts';
import { enableLinearEngine } from '../../detectors/regex/linear-engine.ts';
import { parsePattern } from '../../detectors/regex/parse-pattern.ts';
import { trimEdges } from '../../detectors/regex/trim-edges.ts';
import { genericPumps, pumped, pumpsOf } from '../support/pumped-inputs.ts';
import {
  openStrictRules,
  patternsOf,
  pumpedLengths,
  pumpedPlaces,
  type PumpedRun,
  pumpsOfRules,
  runPumped,
} from '../support/pumped-requests.ts';
import { suitePath } from '../support/suites.ts';
import { seeded } from '../support/seeded.ts';

enableLinearEngine();

/** Of each length. */
const samples = 1_200;
/** One test of a pattern is not interrupted, and the just-in-time compiler and the garbage collector work meanwhile. */
const overshoot = 2;

t.test('pumped texts of every pattern, in every place', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { rules, budgetMs } = openStrictRules(crs);
  const random = seeded(4_290_001);
  const { patterns, pumps } = pumpsOfRules(rules, random);
  t.ok(patterns >= 290, `${patterns} patterns`);
  t.ok(pumps.length > 10 * patterns, `${pumps.length} pumps`);
  const slow: string[] = [];
  for (const length of pumpedLengths) {
    const runs: PumpedRun[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const pump = pumps[Math.floor(random() * pumps.length)];
      const place = pumpedPlaces[sample % pumpedPlaces.length];
      if (pump === undefined || place === undefined) continue;
      const text = pumped(pump, length);
      let run = runPumped(rules, place, text);
      if (run.ms > overshoot * budgetMs) run = runPumped(rules, place, text);
      runs.push(run);
      if (run.ms > overshoot * budgetMs)
        slow.push(`${run.ms.toFixed(0)} ms: ${length} characters, ${place}, rule ${pump.ruleId}, ${pump.name}`);
    }
    t.equal(runs.length, samples);
    t.comment(describe(length, runs));
  }
  t.same(slow, []);
});

t.test('automata say of pumped texts what V8 says', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const random = seeded(4_290_002);
  const memory = new AutomatonMemory();
  const generic = genericPumps();
  const differences: string[] = [];
  let tests = 0;
  for (const { source, ruleId } of patternsOf(openStrictRules(crs).rules)) {
    const written = trimEdges(parsePattern(source, { subject: 'bytes', dotAll: true, groups: 'none' }).root);
    const folded = foldPattern(written);
    const root = folded ?? written;
    const pattern = compileParsed(source, { root, groupNames: [null] }, 'bytes');
    const automaton = new LazyAutomaton(root, source, memory);
    const own = pumpsOf(source, random);
    for (let sample = 0; sample < 8; sample++) {
      const from = sample % 2 === 0 && own.length > 0 ? own : generic;
      const pump = from[Math.floor(random() * from.length)];
      if (pump === undefined) continue;
      const value = pumped(pump, 600);
      const text = folded === null ? value : value.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
      const found = automaton.test(text);
      if (found !== null && found !== pattern.test(text)) differences.push(`rule ${ruleId}: ${pump.name}`);
      if (found !== null) tests++;
    }
  }
  t.ok(tests > 2_200, `${tests} tests`);
  t.same(differences, []);
});

function describe(length: number, runs: readonly PumpedRun[]): string {
  const times = runs.map(({ ms }) => ms).toSorted((one, other) => one - other);
  const quantile = (share: number): string => (times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(1);
  const exhausted = runs.filter((run) => run.exhausted).length;
  return `${length} characters: half below ${quantile(0.5)} ms, 99 % below ${quantile(0.99)} ms, the slowest ${quantile(1)} ms; ${exhausted} of ${runs.length} out of time`;
}
