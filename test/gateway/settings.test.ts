import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { inputSchemaOf, type JsonSchema, propertiesOf, settingKeys, variantsOf } from '../../config/setting-keys.ts';
import { formatFault, SettingsError } from '../../config/settings-error.ts';
import { readSettings, redactedSettings, type SettingsRequest, settingsSchema } from '../../gateway/settings.ts';

const root = join(import.meta.dirname, '..', '..');
const schema = inputSchemaOf(settingsSchema);

function read(yaml: string | null, more: Partial<SettingsRequest> = {}) {
  return readSettings({
    configFile: null,
    env: {},
    cwd: '/srv',
    installed: false,
    readFile(path) {
      if (yaml === null || path.endsWith('.local')) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      return yaml;
    },
    ...more,
  });
}

function faultsOf(yaml: string): string[] {
  try {
    read(yaml);
    return [];
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown.faults.map(formatFault);
    throw thrown;
  }
}

t.test('one line is enough, and so is the variable ORIGIN', async (t) => {
  t.equal(read('origin: http://127.0.0.1:3000').settings.origin, 'http://127.0.0.1:3000');
  t.equal(read(null, { env: { ORIGIN: 'http://127.0.0.1:3000' } }).settings.origin, 'http://127.0.0.1:3000');
});

t.test('the file of defaults says what is the default anyway', async (t) => {
  const defaults = readFileSync(join(root, 'config', 'default.yaml'), 'utf8');
  const written = defaults.replace(/^origin: null$/m, 'origin: http://a').replace(/^ {2}file: data\/store\.db$/m, '');
  t.not(written, defaults);
  t.same(read(written).settings, read('origin: http://a').settings);
});

t.test('settings without anything to protect are refused, with what to do', async (t) => {
  t.match(faultsOf(''), [/^origin: nothing to protect: set `origin: /]);
  t.match(faultsOf('mode: observe'), [/^portcullis.yaml: origin: nothing to protect/]);
  t.same(faultsOf('sites: [{hosts: [a.example], origin: "http://a"}]'), []);
  t.equal(faultsOf('origin: nowhere near').length, 1, 'one mistake is told once');
});

t.test('checks across keys run beside those of single keys', async (t) => {
  const faults = faultsOf(
    [
      'mode: nothing',
      'listen: 127.0.0.1:9180',
      'sites:',
      '  - hosts: [a.example, "*.b.example"]',
      '    origin: http://a',
      '  - hosts: [A.example., "*.b.example"]',
      '    origin: http://b',
      '',
    ].join('\n'),
  );
  t.same(faults, [
    'portcullis.yaml: admin.listen: `listen` has the same port: choose another',
    'portcullis.yaml:1:7: mode: expected block or observe',
    'portcullis.yaml:6:13: sites[1].hosts[0]: a.example is already a host of sites[0]',
    'portcullis.yaml:6:25: sites[1].hosts[1]: *.b.example is already a host of sites[0]',
  ]);
  t.same(faultsOf('origin: http://a\nlisten: ":0"\nadmin: {listen: ":0"}'), [], 'port 0 is a different one each time');
  t.match(faultsOf('origin: http://a\nlisten: unix:/s\nadmin: {listen: "unix:/s"}'), [/same port/]);
  t.same(faultsOf('origin: http://a\nlisten: 127.0.0.2:9180'), []);
});

t.test('what follows from the data folder is filled in', async (t) => {
  const checkout = read('origin: http://a').settings;
  t.match(checkout, {
    dataDir: '/srv/data',
    admin: { socket: '/srv/data/admin.sock' },
    store: { file: '/srv/data/store.db' },
    detection: { dataFolder: '/srv/data/scenario-data' },
  });
  t.equal(read('origin: http://a', { installed: true }).settings.dataDir, '/var/lib/portcullis');
  const moved = read('origin: http://a\ndataDir: state\nadmin: {socket: /run/p.sock}\nstore: {file: d.db}', {
    configFile: '/etc/portcullis/p.yaml',
  });
  t.match(moved.settings, {
    dataDir: '/etc/portcullis/state',
    admin: { socket: '/run/p.sock' },
    store: { file: '/etc/portcullis/d.db' },
  });
  t.equal(moved.file, '/etc/portcullis/p.yaml');
});

t.test('the file may be named by an option or a variable, and must then exist', async (t) => {
  t.equal(read('origin: http://a', { env: { PORTCULLIS_CONFIG: 'x.yaml' } }).file, '/srv/x.yaml');
  t.equal(read('origin: http://a', { configFile: 'y.yaml', env: { PORTCULLIS_CONFIG: 'x.yaml' } }).file, '/srv/y.yaml');
  t.throws(() => read(null, { configFile: 'y.yaml', env: { ORIGIN: 'http://a' } }), { code: 'SETTINGS_UNREADABLE' });
});

t.test('what is allowed but probably not meant is a warning', async (t) => {
  const warned = (yaml: string): string => read(yaml).warnings.join('\n');
  t.match(warned('origin: http://a\nclient: {trustedProxies: [0.0.0.0/0]}'), /every client can claim any address/);
  t.match(warned('origin: http://a\nmode: observe'), /nothing is blocked/);
  t.match(warned('sites: [{hosts: [a.example], origin: "http://a"}]'), /answered 421/);
  t.equal(warned('origin: http://a'), '');
});

t.test('networks, presets and allowlists are read in every spelling', async (t) => {
  const { settings } = read(
    [
      'origin: http://a',
      'client: {trustedProxies: [loopback, cloudflare, 10.1.2.3/8, "2001:DB8::/32"]}',
      'remediation:',
      '  allowlist: [192.0.2.1, {value: 198.51.100.7/24, comment: office}]',
    ].join('\n'),
  );
  t.same(settings.client.trustedProxies, ['loopback', 'cloudflare', '10.0.0.0/8', '2001:db8::/32']);
  t.same(settings.remediation.allowlist, [
    { value: '192.0.2.1/32', comment: '' },
    { value: '198.51.100.0/24', comment: 'office' },
  ]);
  t.match(faultsOf('origin: http://a\nclient: {trustedProxies: [cloudflair]}'), [/Did you mean cloudflare\?$/]);
});

t.test('a dump shows no secret', async (t) => {
  const env = {
    ORIGIN: 'http://a',
    PORTCULLIS_STORE_REDIS_PASSWORD: 'hunter2',
    PORTCULLIS_STORE_REDIS_URL: 'redis://:hunter2@r',
  };
  const { settings } = read(null, { env });
  t.match(JSON.stringify(settings), /hunter2/);
  const dump = redactedSettings(settings);
  t.notMatch(JSON.stringify(dump), /hunter2/);
  t.match(dump, { origin: 'http://a', store: { redis: { password: '[redacted]', url: '[redacted]' } } });
  t.equal(settings.store.redis.password, 'hunter2', 'the settings themselves are untouched');
});

t.test('every key is described, and has a default or may be absent', async (t) => {
  const keys = settingKeys(schema);
  t.ok(keys.length > 60, `${keys.length} keys`);
  const visit = (node: JsonSchema, path: string): void => {
    t.ok(node.description ?? propertiesOf(node), `${path} is described`);
    t.same(node.required ?? [], [], `${path}: nothing within is required`);
    for (const [name, child] of Object.entries(propertiesOf(node) ?? {})) visit(child, `${path}.${name}`);
    for (const variant of node.items ? variantsOf(node.items) : []) {
      for (const [name, child] of Object.entries(variant.properties ?? {}))
        t.ok(child.description, `${path}[].${name} is described`);
    }
  };
  for (const [name, child] of Object.entries(schema.properties ?? {})) visit(child, name);
});

t.test('no two keys share a variable, and none is mistaken for the file of a secret', async (t) => {
  const keys = settingKeys(schema);
  const variables = keys.map((key) => key.variable);
  t.equal(new Set(variables).size, variables.length);
  for (const key of keys) t.notOk(variables.includes(`${key.variable}_FILE`), `${key.variable}_FILE is free`);
  t.notOk(variables.some((name) => ['PORTCULLIS_CONFIG', 'PORTCULLIS_SUITES'].includes(name)));
});

t.test('each variable reaches its key', async (t) => {
  for (const { path, variable, schema: key } of settingKeys(schema)) {
    if (key.default === undefined || key.default === null) continue;
    const text = typeof key.default === 'string' ? key.default : JSON.stringify(key.default);
    const { sources } = read(null, { env: { ORIGIN: 'http://a', [variable]: text } });
    // An alias and its variable are one key.
    t.equal(sources.get(path.join('.')), variable);
  }
});
