/**
 * CrowdSec's unmodified `cscli metrics` 1.4.6 on our Prometheus page, beside our own `metrics -o json`: where it finds a number we
 * have the same one, under the same names. It prints an object for each section, one behind the other and unnamed; ours are named.
 */
import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { askAll, createVisitor } from '../gateway/visitors.ts';
import { run } from '../cli/run.ts';
import { startTestGateway } from '../support/gateway.ts';
import { createCrowdsecFolder } from '../support/servers/crowdsec-folder.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { haveRealPrograms } from '../support/servers/real-programs.ts';

type Tree = { readonly [name: string]: number | Tree };

/** The sections of 1.4.6, in its order. Null: it makes one up where our page says what was poured, not from which log. */
const sections = [
  null,
  'parsers',
  'scenarios',
  'lapi',
  'lapi-bouncer',
  'lapi-machine',
  'lapi-decisions',
  'decisions',
  'alerts',
];

t.test('cscli and our own verb say the same of one gateway', async (t) => {
  if (!haveRealPrograms(t, ['crowdsec'])) return;
  const origin = await startNodeOrigin(t);
  const { gateway, port, folder } = await startTestGateway(t, {
    origin: origin.origin,
    admin: { listen: '127.0.0.1:0' },
    lapi: { listen: '127.0.0.1:0' },
  });
  const ours = async (...line: string[]): Promise<string> => {
    const { status, stdout, stderr } = await run([...line, '--socket', gateway.controlSocket], { cwd: folder });
    t.equal(status, 0, stderr);
    return stdout;
  };
  const paths = ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd', '/'];
  const targets = paths.map((target) => ({ target }));
  await askAll(createVisitor(t, port, '198.51.100.3'), targets);
  const headers = { 'x-api-key': (await ours('bouncers', 'add', 'edge', '-o', 'raw')).trim() };
  for (const ip of ['198.51.100.3', '192.0.2.1', '192.0.2.2'])
    await fetch(new URL(`v1/decisions?ip=${ip}`, gateway.facts.lapiUrls[0]), { headers });

  const { config, cscli } = await createCrowdsecFolder(t, {
    credentials: null,
    server: (path) => ({ listen_uri: '127.0.0.1:0', profiles_path: `${path}/profiles.yaml` }),
    items: [],
    files: { 'profiles.yaml': '' },
  });
  // It asks for /metrics below what it is given; without a listener of its own in the settings, for nothing.
  const settings = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>;
  const prometheus = { enabled: true, level: 'full', listen_addr: '127.0.0.1', listen_port: 1 };
  await writeFile(config, JSON.stringify({ ...settings, prometheus }));
  const asked = await cscli('metrics', '-u', gateway.adminUrl ?? '', '-o', 'json');
  t.equal(asked.status, 0, asked.stderr);
  const theirs = JSON.parse(`[${asked.stdout.replaceAll('}{', '},{')}]`) as readonly Tree[];
  const named = JSON.parse(await ours('metrics', '-o', 'json')) as Readonly<Record<string, Tree>>;
  t.equal(theirs.length, sections.length);
  for (const [at, name] of sections.entries()) {
    if (name !== null) t.same(named[name], counted(theirs[at] ?? {}), name);
  }
  t.match(named, {
    decisions: { 'portcullis/http-sensitive-files': { crowdsec: { ban: 1 } } },
    alerts: { 'portcullis/http-sensitive-files': 1 },
    'lapi-decisions': { edge: { Empty: 2, NonEmpty: 1 } },
  });
});

/** Without what was not counted, and without numbers that our page has for everything together. */
function counted(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([name, under]) => name !== '' && isCounted(under)));
}

function isCounted(under: number | Tree): boolean {
  return typeof under === 'number' ? under > 0 : Object.values(under).some(isCounted);
}
