/**
 * Lists for firewalls, read by real ones: nftables and ipset in a network namespace are given what docs/feeds.md says, word for
 * word, and hold what the gateway decided. Then the feeds over HTTP: keys, and many readers of a long list.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createControlClient } from '../../../cli/control-client.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { createNetworkNamespace, type NetworkNamespace } from '../../support/servers/network-namespace.ts';
import { searchPath, unshareNetwork } from '../../support/servers/real-programs.ts';
import { type Control, controlOf } from '../visitors.ts';
import { addBouncer, askLapi, lapiUrlOf } from './lapi-client.ts';
import { eventually } from '../../support/eventually.ts';

t.setTimeout(120_000);

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'feeds.md'), 'utf8');

/** The commands under a heading of the page. */
function commandsOf(heading: string): string[] {
  const section = page.slice(page.indexOf(`\n## ${heading}\n`) + 1);
  const [, block = ''] = /^```console\n([^`]*)^```$/m.exec(section) ?? [];
  return block.split('\n').flatMap((line) => (line.startsWith('# ') ? [line.slice(2)] : []));
}

interface Opened {
  readonly control: Control;
  readonly url: string;
  readonly key: string;
  readonly folder: string;
}

async function open(t: Test): Promise<Opened> {
  const { gateway, folder } = await startTestGateway(t, {
    origin: 'http://127.0.0.1:9',
    lapi: { listen: '127.0.0.1:0' },
  });
  const control = controlOf(gateway.controlSocket);
  return { control, url: await lapiUrlOf(control), key: await addBouncer(control, 'edge-router'), folder };
}

/** Null, with one counted skip, where there is no network namespace with these tools. */
async function firewall(t: Test, probe: string): Promise<NetworkNamespace | null> {
  const tried = spawnSync('unshare', [...unshareNetwork, 'sh', '-c', probe], {
    env: { PATH: searchPath, LC_ALL: 'C' },
    encoding: 'utf8',
  });
  if (tried.status === 0) return createNetworkNamespace(t);
  const reason = `not on this machine, \`${probe}\`: ${tried.stderr.trim() || `status ${tried.status}`}`;
  t.pass(reason, { skip: reason });
  return null;
}

/** Runs commands of the page as somebody who follows it would, with the gateway's port for the usual one. */
async function follow(namespace: NetworkNamespace, { url, key }: Opened, commands: readonly string[]): Promise<void> {
  const port = new URL(url).port;
  for (const command of commands) {
    const here = command.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`);
    await namespace.run('bash', '-o', 'pipefail', '-c', `KEY=${key}; ${here}`);
  }
}

interface NftElement {
  readonly elem: {
    readonly val: string | { readonly prefix: { readonly addr: string; readonly len: number } };
    readonly timeout: number;
  };
}

/** The members of a set with their seconds, sorted. */
async function nftSet(namespace: NetworkNamespace, set: string): Promise<[string, number][]> {
  const text = await namespace.run('nft', '-j', 'list', 'set', 'inet', 'portcullis', set);
  const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: NftElement[] } }[] };
  const elements = nftables.flatMap(({ set: found }) => found?.elem ?? []);
  return elements
    .map(({ elem: { val, timeout } }): [string, number] => [
      typeof val === 'string' ? val : `${val.prefix.addr}/${val.prefix.len}`,
      timeout,
    ])
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}

async function ipsetMembers(namespace: NetworkNamespace, set: string): Promise<[string, number][]> {
  const text = await namespace.run('ipset', 'list', set);
  return Array.from(text.matchAll(/^(\S+) timeout (\d+)/gm), ([, value = '', seconds]): [string, number] => [
    value,
    Number(seconds),
  ]).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

const values = (members: readonly [string, number][]): string[] => members.map(([value]) => value);

/** Which of `senders` reach a socket on the loopback; the last has to. On it what is sent first arrives first. */
async function arriving(namespace: NetworkNamespace, senders: readonly string[]): Promise<string[]> {
  for (const address of senders) await namespace.run('ip', 'address', 'replace', address, 'dev', 'lo');
  const script = `
    const dgram = require('node:dgram');
    const senders = ${JSON.stringify(senders)};
    // One socket for both families, so that the order holds.
    const inbox = dgram.createSocket('udp6');
    inbox.on('message', (_, remote) => {
      const address = remote.address.replace('::ffff:', '');
      console.log(address);
      if (address === senders.at(-1)) process.exit(0);
    });
    inbox.bind(0, '::', async () => {
      const { port } = inbox.address();
      for (const from of senders) {
        const six = from.includes(':');
        const socket = dgram.createSocket(six ? 'udp6' : 'udp4');
        await new Promise((done) => socket.bind(0, from, done));
        // A firewall that drops what leaves on the same interface may say so to the sender.
        await new Promise((done) => socket.send('x', port, six ? '::1' : '127.0.0.1', () => done()));
        socket.close();
      }
    });`;
  return (await namespace.run(process.execPath, '-e', script)).trim().split('\n');
}

async function decide(control: Control): Promise<void> {
  await control.ban('Ip', '192.0.2.1', { duration: '1h' });
  await control.ban('Ip', '192.0.2.2', { duration: '4h' });
  await control.ban('Ip', '2001:db8::7', { duration: '2h' });
  await control.ban('Ip', '192.0.2.3', { type: 'captcha' });
  await control.ban('Country', 'FR');
  // An address that is a network too; networks within each other, beside each other, and one twice.
  await control.ban('Range', '192.0.2.1/32', { duration: '3h' });
  await control.ban('Range', '198.51.100.0/24', { duration: '2h' });
  await control.ban('Range', '198.51.100.64/26', { duration: '4h' });
  await control.ban('Range', '198.51.100.0/25', { duration: '4h' });
  await control.ban('Range', '198.51.101.0/24', { duration: '2h' });
  await control.ban('Range', '203.0.113.0/28', { duration: '1h' });
  await control.ban('Range', '203.0.113.0/28', { duration: '5h' });
  await control.ban('Range', '2001:db8:1::/48', { duration: '90m' });
}

/** Within a minute of the hours that were asked for: the test takes that long at most. */
function sameHours(t: Test, members: readonly [string, number][], wanted: Readonly<Record<string, number>>): void {
  t.same(values(members), Object.keys(wanted).toSorted());
  for (const [value, seconds] of members) {
    const hours = wanted[value] ?? 0;
    t.ok(seconds <= hours * 3_600 && seconds > hours * 3_600 - 60, `${value}: ${seconds} s of ${hours} h`);
  }
}

t.test('nftables holds what the feed says, and another reading replaces it', async (t) => {
  const namespace = await firewall(t, 'nft list ruleset');
  if (namespace === null) return;
  const opened = await open(t);
  const { control } = opened;
  await namespace.bringIn(Number(new URL(opened.url).port));
  await decide(control);
  const commands = commandsOf('nftables');
  t.equal(commands.length, 7);
  const reading = commands.filter((command) => command.includes('nft -f'));
  t.equal(reading.length, 1);
  await follow(namespace, opened, commands);

  sameHours(t, await nftSet(namespace, 'address4'), { '192.0.2.1': 3, '192.0.2.2': 4 });
  sameHours(t, await nftSet(namespace, 'address6'), { '2001:db8::7': 2 });
  sameHours(t, await nftSet(namespace, 'network4'), {
    '198.51.100.0/24': 2,
    '198.51.101.0/24': 2,
    '203.0.113.0/28': 5,
  });
  sameHours(t, await nftSet(namespace, 'network6'), { '2001:db8:1::/48': 1.5 });
  const senders = ['192.0.2.1', '198.51.100.99', '2001:db8::7', '2001:db8:1::9', '2001:db8::8', '192.0.2.9'];
  t.same(await arriving(namespace, senders), ['2001:db8::8', '192.0.2.9'], 'the rules of the page drop the others');

  t.equal(await control.lift({ value: '192.0.2.2' }), 1);
  t.ok((await control.lift({ range: '198.51.100.0/24' })) >= 1);
  await control.ban('Ip', '192.0.2.9');
  await eventually(
    async () => (await feed(opened, 'plain', opened.key)).text,
    (text) => text.includes('192.0.2.9') && !text.includes('192.0.2.2\n'),
  );
  await follow(namespace, opened, reading);
  t.same(values(await nftSet(namespace, 'address4')), ['192.0.2.1', '192.0.2.9']);
  t.same(await arriving(namespace, ['192.0.2.9', '192.0.2.2']), ['192.0.2.2']);
  await follow(namespace, opened, reading);
  t.same(values(await nftSet(namespace, 'address4')), ['192.0.2.1', '192.0.2.9'], 'the same once more');
});

t.test('ipset holds what the feed says, and iptables drops by it', async (t) => {
  const probe = 'ipset create probe hash:net && iptables -I INPUT -m set --match-set probe src -j DROP && ip6tables -L';
  const namespace = await firewall(t, probe);
  if (namespace === null) return;
  const opened = await open(t);
  const { control } = opened;
  await namespace.bringIn(Number(new URL(opened.url).port));
  await decide(control);
  const commands = commandsOf('ipset and iptables');
  t.equal(commands.length, 3);
  await follow(namespace, opened, commands);
  const networks = { '198.51.100.0/24': 2, '198.51.100.0/25': 4, '198.51.100.64/26': 4, '198.51.101.0/24': 2 };
  const wanted = { '192.0.2.1': 3, '192.0.2.2': 4, ...networks, '203.0.113.0/28': 5 };
  sameHours(t, await ipsetMembers(namespace, 'portcullis4'), wanted);
  sameHours(t, await ipsetMembers(namespace, 'portcullis6'), { '2001:db8::7': 2, '2001:db8:1::/48': 1.5 });
  const senders = ['192.0.2.1', '198.51.100.99', '2001:db8::7', '2001:db8:1::9', '192.0.2.9'];
  t.same(await arriving(namespace, senders), ['192.0.2.9']);

  t.equal(await control.lift({ value: '192.0.2.2' }), 1);
  await control.ban('Ip', '192.0.2.9');
  await eventually(
    async () => (await feed(opened, 'plain', opened.key)).text,
    (text) => text.includes('192.0.2.9') && !text.includes('192.0.2.2\n'),
  );
  await follow(namespace, opened, commands.slice(0, 1));
  const { '192.0.2.2': _, ...left } = wanted;
  t.same(values(await ipsetMembers(namespace, 'portcullis4')), Object.keys({ ...left, '192.0.2.9': 4 }).toSorted());
  t.same(await arriving(namespace, ['192.0.2.9', '192.0.2.2']), ['192.0.2.2'], 'the rule goes on with the new set');
  const sets = await namespace.run('ipset', 'list', '-name');
  t.same(sets.trim().split('\n').toSorted(), ['portcullis4', 'portcullis6'], 'nothing else is left');

  await control.ban('Range', '0.0.0.0/0');
  await eventually(
    async () => (await feed(opened, 'plain', opened.key)).text,
    (text) => text.includes('0.0.0.0/0'),
  );
  await follow(namespace, opened, commands.slice(0, 1));
  const all = values(await ipsetMembers(namespace, 'portcullis4'));
  t.ok(all.includes('0.0.0.0/1') && all.includes('128.0.0.0/1'), 'who bans everything bans everything here too');
});

/** The feed with its key in the header, or as `how` says. */
function feed(
  { url }: Pick<Opened, 'url'>,
  path: string,
  key: string,
  how: 'header' | 'basic' | 'query' = 'header',
): Promise<{ readonly status: number; readonly text: string }> {
  switch (how) {
    case 'header':
      return askLapi(url, 'GET', `/v1/feeds/${path}`, { 'x-api-key': key });
    case 'basic': {
      const authorization = `Basic ${Buffer.from(`router:${key}`).toString('base64')}`;
      return askLapi(url, 'GET', `/v1/feeds/${path}`, { authorization });
    }
    case 'query':
      return askLapi(url, 'GET', `/v1/feeds/${path}?key=${encodeURIComponent(key)}`, {});
    default:
      return how satisfies never;
  }
}

t.test('the key is given in three ways, and a wrong one is refused in all of them', async (t) => {
  const opened = await open(t);
  await opened.control.ban('Ip', '192.0.2.1');
  await eventually(
    () => feed(opened, 'plain', opened.key),
    ({ text }) => text !== '',
  );
  for (const how of ['header', 'basic', 'query'] as const) {
    const good = await feed(opened, 'plain', opened.key, how);
    t.same(good, { status: 200, text: '192.0.2.1\n' }, how);
    const wrong = await feed(opened, 'plain', `${opened.key}x`, how);
    t.same([wrong.status, JSON.parse(wrong.text)], [403, { message: 'access forbidden' }], `${how}, wrong`);
  }
  t.equal((await askLapi(opened.url, 'GET', '/v1/feeds/plain', {})).status, 403, 'none');
  t.equal((await feed(opened, 'junos', opened.key)).status, 404);
  t.equal((await feed(opened, 'plain?versions=5', opened.key)).status, 400);
});

/** A reader that does not read: the answer's head, and the rest when it is asked for. */
async function reader({ url, key }: Opened): Promise<IncomingMessage> {
  const asking = request(`${url}/v1/feeds/csv`, { headers: { 'x-api-key': key }, agent: false });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.pause();
  return answer;
}

t.test('200,000 decisions: eight readers at once, the ninth comes again', async (t) => {
  const opened = await open(t);
  const count = 200_000;
  const value = (index: number): string => `45.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  async function* rows(): AsyncGenerator<string> {
    for (let at = 0; at < count; at += 1_000) {
      yield JSON.stringify(Array.from({ length: 1_000 }, (_, index) => [at + index + 1, value(at + index)]));
    }
  }
  await createControlClient(join(opened.folder, 'admin.sock')).send('/v1/decisions/import', {}, rows());
  const text = await eventually(
    async () => (await feed(opened, 'plain', opened.key)).text,
    (found) => found.length > 1_000_000 && found.split('\n').length === count + 1,
  );
  const listed = new Set(text.trimEnd().split('\n'));
  t.equal(listed.size, count, 'each once');
  t.ok(listed.has(value(0)) && listed.has(value(count - 1)));

  const readers = await Promise.all(Array.from({ length: 8 }, () => reader(opened)));
  t.same(new Set(readers.map(({ statusCode }) => statusCode)), new Set([200]));
  const ninth = await reader(opened);
  t.equal(ninth.statusCode, 503);
  t.match(ninth.headers['retry-after'], /^\d+$/);
  ninth.resume();
  // One gives up in the middle, the others read on to the end.
  readers[0]?.destroy();
  const again = await eventually(
    async () => {
      const answer = await reader(opened);
      if (answer.statusCode !== 200) answer.resume();
      return answer;
    },
    ({ statusCode }) => statusCode === 200,
  );
  for (const answer of [...readers.slice(1), again]) {
    let lines = 0;
    for await (const chunk of answer) for (const byte of chunk as Buffer) if (byte === 10) lines++;
    t.equal(lines, count + 1);
  }
});
