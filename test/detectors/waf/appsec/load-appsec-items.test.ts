import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadAppSecItems } from '../../../../detectors/waf/appsec/load-appsec-items.ts';
import { suitePath } from '../../../support/suites.ts';

const rule = (name: string): string => `name: ${name}\nrules: [{zones: [URI], match: {type: equals, value: x}}]\n`;
const config = (name: string): string => `name: ${name}\ninband_rules: ["*"]\n`;

t.test('the layout of the hub, and data beside it', async (t) => {
  const root = t.testdir({
    'appsec-rules': {
      me: { 'b.yaml': rule('me/b'), 'a.yml': rule('me/a'), 'README.md': '#', '.hidden.yaml': 'x: [' },
      'flat.yaml': rule('me/flat'),
    },
    'appsec-configs': { me: { 'c.yaml': config('me/c') } },
    data: { 'x.conf': '' },
    scenarios: { 'no.yaml': 'type: leaky\n' },
  });
  const items = loadAppSecItems([root]);
  t.same(
    items.rules.map(({ name }) => name),
    ['me/flat', 'me/a', 'me/b'],
  );
  t.match(items.configs, [{ name: 'me/c', file: join(root, 'appsec-configs', 'me', 'c.yaml') }]);
  t.same(items.dataFolders, [join(root, 'data')]);
  t.same(items.faults, []);
});

t.test('single files and folders inside of the layout', async (t) => {
  const root = t.testdir({
    'appsec-rules': { me: { 'a.yaml': rule('me/a') } },
    'appsec-configs': { 'c.yaml': config('c') },
  });
  t.equal(loadAppSecItems([join(root, 'appsec-rules', 'me', 'a.yaml')]).rules.length, 1);
  t.equal(loadAppSecItems([join(root, 'appsec-rules', 'me')]).rules.length, 1);
  t.equal(loadAppSecItems([join(root, 'appsec-configs')]).configs.length, 1);
});

t.test('a file that is reached twice counts once, a name that comes twice is a fault', async (t) => {
  const root = t.testdir({ 'appsec-rules': { 'a.yaml': rule('me/a'), 'b.yaml': rule('me/a') } });
  symlinkSync(join(root, 'appsec-rules', 'a.yaml'), join(root, 'appsec-rules', 'c.yaml'));
  const { rules, faults } = loadAppSecItems([root, root]);
  t.equal(rules.length, 1);
  t.match(
    faults.map(({ error }) => error.message),
    [/b\.yaml:1:1: me\/a: its name is taken by .*a\.yaml, which is used/],
  );
});

t.test('what cannot be read is a fault', async (t) => {
  const root = t.testdir({ 'appsec-rules': { 'a.yaml': 'name: [', 'big.yaml': `#${' '.repeat(1_048_576)}` } });
  const { rules, faults } = loadAppSecItems([root, join(root, 'nowhere')]);
  t.equal(rules.length, 0);
  t.match(faults.at(-1)?.reason, /cannot be read/);
  t.ok(faults.some(({ reason }) => /the file has 1048577 bytes/.test(reason)));
});

t.test('the hub as it is', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const { rules, configs, faults } = loadAppSecItems([hub]);
  t.same(faults, []);
  t.equal(rules.length, 222);
  t.equal(rules.filter((one) => one.rules.length > 0).length, 211);
  t.equal(
    rules.reduce((sum, one) => sum + one.rules.length, 0),
    219,
  );
  t.equal(configs.length, 5);
});
