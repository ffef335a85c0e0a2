import { join } from 'node:path';
import t from 'tap';
import { findTestItem, type TestItemKind } from '../../../detectors/hubtest/find-test-item.ts';
import { readHubIndex } from '../../../detectors/hub/hub-index.ts';

const digest = 'a'.repeat(64);

const index = readHubIndex(
  JSON.stringify({
    parsers: {
      'crowdsecurity/sshd-logs': {
        path: 'parsers/s01-parse/crowdsecurity/sshd-logs.yaml',
        stage: 's01-parse',
        version: '1.0',
        versions: { '1.0': { digest } },
      },
    },
    scenarios: {
      'crowdsecurity/ssh-bf': {
        path: 'scenarios/crowdsecurity/ssh-bf.yml',
        version: '1.0',
        versions: { '1.0': { digest } },
      },
    },
  }),
);

t.test(
  'names are found by the index, and paths in the hub, among the tests and in the test, in that order',
  async (t) => {
    const root = t.testdir({
      hub: {
        parsers: {
          's01-parse': { crowdsecurity: { 'sshd-logs.yaml': '', 'both.yaml': '' } },
          's02-enrich': { crowdsecurity: { 'geoip-enrich.yaml': '' } },
        },
        scenarios: { crowdsecurity: { 'ssh-bf.yml': '' } },
        postoverflows: { 's00-enrich': { crowdsecurity: { 'rdns.yaml': '' } } },
      },
      tests: {
        mine: {
          parsers: { 's01-parse': { crowdsecurity: { 'both.yaml': '', 'own.yaml': '' } } },
          scenarios: { 'own.yaml': '' },
        },
        other: { parsers: { 's02-enrich': { me: { 'x.yaml': '' } } } },
      },
    });
    const places = { hub: join(root, 'hub'), index, tests: join(root, 'tests'), test: join(root, 'tests', 'mine') };
    const cases: readonly (readonly [kind: TestItemKind, name: string, path: string, stage: string])[] = [
      ['parsers', 'crowdsecurity/sshd-logs', 'hub/parsers/s01-parse/crowdsecurity/sshd-logs.yaml', 's01-parse'],
      ['scenarios', 'crowdsecurity/ssh-bf', 'hub/scenarios/crowdsecurity/ssh-bf.yml', ''],
      ['scenarios', './scenarios/crowdsecurity/ssh-bf.yml', 'hub/scenarios/crowdsecurity/ssh-bf.yml', ''],
      [
        'parsers',
        'parsers/s01-parse/crowdsecurity/both.yaml',
        'hub/parsers/s01-parse/crowdsecurity/both.yaml',
        's01-parse',
      ],
      [
        'parsers',
        './parsers/s01-parse/crowdsecurity/own.yaml',
        'tests/mine/parsers/s01-parse/crowdsecurity/own.yaml',
        's01-parse',
      ],
      ['scenarios', 'scenarios/own.yaml', 'tests/mine/scenarios/own.yaml', ''],
      [
        'parsers',
        './.tests/other/parsers/s02-enrich/me/x.yaml',
        'tests/other/parsers/s02-enrich/me/x.yaml',
        's02-enrich',
      ],
      [
        'parsers',
        './.tests/gone/parsers/s02-enrich/me/x.yaml',
        'tests/other/parsers/s02-enrich/me/x.yaml',
        's02-enrich',
      ],
      [
        'parsers',
        './.tests/gone/parsers/s02-enrich/crowdsecurity/geoip-enrich.yaml',
        'hub/parsers/s02-enrich/crowdsecurity/geoip-enrich.yaml',
        's02-enrich',
      ],
      [
        'postoverflows',
        './postoverflows/s00-enrich/crowdsecurity/rdns.yaml',
        'hub/postoverflows/s00-enrich/crowdsecurity/rdns.yaml',
        's00-enrich',
      ],
    ];
    for (const [kind, name, path, stage] of cases) {
      t.strictSame(await findTestItem(kind, name, places), { kind, stage, path: join(root, path) }, name);
    }
    t.equal(cases.length, 10);
    for (const [kind, name] of [
      ['parsers', 'crowdsecurity/ssh-bf'],
      ['scenarios', 'nobody/knows'],
      ['parsers', 'parsers'],
    ] as const) {
      await t.rejects(findTestItem(kind, name, places), { code: 'HUBTEST_INVALID' }, `${kind} ${name}`);
    }
    const bare = { ...places, index: null };
    t.match(await findTestItem('parsers', 'crowdsecurity/sshd-logs', bare), { stage: 's01-parse' });
    t.match(await findTestItem('scenarios', 'crowdsecurity/ssh-bf', bare), { path: /ssh-bf\.yml$/ });
  },
);
