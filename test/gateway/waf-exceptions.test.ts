/** Exceptions end to end: what is observed, proposed and added passes, on that path and in that parameter alone. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type {
  AddedExceptionModel,
  ExceptionSuggestionsModel,
  TriedExceptionModel,
  WafExceptionModel,
} from '../../gateway/admin/waf-exception-models.ts';
import { run, type Ran } from '../cli/run.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { send } from '../support/raw-client.ts';
import { type NodeOrigin, startNodeOrigin } from '../support/servers/node-origin.ts';
import { suitePath } from '../support/suites.ts';
import { type Control, controlOf } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

interface Opened extends TestGateway {
  readonly origin: NodeOrigin;
  readonly control: Control;
  readonly ask: (target: string, init?: RequestInit & { readonly client?: string }) => Promise<Response>;
  readonly cli: (...argv: readonly string[]) => Promise<Ran>;
}

async function open(t: Test, crs: string, mode: 'observe' | 'block', more: object = {}): Promise<Opened> {
  const origin = await startNodeOrigin(t);
  const gateway = await startTestGateway(t, {
    origin: origin.origin,
    detection: { builtin: false },
    waf: { coreRules: { mode, folder: crs } },
    ...more,
  });
  const { controlSocket } = gateway.gateway;
  return {
    ...gateway,
    origin,
    control: controlOf(controlSocket),
    ask: (target, { client = '203.0.113.7', ...init } = {}) =>
      fetch(`http://127.0.0.1:${gateway.port}${target}`, {
        ...init,
        headers: { 'x-forwarded-for': client, 'user-agent': 'Mozilla/5.0', accept: '*/*', ...init.headers },
      }),
    cli: (...argv) => run([...argv, '--socket', controlSocket]),
  };
}

const form = (body: string): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

/** An ordinary question of people who look after computers; rule 930120 takes it for an attack. */
const mistaken = '/search?q=/etc/hosts';

/** The words of a line as a shell would read them. */
function wordsOf(line: string): readonly string[] {
  const text = execFileSync('sh', ['-c', String.raw`printf '%s\n' ${line.replace(/^.*?(?=waf exceptions add)/, '')}`]);
  return text.toString('utf8').trimEnd().split('\n');
}

t.test('observed, proposed, added, and over a restart into blocking', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const observing = await open(t, crs, 'observe');
  const { ask, cli, control, origin } = observing;
  for (const client of ['203.0.113.1', '203.0.113.2', '203.0.113.3']) {
    t.equal((await ask(mistaken, { client })).status, 200);
  }
  t.equal((await ask('/login?user=/etc/passwd', { client: '198.51.100.66' })).status, 200);
  t.equal(origin.requests.length, 4);
  await eventually(
    () => control.refusals(),
    ({ length }) => length === 4,
  );

  const { suggestions, requests } = JSON.parse(
    (await cli('waf', 'exceptions', 'suggest', '--rule', '930120', '--json')).stdout,
  ) as ExceptionSuggestionsModel;
  t.equal(requests, 4);
  t.match(suggestions, [
    {
      rule: 930_120,
      site: 'default',
      path: '/search',
      target: 'ARGS:q',
      message: 'OS File Access Attempt',
      requests: 3,
      clients: 3,
      refused: 0,
      example: '/etc/hosts',
      stored: { tried: 3, refused: 3, passing: 3 },
      trial: { attacks: 48, refused_without: 48, place: 'query parameter', name: 'q' },
    },
    { target: 'ARGS:user', path: '/login', clients: 1 },
  ]);
  t.ok((suggestions[0]?.trial.refused_with ?? 0) >= 45, 'other rules look at that parameter as before');

  const shown = (await cli('waf', 'exceptions', 'suggest', '--rule', '930120')).stdout;
  t.match(
    shown,
    /^930120 OS File Access Attempt\n  where +ARGS:q of \/search on default\n  met by +3 requests of 3 clients/,
  );
  t.match(shown, /4\d of 48 still refused in the query parameter q/);
  const line = /add it +(.*)$/m.exec(shown)?.[1] ?? '';
  const added = await cli(...wordsOf(line), '--comment', 'people ask about files');
  t.match(added, {
    status: 0,
    stdout: /^Added [0-9a-f]{8}: rule 930120 does not look at ARGS:q of \/search on default/,
  });
  t.match(added.stdout, /3 of 3 stored requests would pass now/);

  const after = JSON.parse(
    (await cli('waf', 'exceptions', 'suggest', '--rule', '930120', '--json')).stdout,
  ) as ExceptionSuggestionsModel;
  t.same(
    after.suggestions.map(({ target }) => target),
    ['ARGS:user'],
    'what is excepted is not proposed again',
  );
  t.equal((await ask(mistaken)).status, 200);
  t.equal((await ask('/search?p=/etc/hosts')).status, 200);
  const refusals = await eventually(
    () => control.refusals(),
    ({ length }) => length >= 5,
  );
  t.equal(refusals.length, 5, 'the rules would have nothing against it any more');
  t.equal(refusals[0]?.target, '/search?p=/etc/hosts');
  await observing.gateway.stop();

  const blocking = await open(t, crs, 'block', { dataDir: observing.folder });
  const statuses = async (...targets: readonly string[]): Promise<readonly number[]> => {
    const answers: number[] = [];
    for (const target of targets) answers.push((await blocking.ask(target)).status);
    return answers;
  };
  t.same(
    await statuses(mistaken, '/search?Q=/etc/hosts', '/sear%63h?q=/etc/hosts&page=2'),
    [200, 200, 200],
    'it has outlived the restart',
  );
  t.equal((await blocking.ask('/search', form('q=/etc/hosts'))).status, 200, 'in a form');
  t.same(
    await statuses(
      '/search?p=/etc/hosts',
      '/search?q=/etc/hosts&p=/etc/passwd',
      '/search/?q=/etc/hosts',
      '/searching?q=/etc/hosts',
      '/login?q=/etc/hosts',
      '/login/..%2fsearch?q=/etc/hosts',
      '/search?q=%3Cscript%3Ealert(1)%3C/script%3E',
      "/search?q=/etc/hosts'%20UNION%20SELECT%20password%20FROM%20users--%20-",
    ),
    Array.from({ length: 8 }, () => 403),
    'other parameters, other paths, other attacks',
  );
  const [listed] = JSON.parse(
    (await blocking.cli('waf', 'exceptions', 'list', '--json')).stdout,
  ) as WafExceptionModel[];
  t.match(listed, { rule: 930_120, comment: 'people ask about files', message: 'OS File Access Attempt' });
  t.match(listed?.until, /^\d{4}-/, 'the proposed line has an end');
  t.match(await blocking.cli('waf', 'exceptions', 'remove', listed?.id ?? ''), {
    status: 0,
    stdout: 'Rule 930120 looks at ARGS:q of /search on default again.\n',
  });
  t.same(await statuses(mistaken), [403], 'at once');
  t.match(await blocking.cli('waf', 'exceptions', 'remove', listed?.id ?? ''), { status: 1, stderr: /no exception/ });
});

t.test('from one refused request, for a while', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { ask, control } = await open(t, crs, 'block');
  const refused = await ask('/files?a=/etc/hosts&b=/etc/hosts', { headers: { cookie: 'theme=/etc/hosts' } });
  t.equal(refused.status, 403);
  const request = refused.headers.get('x-request-id') ?? '';
  await eventually(
    () => control.refusals({ request }),
    ({ length }) => length === 1,
  );
  const add = (body: object): Promise<AddedExceptionModel> =>
    control.ask<AddedExceptionModel>('POST', '/v1/waf/exceptions', {}, body);
  await t.rejects(add({ rule: 930_120, request }), { code: 'USAGE', remedy: /ARGS:a.*ARGS:b/ });
  await t.rejects(add({ rule: 942_100, request }), { code: 'NOT_FOUND', remedy: /rule 930120 in ARGS:a/ });
  await t.rejects(add({ rule: 930_120, request: '00'.repeat(8) }), { code: 'NOT_FOUND' });
  const one = await add({ rule: 930_120, request, target: 'args:A' });
  t.match(one, { exception: { site: 'default', path: '/files', target: 'ARGS:A', until: null }, replaced: false });
  t.match(one.stored, { tried: 1, refused: 1, passing: 0 }, 'there are two more places');
  t.equal((await ask('/files?a=/etc/hosts')).status, 200);

  const brief = await add({ rule: 930_120, request, target: 'ARGS:b', path: '/files*', expiration: '1s' });
  t.match(brief, { exception: { path: '/files*', until: /T/ } });
  t.equal(
    await eventually(
      async () => (await ask('/files/x?b=/etc/hosts')).status,
      (status) => status === 403,
    ),
    403,
    'it has lapsed',
  );
  const { exceptions } = await control.ask<{ exceptions: WafExceptionModel[] }>('GET', '/v1/waf/exceptions');
  t.same(
    exceptions.map(({ target }) => target),
    ['ARGS:A'],
  );
});

t.test('what gives kinds of attack away everywhere wants to be insisted on', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const { ask, cli, control } = await open(t, crs, 'block');
  const attack = "/a?q=1'%20UNION%20SELECT%20password%20FROM%20users--%20-";
  t.match(await cli('waf', 'exceptions', 'add', '--rule', '949110'), {
    status: 1,
    stderr: /SQL injection.*\n.*--force/,
  });
  t.equal((await ask(attack)).status, 403);
  const dry = await cli('waf', 'exceptions', 'add', '--rule', '949110', '--dry-run', '--json');
  const [tried] = JSON.parse(dry.stdout) as TriedExceptionModel[];
  t.match(tried, { needs_force: true, trial: { refused_without: 48, refused_with: 0 } });
  t.equal(tried?.trial.lost.length, 48);
  t.equal((await ask(attack)).status, 403, 'nothing was added');
  const wide = await cli('waf', 'exceptions', 'add', '--rule', '942100', '--path', '/*');
  t.match(wide, { status: 0, stdout: /does not run for any path/ }, 'one rule of many is given up freely');
  t.equal((await ask(attack)).status, 403, 'the others are enough');
  t.match(await cli('waf', 'exceptions', 'add', '--rule', '949110', '--force'), {
    status: 0,
    stdout: /nothing is left/,
  });
  t.equal((await ask(attack)).status, 200);
  t.equal((await control.ask<{ exceptions: unknown[] }>('GET', '/v1/waf/exceptions')).exceptions.length, 2);
});

t.test('sites have exceptions of their own', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const origin = await startNodeOrigin(t);
  const { ask, cli, port } = await open(t, crs, 'block', {
    origin: origin.origin,
    sites: [{ hosts: ['shop.test', 'www.shop.test'], origin: origin.origin }],
  });
  const added = await cli(...'waf exceptions add --rule 930120 --site www.shop.test --target ARGS:q -o raw'.split(' '));
  t.match(added, { status: 0, stdout: /^[0-9a-f]{8}\n$/, stderr: '' });
  t.match((await cli('waf', 'exceptions', 'list', '-o', 'raw')).stdout, /,930120,shop\.test,,ARGS:q,,,/);
  t.equal((await ask(mistaken)).status, 403, 'the default site');
  const head = `GET ${mistaken} HTTP/1.1\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nX-Forwarded-For: 203.0.113.7\r\n`;
  const { responses } = await send(port, `${head}Host: www.shop.test\r\n\r\n`);
  t.equal(responses[0]?.status, 200, 'the site, by any of its names');
  const unknown = await cli(...'waf exceptions add --rule 930120 --site blog.test --target ARGS:q'.split(' '));
  t.match(unknown, { status: 0, stderr: /^warning: there is no site blog\.test here/ });
});

t.test('a damaged file does not keep the gateway from starting', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const first = await open(t, crs, 'block');
  await first.cli(...'waf exceptions add --rule 930120 --path /search --target ARGS:q'.split(' '));
  await first.gateway.stop();
  const file = join(first.folder, 'waf', 'exceptions.json');
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, whole.slice(0, -20));
  const { ask, log } = await open(t, crs, 'block', { dataDir: first.folder });
  t.ok(log.some(({ code, msg }) => code === 'EXCEPTIONS_UNREADABLE' && /was damaged/.test(String(msg))));
  t.ok(existsSync(`${file}.damaged`));
  t.equal((await ask(mistaken)).status, 403);
  t.equal((await ask('/fine')).status, 200);
});

t.test('without core rules there is nothing to except', async (t) => {
  const { gateway } = await startTestGateway(t, { waf: {}, origin: 'http://127.0.0.1:9' });
  for (const verb of [['list'], ['suggest'], ['add', '--rule', '1'], ['remove', '00000000']]) {
    const ran = await run(['waf', 'exceptions', ...verb, '--socket', gateway.controlSocket]);
    t.match(ran, { status: 1, stderr: /runs no core rules[^]*waf install crs/ }, verb.join(' '));
  }
});
