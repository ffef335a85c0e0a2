/** The whole program as people run it: `bin/portcullis.js` in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

// Each verb is a process of its own, and the machine may be busy with other tests.
t.setTimeout(120_000);

const program = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js');

interface Served {
  readonly cwd: string;
  readonly child: ChildProcess;
  readonly url: string;
  /** What stood on standard error until it was up. */
  readonly banner: string;
  readonly cli: (...argv: string[]) => Promise<{ status: number; stdout: string; stderr: string }>;
}

async function serve(t: Test, env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const cwd = mkdtempSync(join(tmpdir(), 'serve-'));
  const settings = {
    PORTCULLIS_LISTEN: '127.0.0.1:0',
    PORTCULLIS_ADMIN_LISTEN: '127.0.0.1:0',
    PORTCULLIS_ACCESS_LOG_FORMAT: 'off',
    ...env,
  };
  const child = spawn(process.execPath, [program, 'serve'], {
    cwd,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(cwd, { recursive: true, force: true });
  });
  let banner = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      banner += text;
      if (/(Lift the ban|See what it decided)[^]*\n\n/.test(banner)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${banner}`)));
  });
  const url = / gateway +(http:\S+)/.exec(banner)?.[1] ?? '';
  return { cwd, child, url, banner, cli: (...argv) => runProgram(argv, cwd) };
}

async function runProgram(
  argv: readonly string[],
  cwd: string,
): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, ...argv], {
    cwd,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const [status] = (await once(child, 'close')) as [number];
  return { status, ...written };
}

const visitor = { 'x-forwarded-for': '203.0.113.9' };

t.test('the demo: attacked as the banner says, explained, lifted, and proved', async (t) => {
  const { url, banner, cli, child, cwd } = await serve(t);
  t.match(banner, /demo site/);
  const [, base = '', list = ''] = /'(http:[^{']*)\{([^}]*)\}'/.exec(banner) ?? [];
  t.equal(base, `${url}/`);
  const statuses: number[] = [];
  for (const path of list.split(',')) statuses.push((await fetch(`${base}${path}`, { headers: visitor })).status);
  t.equal(statuses[0], 404, 'the first ones are passed on');
  t.equal(statuses.at(-1), 403, 'the last one is refused');

  const refused = await fetch(url, { headers: visitor });
  t.equal(refused.status, 403);
  const id = refused.headers.get('x-request-id') ?? '';
  t.equal((await fetch(url)).status, 200, 'others are served');

  const listed = JSON.parse((await cli('decisions', 'list', '--json')).stdout) as object[];
  t.match(listed, [{ decisions: [{ value: '203.0.113.9', type: 'ban', origin: 'crowdsec' }] }]);
  const why = await cli('why', id);
  t.equal(why.status, 0, why.stderr);
  t.match(why.stdout, /derived from +the header x-forwarded-for[^]*Decision[^]*Events \(/);

  t.match(await cli('decisions', 'delete', '--ip', '203.0.113.9'), { status: 0, stdout: /Lifted 1 decision/ });
  t.equal((await fetch(url, { headers: visitor })).status, 200, 'at once');

  for (const round of ['first', 'second']) {
    const selftest = await cli('selftest');
    t.equal(selftest.status, 0, `${round}: ${selftest.stdout}${selftest.stderr}`);
    t.match(selftest.stdout, /✓ alert[^]*✓ decision[^]*✓ refusal[^]*✓ origin[^]*✓ lifting[^]*✓ passes again/);
  }
  t.match(JSON.parse((await cli('decisions', 'list', '--json')).stdout), [], 'nothing is left behind');

  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  t.equal(code, 0);
  t.notOk(existsSync(join(cwd, 'data', 'admin.sock')));
  t.equal((await cli('status')).status, 69);
});

t.test('observe mode notices and refuses nobody; the self-test says so', async (t) => {
  const { banner, cli } = await serve(t, { PORTCULLIS_MODE: 'observe' });
  t.match(banner, /observe: everything is noticed, nothing refused/);
  const selftest = await cli('selftest');
  t.equal(selftest.status, 0, selftest.stdout + selftest.stderr);
  t.match(selftest.stdout, /✓ observed +passed with 200; block mode would have refused it/);
});

t.test('a request in flight holds the stop, and a second signal does not wait', async (t) => {
  const { child, url, cli } = await serve(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
  await untilHeld(cli);
  let text = '';
  const announced = new Promise<void>((resolve) => {
    child.stderr?.on('data', (part: string) => {
      text += part;
      if (text.includes('Stopping')) resolve();
    });
  });
  child.kill('SIGTERM');
  await announced;
  t.equal(child.exitCode, null, 'it waits for the request');
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  t.equal(code, 1);
});

/** The gateway has answered on its socket, so the bytes that were sent before have arrived. */
async function untilHeld(cli: Served['cli']): Promise<void> {
  await cli('status');
}

t.test('a second gateway on the same data or the same address is refused, with a remedy', async (t) => {
  const first = await serve(t);
  const sameData = await serveOnce(first.cwd, { PORTCULLIS_LISTEN: '127.0.0.1:0', PORTCULLIS_ADMIN_LISTEN: 'off' });
  t.equal(sameData.status, 69);
  t.match(sameData.stderr, /another gateway answers|no other gateway uses/);
  t.match(sameData.stderr, '→');

  const cwd = mkdtempSync(join(tmpdir(), 'serve-'));
  t.teardown(() => rmSync(cwd, { recursive: true, force: true }));
  const { port } = new URL(first.url);
  const sameAddress = await serveOnce(cwd, { PORTCULLIS_LISTEN: `127.0.0.1:${port}`, PORTCULLIS_ADMIN_LISTEN: 'off' });
  t.equal(sameAddress.status, 69);
  t.match(sameAddress.stderr, `127.0.0.1:${port} is already in use`);
  t.equal((await first.cli('status')).status, 0, 'the first one is not disturbed');
});

async function serveOnce(
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ status: number; stderr: string }> {
  const child = spawn(process.execPath, [program, 'serve'], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number];
  return { status, stderr };
}

t.test('settings with mistakes end with 78 and name the place', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'serve-'));
  t.teardown(() => rmSync(cwd, { recursive: true, force: true }));
  const { status, stderr } = await serveOnce(cwd, { PORTCULLIS_LISTEN: 'nowhere', ORIGIN: 'http://127.0.0.1:1' });
  t.equal(status, 78);
  t.match(stderr, /PORTCULLIS_LISTEN/);
});
