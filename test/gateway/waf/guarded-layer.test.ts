/** A layer that raises costs its request a verdict, and nobody else anything. */
import t from 'tap';
import { createLog } from '../../../core/log.ts';
import { guardLayer } from '../../../gateway/waf/guarded-layer.ts';
import { Inspection } from '../../../gateway/waf/inspection.ts';
import type { Layer, LayerRun } from '../../../gateway/waf/rule-layer.ts';
import { WafWatch } from '../../../gateway/waf/waf-watch.ts';
import { transactionRequest } from '../../detectors/waf/engine/world.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { denied, scriptedLayer } from './runs.ts';

type Step = keyof LayerRun | 'begin';

/** Raises at one step, every time. */
function faulty(step: Step): Layer {
  const raise = (): never => {
    throw new TypeError('a mistake in a rule');
  };
  const sound = scriptedLayer({ matches: [7] });
  return {
    ...sound,
    begin(request, site) {
      if (step === 'begin') return raise();
      const run = sound.begin(request, site);
      return new Proxy(run, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (name !== step) return typeof value === 'function' ? value.bind(target) : value;
          return typeof value === 'function' ? raise : raise();
        },
      });
    },
  };
}

interface World {
  readonly watch: WafWatch;
  readonly clock: ManualClock;
  readonly log: readonly Record<string, unknown>[];
}

function open(): World {
  const clock = createManualClock();
  const log: Record<string, unknown>[] = [];
  const lines = createLog('info', { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) });
  return { clock, log, watch: new WafWatch({ clock, log: lines, threadTime: () => 0 }) };
}

const response = { status: 200, protocol: 'HTTP/1.1', headers: [] };

function inspect(watch: WafWatch, layers: readonly Layer[], onFailure: 'pass' | 'block'): Inspection {
  const request = transactionRequest({ target: '/' }, 0);
  const site = { waf: { onFailure } };
  const strands = layers.map((one) => {
    const layer = guardLayer(one, watch);
    return { layer, mode: 'block' as const, run: layer.begin(request, site) };
  });
  const decode = (body: Buffer) => Promise.resolve({ body, complete: true });
  const inspection = new Inspection(strands, { decode, watch, requestId: 'r1', source: 'gateway' });
  const body = Buffer.from('a=1');
  const refused =
    inspection.requestHeaders() ??
    inspection.requestBody(inspection.requestBodyBytes > 0 ? body : null, true) ??
    inspection.responseHeaders(response) ??
    inspection.responseBody(inspection.responseBodyBytes > 0 ? body : null, true);
  t.equal(refused, inspection.refusal);
  return inspection;
}

const verdicts: readonly (readonly [Step, number])[] = [
  ['begin', 1],
  ['requestHeaders', 1],
  ['requestBodyBytes', 2],
  ['requestBody', 2],
  ['responseHeaders', 3],
  ['responseBodyBytes', 4],
  ['responseBody', 4],
];

t.test('wherever it raises, the request is refused from there on, or passed, as the site says', async (t) => {
  t.equal(verdicts.length, 7);
  for (const [step, phase] of verdicts) {
    const refused = inspect(open().watch, [faulty(step)], 'block');
    t.match(refused.refusal, { action: 'deny', ruleId: 0, phase, status: 403 }, step);
    t.match(refused.finish(), [{ layer: 'core-rules', enforced: true, ruleId: 0 }]);
    const passed = inspect(open().watch, [faulty(step)], 'pass');
    t.equal(passed.refusal, null, step);
    t.same(passed.finish(), []);
  }
});

t.test('the other layers are asked as ever', async (t) => {
  const other = scriptedLayer({ name: 'virtual-patches', verdict: denied });
  const inspection = inspect(open().watch, [faulty('requestHeaders'), other], 'pass');
  t.equal(inspection.refusedBy, 'virtual-patches');
});

t.test('what comes after the answer can fail without harm', async (t) => {
  const steps: readonly Step[] = ['finish', 'exhausted', 'matches', 'alerts', 'events'];
  for (const step of steps) {
    const { watch, log } = open();
    const inspection = inspect(watch, [faulty(step)], 'block');
    t.equal(inspection.refusal, null, step);
    inspection.finish();
    t.same(inspection.consequences, { alerts: [], events: [] }, step);
    t.equal(log.length, 1, step);
  }
});

t.test('the log hears of it once, and later how often it was', async (t) => {
  const { watch, log, clock } = open();
  const layers = [faulty('requestBody')];
  for (let count = 0; count < 5; count++) inspect(watch, layers, 'pass').finish();
  t.match(log, [{ level: 'error', layer: 'core-rules', requestId: /./, requests: 1, err: { type: 'TypeError' } }]);
  t.equal(log.length, 1);
  clock.advance(60_000);
  inspect(watch, layers, 'pass');
  t.match(log[1], { requests: 5 });
});
