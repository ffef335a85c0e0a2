/** Every rule of the hub refuses requests that are made of its own conditions, and none of them an ordinary one. */
import t from 'tap';
import { systemClock } from '../../../../core/clock.ts';
import { createAppSec } from '../../../../detectors/waf/appsec/appsec.ts';
import { loadAppSecItems } from '../../../../detectors/waf/appsec/load-appsec-items.ts';
import { ruleGroups } from '../../../../detectors/waf/appsec/rule-groups.ts';
import { createTestDependencies } from '../../../../detectors/waf/appsec-tests/test-dependencies.ts';
import { suitePath } from '../../../support/suites.ts';
import { sampleRequest } from './sample-request.ts';
import { ask, isRefused } from './world.ts';

const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

t.test('each alternative of each rule', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const { rules, configs } = loadAppSecItems([hub]);
  const base = rules.filter(({ name }) => name === 'crowdsecurity/base-config');
  const config = configs.filter(({ name }) => name === 'crowdsecurity/appsec-default');
  const all = config.map((one) => ({ ...one, rules: { in: ['*'], out: [] } }));
  const deps = createTestDependencies(systemClock);
  const missed: string[] = [];
  let groups = 0;
  for (const rule of rules.filter((one) => one.rules.length > 0)) {
    for (const [index, top] of rule.rules.entries()) {
      for (const group of ruleGroups(top) ?? []) {
        groups++;
        // The alternative alone: another one must not refuse in its place.
        const alone = {
          ...rule,
          rules: group.length === 1 ? group : [{ ...top, match: null, zones: [], and: group, or: [] }],
        };
        const appSec = createAppSec({ rules: [...base, alone], configs: all, dataFolders: [] }, deps);
        const refused = seeds.some((seed) => {
          const asked = sampleRequest(group, seed);
          return asked !== null && isRefused(appSec, asked);
        });
        if (!refused) missed.push(`${rule.name}[${index}]`);
      }
    }
  }
  t.same(missed, []);
  t.equal(groups, 223);
});

t.test('ordinary requests pass all rules together', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const { rules, configs } = loadAppSecItems([hub]);
  const config = configs.filter(({ name }) => name === 'crowdsecurity/appsec-default');
  const appSec = createAppSec({ rules, configs: config, dataFolders: [] }, createTestDependencies(systemClock));
  t.same(appSec.faults, []);
  t.same(appSec.ruleFaults, []);
  const browser = [
    'User-Agent',
    'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'Accept',
    '*/*',
  ];
  const form = [...browser, 'Content-Type', 'application/x-www-form-urlencoded'];
  const json = [...browser, 'Content-Type', 'application/json'];
  const asked = [
    { target: '/', headers: browser },
    { target: '/products/list?page=2&sort=price&q=red+shoes', headers: browser },
    { target: '/wp-content/uploads/2026/01/photo.jpg', headers: browser },
    { target: '/login', headers: form, body: 'user=ann&password=correct+horse&next=%2Faccount' },
    { target: '/api/orders', headers: json, body: '{"items":[{"id":1,"count":2}],"note":"leave at the door"}' },
  ];
  for (const one of asked) {
    const { run, answer } = ask(appSec, one);
    t.ok(answer.allowed, one.target);
    t.same(run.events, [], one.target);
  }
});
