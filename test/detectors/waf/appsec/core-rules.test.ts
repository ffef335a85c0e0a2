/** The hub's two configurations of the Core Rule Set, with its files where the hub would put them. */
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../../core/clock.ts';
import { createAppSec } from '../../../../detectors/waf/appsec/appsec.ts';
import { loadAppSecItems } from '../../../../detectors/waf/appsec/load-appsec-items.ts';
import { createTestDependencies } from '../../../../detectors/waf/appsec-tests/test-dependencies.ts';
import { suitePath } from '../../../support/suites.ts';
import { ask } from './world.ts';

t.test('in-band it refuses, out-of-band it raises an alert', async (t) => {
  const [hub, crs] = [suitePath(t, 'hub'), suitePath(t, 'crs')];
  if (hub === null || crs === null) return;
  const data = t.testdir({});
  for (const name of readdirSync(join(crs, 'rules'))) copyFileSync(join(crs, 'rules', name), join(data, name));
  copyFileSync(join(crs, 'crs-setup.conf.example'), join(data, 'crs-setup.conf'));
  const { rules, configs } = loadAppSecItems([hub]);
  const deps = createTestDependencies(systemClock);
  const headers = ['User-Agent', 'Mozilla/5.0', 'Accept', '*/*'];
  const outcomes = ['crowdsecurity/crs-inband', 'crowdsecurity/crs'].map((name) => {
    const config = configs.filter((one) => one.name === name);
    const appSec = createAppSec({ rules, configs: config, dataFolders: [data] }, deps);
    t.same([appSec.faults, appSec.ruleFaults.filter(({ level }) => level === 'error')], [[], []], name);
    t.ok(appSec.rules.length > 600);
    t.same(ask(appSec, { target: '/?id=1', headers }).run.events, []);
    const { run, answer } = ask(appSec, { target: "/?id=1'+OR+'1'='1'--+-", headers });
    t.match(run.events[0]?.Appsec.MatchedRules, [
      { id: 942100n, name: 'native_rule:942100', matched_zones: ['ARGS.id'] },
    ]);
    t.match(run.alerts, [{ kind: 'waf', scenario: 'native_rule:942100' }]);
    return [answer.action, answer.verdict?.ruleId ?? 0, run.events[0]?.Meta.log_type, run.alerts[0]?.message];
  });
  t.same(outcomes, [
    ['ban', 949_110, 'appsec-block', 'WAF block: native_rule:942100 from 192.0.2.7 (198.51.100.9)'],
    ['allow', 0, 'appsec-info', 'WAF out-of-band match: native_rule:942100 from 192.0.2.7 (198.51.100.9)'],
  ]);
});

t.test('without its files each that is missing is named once', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const { rules, configs } = loadAppSecItems([hub]);
  const config = configs.filter(({ name }) => name === 'crowdsecurity/crs');
  const { faults } = createAppSec({ rules, configs: config, dataFolders: [] }, createTestDependencies(systemClock));
  t.match(faults[0], {
    code: 'DATA_FILE_MISSING',
    message: /crowdsecurity\/crs needs the data file crs-setup\.conf; no data folder/,
  });
  const wanted = rules.find(({ name }) => name === 'crowdsecurity/crs')?.secLangFiles ?? [];
  t.equal(faults.length, wanted.filter((pattern) => !pattern.includes('*')).length);
});
