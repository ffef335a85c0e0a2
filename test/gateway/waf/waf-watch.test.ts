/** What is counted of the rules' work, and when the log hears of it. */
import t from 'tap';
import { createLog } from '../../../core/log.ts';
import { Inspection, type ModedLayer } from '../../../gateway/waf/inspection.ts';
import type { Site } from '../../../gateway/sites.ts';
import { RuleHitTable, ruleTimeBounds } from '../../../gateway/waf/waf-counters.ts';
import { timedShare, WafWatch } from '../../../gateway/waf/waf-watch.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { transactionRequest } from '../../detectors/waf/engine/world.ts';
import { denied, type Scripted, scriptedLayer } from './runs.ts';

interface World {
  readonly watch: WafWatch;
  readonly clock: ManualClock;
  readonly log: readonly Record<string, unknown>[];
  /** Milliseconds of processor time, moved by hand. */
  readonly cpu: { ms: number };
}

function open(): World {
  const clock = createManualClock();
  const log: Record<string, unknown>[] = [];
  const cpu = { ms: 0 };
  const lines = createLog('info', { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) });
  return { clock, log, cpu, watch: new WafWatch({ clock, log: lines, threadTime: () => cpu.ms }) };
}

const decode = (body: Buffer) => Promise.resolve({ body, complete: true });

/** One request through the layers, to its end. */
function inspect(watch: WafWatch, ...layers: readonly (Scripted & { mode?: ModedLayer['mode'] })[]): Inspection {
  const request = transactionRequest({ target: '/' }, 0);
  const strands = layers.map(({ mode = 'block', ...script }) => {
    const layer = scriptedLayer(script);
    return { layer, mode, run: layer.begin(request, {} as Site) };
  });
  const inspection = new Inspection(strands, { decode, watch, requestId: 'r1', source: 'gateway' });
  if (inspection.requestHeaders() === null) inspection.requestBody(null, true);
  inspection.finish();
  return inspection;
}

t.test('requests are counted by layer and by what became of them', async (t) => {
  const { watch } = open();
  inspect(watch, {}, { name: 'virtual-patches' });
  inspect(watch, { verdict: denied, mode: 'observe' }, { name: 'virtual-patches', verdict: denied });
  inspect(watch, { verdict: denied }, { name: 'virtual-patches', verdict: denied });
  const { 'core-rules': core, 'virtual-patches': patches } = watch.counters.layers.gateway;
  t.match(core, { requests: 3, refused: 1, observed: 1, exhausted: 0 });
  t.match(patches, { requests: 3, refused: 1, observed: 0 }, 'once a layer refuses, the others are not asked');
  t.match(watch.counters.layers.bouncers['core-rules'], { requests: 0 });
});

t.test('an inspection that is ended twice counts once', async (t) => {
  const { watch } = open();
  const inspection = inspect(watch, { verdict: denied, matches: [1] });
  t.same(inspection.finish(), inspection.finish());
  t.equal(watch.counters.layers.gateway['core-rules'].requests, 1);
  t.match(watch.counters.hits.list(), [{ count: 1 }]);
});

t.test(
  'matches are counted by rule; those after the answer are out of band where a layer has such rules',
  async (t) => {
    const { watch } = open();
    inspect(watch, { matches: [1, 2] }, { name: 'virtual-patches', matches: [3], later: [4] });
    inspect(watch, { matches: [2], later: null }, { name: 'virtual-patches', later: [4] });
    t.same(
      watch.counters.hits.list().map(({ layer, type, rule, count }) => [layer, type, rule, count].join(' ')),
      [
        'core-rules inband rule:1 1',
        'core-rules inband rule:2 2',
        'virtual-patches inband rule:3 1',
        'virtual-patches outofband rule:4 2',
      ],
    );
  },
);

t.test('rules beyond the bound are counted together', async (t) => {
  const hits = new RuleHitTable();
  const rules = 3_000;
  for (let index = 0; index < rules; index++) {
    hits.add({ source: 'gateway', layer: 'core-rules', type: 'inband', rule: `rule:${index}` });
  }
  hits.add({ source: 'gateway', layer: 'core-rules', type: 'inband', rule: 'rule:5' });
  const listed = hits.list();
  t.ok(listed.length < 2_010, `${listed.length} rows`);
  t.equal(
    listed.reduce((sum, { count }) => sum + count, 0),
    rules + 1,
    'none is lost',
  );
  t.equal(listed.find(({ rule }) => rule === 'rule:5')?.count, 2);
  t.ok((listed.find(({ rule }) => rule === 'other')?.count ?? 0) > 900);
});

t.test('processor time is taken of one request in sixteen, before and after the answer', async (t) => {
  const { watch, cpu } = open();
  const onWork = (): void => {
    cpu.ms += 0.2;
  };
  for (let request = 0; request < timedShare + 1; request++) {
    inspect(watch, { onWork }, { name: 'virtual-patches', onWork, later: [] });
  }
  const { 'core-rules': core, 'virtual-patches': patches } = watch.counters.layers.gateway;
  t.equal(core.requests, timedShare + 1);
  const sumOf = (buckets: readonly number[]): number => buckets.reduce((sum, count) => sum + count, 0);
  t.equal(sumOf(core.total.buckets), 2);
  const ms = (value: number): number => Math.round(value * 1_000) / 1_000;
  t.equal(ms(core.inBand.sumMs), 0.8, 'headers and body of two requests');
  t.equal(ms(core.total.sumMs), 1.2, 'and their end');
  t.equal(sumOf(core.outOfBand.buckets), 0, 'the core rules have none that wait');
  t.equal(ms(patches.outOfBand.sumMs), 0.4);
  t.equal(core.inBand.buckets[ruleTimeBounds.indexOf(0.5)], 2, '0.4 ms each');
});

t.test('the log hears of rules that run out of time, once a minute for each layer', async (t) => {
  const { watch, clock, log } = open();
  const slow = { exhausted: true, verdict: denied };
  for (let index = 0; index < 5; index++) inspect(watch, slow);
  t.match(log, [
    { level: 'warn', layer: 'core-rules', requestId: 'r1', outcome: 'refused', requests: 1, msg: /waf\.budget/ },
  ]);
  t.equal(log.length, 1);
  inspect(watch, { name: 'virtual-patches', exhausted: true });
  t.match(log[1], { layer: 'virtual-patches', outcome: 'passed', requests: 1 });
  clock.advance(60_000);
  inspect(watch, slow);
  t.match(log[2], { layer: 'core-rules', requests: 5 }, 'with those in between');
  t.equal(watch.counters.layers.gateway['core-rules'].exhausted, 6);
  inspect(watch, { verdict: denied, matches: [1] });
  t.equal(log.length, 3, 'a refusal is no line of this log');
});

t.test('held bodies are counted', async (t) => {
  const { watch } = open();
  const inspection = inspect(watch, {});
  inspection.noteHeld('request');
  inspection.noteHeld('response');
  inspection.noteHeld('response');
  t.match(watch.counters, { heldRequestBodies: 1, heldResponseBodies: 2 });
});
