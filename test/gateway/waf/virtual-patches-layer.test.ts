/** AppSec as a layer: its answers as verdicts, and what becomes of rules that ran out of time. */
import t from 'tap';
import type { Alert } from '../../../detectors/alert.ts';
import type { AppSec } from '../../../detectors/waf/appsec/appsec.ts';
import type { AppSecAnswer } from '../../../detectors/waf/appsec/appsec-answer.ts';
import type { AppSecRun } from '../../../detectors/waf/appsec/appsec-run.ts';
import type { Site } from '../../../gateway/sites.ts';
import { createVirtualPatchesLayer } from '../../../gateway/waf/virtual-patches-layer.ts';
import { transactionRequest } from '../../detectors/waf/engine/world.ts';
import { denied } from './runs.ts';

const refusing: AppSecAnswer = {
  action: 'ban',
  allowed: false,
  bouncerStatus: 403,
  visitorStatus: 418,
  verdict: { ...denied, ruleId: 0, phase: 1 },
};

function appSecWith(exhausted: boolean): AppSec {
  const run: Pick<AppSecRun, 'requestHeaders' | 'requestBody' | 'exhausted' | 'alerts' | 'events'> = {
    requestHeaders: () => refusing,
    requestBody: () => refusing,
    exhausted,
    alerts: [{ scenario: 'x' } as Alert],
    events: [],
  };
  return {
    rules: [{ id: 7, band: 'in', name: 'crowdsecurity/vpatch-x', msg: '', place: { file: 'x.yaml', line: 1 } }],
    bands: { in: true, out: false },
    begin: () => run as AppSecRun,
  } as unknown as AppSec;
}

const request = transactionRequest({ target: '/' }, 0);
const siteThat = (onFailure: 'pass' | 'block'): Site => ({ waf: { onFailure } }) as Site;

t.test('an answer that refuses is a verdict, with the status for the visitor', async (t) => {
  const run = createVirtualPatchesLayer(appSecWith(false)).begin(request, siteThat('pass'));
  t.match(run.requestHeaders(), { action: 'deny', status: 418, phase: 1 });
  t.match(run.requestBody(null, true), { status: 418 });
  t.equal(run.alerts.length, 1);
});

t.test('what rules say that ran out of time holds, unless the site lets such requests pass', async (t) => {
  const layer = createVirtualPatchesLayer(appSecWith(true));
  const blocking = layer.begin(request, siteThat('block'));
  t.match(blocking.requestHeaders(), { status: 418 });
  t.equal(blocking.exhausted, true);
  const passing = layer.begin(request, siteThat('pass'));
  t.equal(passing.requestHeaders(), null);
  t.equal(passing.requestBody(null, true), null);
  t.same(passing.alerts, [], 'and nobody is suspected for it');
});

t.test('rules have the names that CrowdSec gives them', async (t) => {
  const layer = createVirtualPatchesLayer(appSecWith(false));
  t.equal(layer.ruleName(7), 'crowdsecurity/vpatch-x');
  t.equal(layer.ruleName(942_100), 'native_rule:942100');
});
