import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findCommand } from '../../cli/arguments.ts';
import { commands } from '../../cli/commands.ts';
import { createControlServer } from '../../gateway/admin/control-server.ts';
import { openExceptions } from '../../gateway/waf/exceptions.ts';
import type { RefusalEvent } from '../../remediation/store/store.ts';
import { world as ruleWorld } from '../detectors/waf/engine/world.ts';
import { createWorld, refusal, type World } from '../gateway/admin/world.ts';
import { type Ran, run, type RunOptions } from './run.ts';

interface Opened extends World {
  readonly cli: (line: readonly string[], options?: RunOptions) => Promise<Ran>;
}

const rules = `
SecRuleEngine On
SecRequestBodyAccess On
SecRule ARGS|REQUEST_HEADERS "@contains passwd" "id:1,phase:2,deny,status:403,msg:'a file of secrets'"
SecRule ARGS "@contains select" "id:2,phase:2,deny,status:403,msg:'SQL \x1b[31m'"
`;

async function open(t: Test): Promise<Opened> {
  const world = await createWorld(t);
  const { exceptions } = await openExceptions(join(world.folder, 'exceptions.json'), world.deps);
  const desk = { kept: exceptions, rules: ruleWorld(rules).rules };
  const server = createControlServer({ socketPath: world.socketPath }, { ...world.deps, exceptions: desk });
  await server.listen();
  t.teardown(() => server.close());
  return { ...world, cli: (line, options) => run([...line, '--socket', world.socketPath], options) };
}

let made = 0;
function found(variable: string, value: string, more: Partial<RefusalEvent> = {}): RefusalEvent {
  made++;
  const match = {
    ruleId: 1,
    place: { file: 'a.conf', line: 3 },
    phase: 2,
    msg: 'a file of secrets',
    logdata: '',
    severity: 2,
    tags: [],
    ver: '',
    values: [{ variable, value }],
    disruptive: true,
    score: 0,
  } as const;
  return refusal({
    requestId: made.toString(16).padStart(16, '0'),
    reason: 'waf',
    target: `/search?q=${value}`,
    findings: [{ layer: 'core-rules', enforced: true, ruleId: 1, score: 0, matches: [match] }],
    ...more,
  });
}

/** Bytes that a terminal obeys. */
const obeyed = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

t.test('nothing yet', async (t) => {
  const { cli } = await open(t);
  t.match(await cli(['waf', 'exceptions', 'list']), { status: 0, stdout: /^There are no exceptions\. .*suggest\n$/ });
  t.match(await cli(['waf', 'exceptions', 'list', '--json']), { stdout: '[]\n' });
  t.match(await cli(['waf', 'exceptions', 'suggest']), { status: 0, stdout: /found nothing/ });
  t.same(JSON.parse((await cli(['waf', 'exceptions', 'suggest', '--json'])).stdout), {
    suggestions: [],
    found: 0,
    requests: 0,
  });
});

t.test('suggest, add, list, remove in every format', async (t) => {
  const { cli, store } = await open(t);
  const events = [found('ARGS:q', 'passwd'), found('ARGS:q', 'passwd', { clientIp: '203.0.113.10' })];
  await store.apply(events.map((event) => ({ kind: 'refusal', event })));
  const shown = await cli(['waf', 'exceptions', 'suggest']);
  t.match(shown.stdout, /^1 a file of secrets\n  where +ARGS:q of \/search on shop\.example\n/);
  t.match(shown.stdout, /met by +2 requests of 2 clients, 2 refused, the last/);
  t.match(shown.stdout, /good for +2 of 2 stored requests would pass now\n/);
  t.match(shown.stdout, /example +passwd\n/);
  t.match(shown.stdout, /attacks +0 of 3 still refused in the query parameter q\n/, 'what is left of so few rules');
  t.match(
    shown.stdout,
    /add it .*waf exceptions add --rule 1 --site shop\.example --path \/search --target ARGS:q --for 30d\n/,
  );
  const [header, row] = (await cli(['waf', 'exceptions', 'suggest', '-o', 'raw'])).stdout.split('\n');
  t.match(header, /^rule,site,path,target,message,requests,clients,alone,refused,/);
  t.match(row, /^1,shop\.example,\/search,ARGS:q,a file of secrets,2,2,2,2,.*,passwd,3,0$/);
  t.match((await cli(['waf', 'exceptions', 'suggest', '--rule', '2'])).stdout, /Nothing to propose/);
  t.match((await cli(['waf', 'exceptions', 'suggest', '--since', '1s', '--request', '0'])).stdout, /found nothing/);

  const add = ['waf', 'exceptions', 'add', '--rule', '1', '--path', '/search'];
  const added = await cli([...add, '--target', 'args:q', '--for', '30d', '-d', '=1+1']);
  t.match(added, {
    status: 0,
    stdout: /^Added [0-9a-f]{8}: rule 1 does not look at ARGS:q of \/search from now on, ending in 30d/,
  });
  t.match(added.stdout, /gives 3 attacks away:\n +command +; cat \/etc\/passwd\n +file /);
  const id = /^Added (\w{8})/.exec(added.stdout)?.[1] ?? '';
  t.match((await cli(add)).stdout, /rule 1 does not run for \/search from now on\.\n/);
  t.match((await cli([...add, '--target', 'ARGS:Q', '--json'])).stdout, /"replaced": true/);
  const two = await cli(['waf', 'exceptions', 'add', '--rule', '1', '--rule', '2', '--target', 'ARGS:x', '-o', 'raw']);
  t.match(two.stdout, /^[0-9a-f]{8}\n[0-9a-f]{8}\n$/, 'several rules');

  const list = (await cli(['waf', 'exceptions', 'list'])).stdout;
  t.match(list, /^ID +RULE +MESSAGE +TARGET +PATH +ENDS +ADDED\n/, 'no column without a value');
  t.match(list, /whole request +\/search +never/);
  t.match(list, /ARGS:x +any +never/);
  t.notMatch(list, obeyed);
  const raw = (await cli(['waf', 'exceptions', 'list', '-o', 'raw'])).stdout;
  t.match(raw, /^id,rule,site,path,target,comment,until,created_at\n/);
  t.equal(raw.split('\n').length, 6);
  t.match(await cli(['waf', 'exceptions', 'delete', id, '--json']), { status: 0, stdout: /"deleted": \[/ });
  t.match(await cli(['waf', 'exceptions', 'remove', id]), { status: 1, stderr: /no exception/ });
});

t.test('mistakes are told with their remedy', async (t) => {
  const { cli } = await open(t);
  const cases: readonly (readonly [line: string, stderr: RegExp])[] = [
    ['', /no rule was named[^]*--rule/],
    ['--rule 77', /no rule 77[^]*why <request id>/],
    ['--rule abc', /rule: /],
    ['--rule 1 --path search', /is no path; write \/search/],
    ['--rule 1 --path /search?q=1', /is no path/],
    ['--rule 1 --target q', /"q" is no variable; write ARGS:q/],
    ['--rule 1 --for ever', /"ever" is not a duration/],
    ['--rule 1 --request 00000000000000ff', /found nothing of the kind/],
    ['--rule 1 --parameter q', /no option --parameter/],
    ['--rule 1', /attacks of these kinds|nothing would refuse/],
  ];
  for (const [line, stderr] of cases) {
    const ran = await cli(['waf', 'exceptions', 'add', ...line.split(' ').filter((word) => word !== '')]);
    t.match(ran.stderr, stderr, line);
    t.not(ran.status, 0);
  }
  t.equal(cases.length, 10);
  t.match(await cli(['waf', 'exceptions', 'remove']), { status: 64, stderr: /no exception was named/ });
});

t.test('what a client chose is neither obeyed by a terminal nor by a shell', async (t) => {
  const { cli, store } = await open(t);
  const name = "a';touch x;'\u0007";
  const event = found(`ARGS:${name}`, '\u001b]0;owned\u0007 passwd', { target: "/a'%1b$(id)*?x" });
  await store.apply([{ kind: 'refusal', event }]);
  const { stdout } = await cli(['waf', 'exceptions', 'suggest']);
  t.notMatch(stdout, obeyed);
  t.match(stdout, String.raw`--path '/a'\''%1B$(id)%2A' --target 'ARGS:a'\'';touch`);
  t.match(stdout, String.raw`\x1b]0;owned`);
  t.notMatch((await cli(['waf', 'exceptions', 'suggest'], { columns: 60 })).stdout, /[\x07]/);
});

t.test('verbs of three words are found, and those that are nearly one', async (t) => {
  const words = (line: string): string => {
    const { command, words, rest } = findCommand(line.split(' '), commands);
    return `${command?.name ?? '-'} | ${words} | ${rest.join(' ')}`;
  };
  t.equal(words('waf exceptions list --json'), 'waf exceptions list | waf exceptions list | --json');
  t.equal(
    words('--socket x waf -o raw exceptions add --rule 1'),
    'waf exceptions add | waf exceptions add | --socket x -o raw --rule 1',
  );
  t.equal(words('waf exceptions remove list'), 'waf exceptions remove | waf exceptions remove | list');
  t.equal(words('waf install crs'), 'waf install | waf install | crs');
  t.equal(words('why waf exceptions'), 'why | why | waf exceptions');
  t.equal(words('waf exceptions'), '- | waf exceptions | ');
  t.equal(words('waf exceptions ad --rule 1'), '- | waf exceptions ad | --rule 1');
  t.equal(words('waf --rule exceptions list'), '- | waf | --rule exceptions list', 'a value is no word of the verb');
  t.equal(words('decisions frob 1.2.3.4'), '- | decisions frob | 1.2.3.4');
  t.equal(words('nonsense a b'), '- | nonsense | a b');
  const family = await run(['waf', 'exceptions', '--help']);
  t.match(family, { status: 0, stdout: /waf exceptions suggest .*\n.*waf exceptions add/ });
  t.match(await run(['waf', 'exceptions', 'ad']), { status: 64, stderr: /Did you mean waf exceptions add/ });
  for (const verb of ['suggest', 'add', 'list', 'remove']) {
    t.match((await run(['help', 'waf', 'exceptions', verb])).stdout, /Examples\n/, verb);
  }
});
