/** What AppSec tells is understood by the hub's own parser and scenarios. */
import { join } from 'node:path';
import t from 'tap';
import { createLog } from '../../../../core/log.ts';
import { createSystemRandom } from '../../../../core/random.ts';
import { assembleEngine, type EngineAssembly, loadEngineData } from '../../../../detectors/engine/assemble-engine.ts';
import { loadItems } from '../../../../detectors/engine/load-items.ts';
import { openGeoDatabases } from '../../../../detectors/lookups/geoip.ts';
import type { AppSecEvent } from '../../../../detectors/waf/appsec/appsec-event.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { suitePath } from '../../../support/suites.ts';
import { ask, createWorld } from './world.ts';

const rule = (name: string, path: string): string =>
  `name: ${name}\nrules:\n  - {zones: [URI], match: {type: contains, value: ${path}}}\n`;
const rules = [
  rule('me/vpatch-one', '/one'),
  rule('me/vpatch-two', '/two'),
  rule('crowdsecurity/appsec-generic-test', '/generic'),
  `name: me/native\nseclang_rules:\n  - SecRule REQUEST_FILENAME "@contains /native" "id:77,phase:2,deny,msg:'n'"\n`,
].join('---\n');

function eventOf(target: string, band: 'in' | 'out'): AppSecEvent {
  const config = `name: c\n${band}${band === 'in' ? 'band' : 'ofband'}_rules: ["*"]\n`;
  const [event] = ask(createWorld({ rules, configs: [config] }), { target }).run.events;
  if (event === undefined) throw new Error(`${target} matches nothing`);
  return event;
}

async function openEngine(hub: string, paths: readonly string[]): Promise<EngineAssembly> {
  const clock = createManualClock(Date.parse('2026-01-01T00:00:00Z'));
  const items = await loadItems(paths.map((path) => join(hub, path)));
  const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  const geo = await openGeoDatabases({}, runtime);
  const deps = { ...runtime, geo, hosts: null };
  return assembleEngine(items, await loadEngineData(items, []), { forRequests: false }, deps);
}

t.test('the hub parser finds what is in the event already', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const paths = ['parsers/s00-raw/crowdsecurity/syslog-logs.yaml', 'parsers/s01-parse/crowdsecurity/appsec-logs.yaml'];
  const assembly = await openEngine(hub, paths);
  t.teardown(() => assembly.close());
  for (const [target, band] of [
    ['/one', 'in'],
    ['/native', 'in'],
    ['/two', 'out'],
  ] as const) {
    const event = eventOf(target, band);
    const before = { ...event.Meta };
    for (const key of Object.keys(event.Meta)) delete event.Meta[key];
    event.Parsed.program = undefined;
    assembly.parsers.parse(event, null, true);
    const { appsec_interrupted: _interrupted, appsec_action: _action, ...parsed } = before;
    t.match({ ...event.Meta }, parsed, target);
    t.equal(event.Stage, 's01-parse');
  }
});

t.test('the hub scenarios overflow on them', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const scenarios = ['appsec-vpatch', 'appsec-native', 'appsec-generic-test', 'crowdsec-appsec-outofband'];
  const assembly = await openEngine(
    hub,
    scenarios.map((name) => `scenarios/crowdsecurity/${name}.yaml`),
  );
  t.teardown(() => assembly.close());
  t.same(assembly.faults, []);
  const pour = (target: string, band: 'in' | 'out'): readonly string[] =>
    assembly.detector.pour(eventOf(target, band)).map(({ scenario }) => scenario.name);
  t.same(pour('/one', 'in'), []);
  t.same(pour('/one', 'in'), [], 'the same rule again');
  t.same(pour('/two', 'in'), ['crowdsecurity/appsec-vpatch']);
  t.same(
    [1, 2, 3].flatMap(() => pour('/native', 'in')),
    [],
  );
  t.same(pour('/native', 'in'), ['crowdsecurity/appsec-native']);
  t.same(pour('/generic', 'out'), ['crowdsecurity/appsec-generic-test']);
  t.same(
    [1, 2, 3, 4].flatMap(() => pour('/one', 'out')),
    [],
  );
  t.same(pour('/two', 'out'), ['crowdsecurity/crowdsec-appsec-outofband']);
});

t.test('an overflow names the client', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const assembly = await openEngine(hub, ['scenarios/crowdsecurity/appsec-vpatch.yaml']);
  t.teardown(() => assembly.close());
  assembly.detector.pour(eventOf('/one', 'in'));
  const [overflow] = assembly.detector.pour(eventOf('/two', 'in'));
  t.match(overflow?.alerts, [
    { remediation: true, source: { value: '192.0.2.7' }, requestIds: ['request-1', 'request-1'] },
  ]);
});
