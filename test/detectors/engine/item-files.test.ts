import { symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { findItemFiles } from '../../../detectors/engine/item-files.ts';

const item = 'name: x\n';

t.test("a folder in the layout of CrowdSec's configuration is read by kind and stage, in running order", async (t) => {
  const root = t.testdir({
    parsers: {
      's02-enrich': { 'geoip-enrich.yaml': item, 'dateparse-enrich.yaml': item },
      's00-raw': { 'syslog-logs.yaml': item },
      's01-parse': { 'sshd-logs.yaml': item, 'nginx-logs.yml': item, 'README.md': 'no item' },
    },
    postoverflows: { 's01-whitelist': { 'cdn.yaml': item }, 's00-enrich': { 'rdns.yaml': item } },
    scenarios: { 'ssh-bf.yaml': item, '.hidden.yaml': item },
    contexts: { 'http.yaml': item },
    collections: { 'linux.yaml': item },
    'appsec-rules': { 'base.yaml': item },
    data: { 'list.txt': 'x', 'records.yaml': 'x' },
    tests: { 'ssh-bf': { 'config.yaml': item } },
    '.tests': { 'ssh-bf': { 'config.yaml': item } },
  });
  const { files, dataFolders, unreadable } = findItemFiles([root]);
  t.same(
    files.map(({ kind, stage, path }) => `${kind} ${stage} ${relative(root, path)}`),
    [
      'contexts  contexts/http.yaml',
      'parsers s00-raw parsers/s00-raw/syslog-logs.yaml',
      'parsers s01-parse parsers/s01-parse/nginx-logs.yml',
      'parsers s01-parse parsers/s01-parse/sshd-logs.yaml',
      'parsers s02-enrich parsers/s02-enrich/dateparse-enrich.yaml',
      'parsers s02-enrich parsers/s02-enrich/geoip-enrich.yaml',
      'postoverflows s00-enrich postoverflows/s00-enrich/rdns.yaml',
      'postoverflows s01-whitelist postoverflows/s01-whitelist/cdn.yaml',
      'scenarios  scenarios/ssh-bf.yaml',
    ],
  );
  t.same(dataFolders, [join(root, 'data')]);
  t.same(unreadable, []);
});

t.test('in a hub, where authors have folders of their own, the order is that of the base names', async (t) => {
  const root = t.testdir({
    parsers: {
      's01-parse': {
        zoe: { 'apache.yaml': item },
        adam: { 'zfs.yaml': item, 'apache.yaml': item },
      },
    },
  });
  const { files } = findItemFiles([root]);
  t.same(
    files.map(({ stage, path }) => `${stage} ${relative(root, path)}`),
    [
      's01-parse parsers/s01-parse/adam/apache.yaml',
      's01-parse parsers/s01-parse/zoe/apache.yaml',
      's01-parse parsers/s01-parse/adam/zfs.yaml',
    ],
  );
});

t.test('folders without a layout hold scenarios, and a path inside the layout knows its place', async (t) => {
  const root = t.testdir({
    mine: { web: { 'a.yaml': item }, 'b.yaml': item },
    hub: { parsers: { 's01-parse': { crowdsecurity: { 'sshd-logs.yaml': item } } } },
  });
  const plain = findItemFiles([join(root, 'mine')]);
  t.same(
    plain.files.map(({ kind, path }) => `${kind} ${relative(root, path)}`),
    ['scenarios mine/b.yaml', 'scenarios mine/web/a.yaml'],
  );
  for (const named of ['hub/parsers', 'hub/parsers/s01-parse', 'hub/parsers/s01-parse/crowdsecurity/sshd-logs.yaml']) {
    const { files } = findItemFiles([join(root, named)]);
    t.same(
      files.map(({ kind, stage }) => `${kind} ${stage}`),
      ['parsers s01-parse'],
      named,
    );
  }
});

t.test('a file reached twice counts once, and what cannot be read is told', async (t) => {
  const root = t.testdir({ scenarios: { 'a.yaml': item } });
  symlinkSync(join(root, 'scenarios', 'a.yaml'), join(root, 'scenarios', 'b.yaml'));
  symlinkSync(root, join(root, 'scenarios', 'loop'));
  symlinkSync(join(root, 'nowhere.yaml'), join(root, 'scenarios', 'c.yaml'));
  const { files, unreadable } = findItemFiles([root, join(root, 'scenarios'), join(root, 'absent')]);
  t.equal(files.length, 1);
  t.same(
    [...new Set(unreadable.map(({ path }) => path.split('/').at(-1)))],
    ['c.yaml', 'absent'],
    'a link that leads nowhere, and a folder that is not there',
  );
});
