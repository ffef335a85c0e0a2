import t from 'tap';
import * as z from 'zod';
import { loadSettings, type SettingsInput } from '../../config/load.ts';
import { formatFault, SettingsError } from '../../config/settings-error.ts';
import { bytes, count, duration, listenAddress, path, secret } from '../../core/options.ts';

const schema = z.strictObject({
  origin: z.string({ error: 'expected text' }),
  listen: listenAddress().prefault(':8080'),
  mode: z.enum(['block', 'observe']).prefault('block'),
  upstream: z
    .strictObject({
      connectTimeout: duration().prefault('5s'),
      retries: count({ max: 5 }).prefault(1),
      headerBytes: bytes().prefault('16KiB'),
    })
    .prefault({}),
  redis: z
    .strictObject({ password: secret().nullable().prefault(null), url: z.string().prefault('redis://') })
    .prefault({}),
  folders: z.array(path()).prefault([]),
  hosts: z.array(z.strictObject({ name: z.string(), origin: z.string().optional() })).prefault([]),
  fast: z.boolean().prefault(false),
  note: z.string().nullable().prefault(null),
});

type Files = Readonly<Record<string, string>>;

function absent(name: string): never {
  throw Object.assign(new Error(`ENOENT: no such file, open '${name}'`), { code: 'ENOENT' });
}

function load(files: Files, env: Files = {}, more: Partial<SettingsInput> = {}) {
  return loadSettings(schema, {
    file: '/etc/p/portcullis.yaml',
    required: false,
    env,
    readFile: (name) => files[name] ?? absent(name),
    aliases: { ORIGIN: 'PORTCULLIS_ORIGIN' },
    reserved: ['PORTCULLIS_CONFIG'],
    ...more,
  });
}

const main = (text: string): Files => ({ '/etc/p/portcullis.yaml': text });

/** The faults of settings that cannot be loaded, one line each, without the folder. */
function faultsOf(files: Files, env: Files = {}, more: Partial<SettingsInput> = {}): string[] {
  try {
    load(files, env, more);
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown;
    return thrown.faults.map((fault) => formatFault(fault).replaceAll('/etc/p/', ''));
  }
  return [];
}

t.test('defaults, file, local file and environment are layers, the later ones win', async (t) => {
  const files = {
    '/etc/p/portcullis.yaml': 'origin: main\nupstream: {connectTimeout: 1s, retries: 2}\nfolders: [a, b]\n',
    '/etc/p/portcullis.yaml.local': 'upstream: {retries: 3}\nfolders: [/c]\n',
  };
  const { settings, sources, warnings } = load(files, { PORTCULLIS_MODE: 'observe' });
  t.match(settings, {
    origin: 'main',
    listen: { host: null, port: 8080 },
    mode: 'observe',
    upstream: { connectTimeout: 1000, retries: 3, headerBytes: 16_384 },
    folders: ['/c'],
  });
  t.same(warnings, []);
  t.same(Object.fromEntries(sources), {
    origin: '/etc/p/portcullis.yaml:1',
    mode: 'PORTCULLIS_MODE',
    'upstream.connectTimeout': '/etc/p/portcullis.yaml:2',
    'upstream.retries': '/etc/p/portcullis.yaml.local:1',
    folders: '/etc/p/portcullis.yaml.local:2',
  });
});

t.test('settings are frozen all the way down', async (t) => {
  const { settings } = load(main('origin: a\nhosts: [{name: x}]\n'));
  t.ok([settings, settings.upstream, settings.hosts, settings.hosts[0], settings.listen].every(Object.isFrozen));
});

t.test('a file is not needed, unless it was asked for', async (t) => {
  t.equal(load({}, { ORIGIN: 'http://a' }).settings.origin, 'http://a');
  t.same(faultsOf({}, { ORIGIN: 'a' }, { required: true }), ['portcullis.yaml: this file does not exist']);
  const denied = (): never => {
    throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
  };
  t.throws(() => load({}, { ORIGIN: 'a' }, { readFile: denied }), {
    code: 'SETTINGS_UNREADABLE',
    message: /permission denied/,
  });
});

t.test('all mistakes of all layers are reported at once, in their order', async (t) => {
  const files = {
    '/etc/p/portcullis.yaml': [
      'origin: a',
      'listen: 8080',
      'mode: Observ',
      'upstrem: {}',
      'upstream:',
      '  connect_timeout: 5s',
      '  retries: many',
      '  retries: 9',
      '  headerBytes: lots',
      'retries: 2',
      'hosts:',
      '  - name: x',
      '    origins: y',
      '  - origin: z',
      'fast: yes',
      'folders: /a',
      'note: [1]',
      '',
    ].join('\n'),
    '/etc/p/portcullis.yaml.local': 'upstream: {connectTimeout: 5}\n',
  };
  const env = { PORTCULLIS_FASST: 'true', PORTCULLIS_REDIS_PASSWORD_FILE: '/nope' };
  t.strictSame(faultsOf(files, env), [
    'portcullis.yaml:2:9: listen: a port is written after a colon. Did you mean :8080?',
    'portcullis.yaml:3:7: mode: expected block or observe. Did you mean observe?',
    'portcullis.yaml:4:1: upstrem: unknown key. Did you mean upstream?',
    'portcullis.yaml:6:3: upstream.connect_timeout: unknown key. Did you mean connectTimeout?',
    'portcullis.yaml:7:12: upstream.retries: expected a whole number',
    'portcullis.yaml:8:3: upstream.retries: set twice: the first one is on line 7',
    'portcullis.yaml:9:16: upstream.headerBytes: expected a size such as 16KiB or 1MiB, or a number of bytes',
    'portcullis.yaml:10:1: retries: unknown key. Did you mean upstream.retries?',
    'portcullis.yaml:13:5: hosts[0].origins: unknown key. Did you mean origin?',
    'portcullis.yaml:14:5: hosts[1].name: is required',
    'portcullis.yaml:15:7: fast: expected true or false, got text. Did you mean true?',
    'portcullis.yaml:16:10: folders: expected a list, got text. Did you mean [/a]?',
    'portcullis.yaml:17:7: note: expected text, got a list',
    'PORTCULLIS_FASST: unknown variable. Did you mean PORTCULLIS_FAST?',
    "PORTCULLIS_REDIS_PASSWORD_FILE: redis.password: cannot read /nope: ENOENT: no such file, open '/nope'",
    'portcullis.yaml.local:1:28: upstream.connectTimeout: expected a duration such as 10s, 5m, 4h or 7d. Did you mean 5s?',
  ]);
});

t.test('the error has the code, all places as data, and says everything in its message', async (t) => {
  t.throws(() => load(main('mode: x\n')), {
    code: 'SETTINGS_INVALID',
    message: /^The settings have 2 mistakes:\n.*origin: expected text\n.*mode: expected block or observe$/,
    faults: [
      { file: '/etc/p/portcullis.yaml', line: null, column: null, path: 'origin', suggestion: null },
      { file: '/etc/p/portcullis.yaml', line: 1, column: 7, path: 'mode', message: 'expected block or observe' },
    ],
  });
});

t.test('what stands after a syntax error is not judged, and nothing is said to be missing', async (t) => {
  const faults = faultsOf(main('mod: block\nupstream: {retries: [}\nlisten: 1\n'), { PORTCULLIS_MODE: 'x' });
  t.match(faults[0], /1:1: mod: unknown key. Did you mean mode/);
  t.match(faults[1], /portcullis.yaml:2:\d+: not valid YAML/);
  t.ok(
    faults.some((fault) => fault.startsWith('PORTCULLIS_MODE: mode: expected')),
    'variables are judged all the same',
  );
  t.notOk(faults.some((fault) => /listen|origin/.test(fault)));
});

t.test('a file that is no map is a mistake', async (t) => {
  for (const text of ['just text', '- a\n- b\n', '42'])
    t.match(faultsOf(main(text)), [/portcullis.yaml:1:1: expected keys/], text);
});

t.test('null and empty sections leave the default, and take back what an earlier layer said', async (t) => {
  const files = {
    '/etc/p/portcullis.yaml': 'origin: a\nupstream:\n  # retries: 3\nlisten:\nnote: x\nmode: observe\n',
    '/etc/p/portcullis.yaml.local': 'note: null\nmode: ~\n',
  };
  const { settings, sources } = load(files);
  t.match(settings, { note: null, mode: 'block', upstream: { retries: 1 }, listen: { port: 8080 } });
  t.same([...sources.keys()], ['origin']);
});

t.test('keys that objects have by nature are unknown keys', async (t) => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    t.same(faultsOf(main(`origin: a\n${key}: {x: 1}\n`)), [`portcullis.yaml:2:1: ${key}: unknown key`], key);
  }
  t.equal(({} as Record<string, unknown>).x, undefined);
});

t.test('relative paths start from the folder of the file', async (t) => {
  t.same(load(main('origin: a\nfolders: [x, ./y, ../z, /abs]\n')).settings.folders, [
    '/etc/p/x',
    '/etc/p/y',
    '/etc/z',
    '/abs',
  ]);
  t.same(load({}, { ORIGIN: 'a', PORTCULLIS_FOLDERS: 'x' }, { base: '/srv' }).settings.folders, ['/srv/x']);
});

t.test('a value that YAML takes for a number is text where text is meant', async (t) => {
  t.match(load(main('origin: 0x10\nnote: 1.50\n')).settings, { origin: '0x10', note: '1.50' });
});

t.test('every kind of key can be set by a variable', async (t) => {
  const { settings } = load(
    {},
    {
      ORIGIN: 'http://a',
      PORTCULLIS_LISTEN: '127.0.0.1:1',
      PORTCULLIS_UPSTREAM_CONNECT_TIMEOUT: '10ms',
      PORTCULLIS_UPSTREAM_RETRIES: '0',
      PORTCULLIS_UPSTREAM_HEADER_BYTES: '2048',
      PORTCULLIS_FOLDERS: '/a, /b,',
      PORTCULLIS_HOSTS: '[{name: x}, {name: y, origin: "z"}]',
      PORTCULLIS_FAST: 'true',
      PORTCULLIS_NOTE: 'a: b, [c',
      PORTCULLIS_MODE: '',
      PORTCULLIS_CONFIG: 'elsewhere.yaml',
      HOME: '/root',
    },
  );
  t.strictSame(settings, {
    origin: 'http://a',
    listen: { host: '127.0.0.1', port: 1 },
    mode: 'block',
    upstream: { connectTimeout: 10, retries: 0, headerBytes: 2048 },
    redis: { password: null, url: 'redis://' },
    folders: ['/a', '/b'],
    hosts: [{ name: 'x' }, { name: 'y', origin: 'z' }],
    fast: true,
    note: 'a: b, [c',
  });
  t.match(faultsOf({}, { ORIGIN: 'a', PORTCULLIS_HOSTS: '[x', PORTCULLIS_FAST: 'on' }), [
    /^PORTCULLIS_HOSTS: hosts: not valid YAML/,
    /^PORTCULLIS_FAST: fast: expected true or false, got text. Did you mean true\?$/,
  ]);
});

t.test('secrets come from files, without the final line break; nothing else does', async (t) => {
  const files = { '/run/secrets/redis': 'hunter2\n', '/run/mode': 'observe' };
  const env = { ORIGIN: 'a', PORTCULLIS_REDIS_PASSWORD_FILE: '/run/secrets/redis' };
  const { settings, sources } = load(files, env);
  t.equal(settings.redis.password, 'hunter2');
  t.equal(sources.get('redis.password'), 'PORTCULLIS_REDIS_PASSWORD_FILE');
  t.same(faultsOf(files, { ORIGIN: 'a', PORTCULLIS_MODE_FILE: '/run/mode' }), [
    'PORTCULLIS_MODE_FILE: mode: only secrets can be read from a file. Did you mean PORTCULLIS_MODE?',
  ]);
});

t.test('no message repeats a value that may be secret', async (t) => {
  const faults = faultsOf(main('origin: a\nredis: {password: [hunter2], url: {x: hunter2}}\n'), {
    PORTCULLIS_REDIS_PASWORD: 'hunter2',
  });
  t.equal(faults.length, 3);
  t.notMatch(faults.join('\n'), /hunter2/);
});

t.test('the alias yields to the full name, with a warning', async (t) => {
  const { settings, warnings } = load({}, { ORIGIN: 'http://alias', PORTCULLIS_ORIGIN: 'http://full' });
  t.equal(settings.origin, 'http://full');
  t.same(warnings, ['ORIGIN and PORTCULLIS_ORIGIN both set origin: PORTCULLIS_ORIGIN is used']);
});

t.test('variables that Kubernetes and Docker make for a service called portcullis are not settings', async (t) => {
  const links = {
    PORTCULLIS_SERVICE_HOST: '10.0.0.1',
    PORTCULLIS_SERVICE_PORT: '80',
    PORTCULLIS_SERVICE_PORT_HTTP: '80',
    PORTCULLIS_PORT: 'tcp://10.0.0.1:80',
    PORTCULLIS_PORT_80_TCP: 'tcp://10.0.0.1:80',
    PORTCULLIS_PORT_80_TCP_PROTO: 'tcp',
    PORTCULLIS_ADMIN_SERVICE_HOST: '10.0.0.2',
  };
  t.same(faultsOf({}, { ORIGIN: 'a', ...links }), []);
  t.match(faultsOf({}, { ORIGIN: 'a', PORTCULLIS_PORTS: '1' }), [/unknown variable/]);
});
