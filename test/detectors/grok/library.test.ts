import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import type { StringMap } from '../../../detectors/event.ts';
import { type Definition, defineText, expand } from '../../../detectors/grok/definition.ts';
import { createGrokRegistry } from '../../../detectors/grok/grok-registry.ts';
import { libraryTables } from '../../../detectors/grok/library/index.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { askLinearEngine } from '../regex/linear-child.ts';

/** Every definition as the regular expression that it expands to. */
function expansions(): string[] {
  const definitions = new Map<string, Definition>();
  const sources: string[] = [];
  for (const [name, body] of libraryTables.flatMap((table) => Object.entries(table))) {
    const definition = defineText(body, (other) => definitions.get(other) ?? null);
    definitions.set(name, definition);
    sources.push(expand(definition, 'f_'));
  }
  return sources;
}

t.test('no name is defined twice', async (t) => {
  const names = libraryTables.flatMap((table) => Object.keys(table));
  t.equal(new Set(names).size, names.length);
  t.equal(names.length, 397);
});

t.test('every definition compiles, and the linear engine accepts it', async (t) => {
  const patterns = expansions().map((source) => compilePattern(source, { groups: 'named' }));
  const answers = askLinearEngine(patterns.map((pattern) => [pattern.regexp.source, null]));
  t.equal(answers.length, 397);
  t.same(
    answers.filter((answer) => answer !== null),
    [],
  );
});

t.test('hostile texts come to an end', async (t) => {
  const fillers = ['a', '1', '.', ':', '/', '"\\', "'a", 'a.', '1.', 'a:', ' a', '- ', '1,', '[a', ';a', '\t1', 'IN='];
  const sources = expansions();
  const child = spawnSync(process.execPath, [join(import.meta.dirname, '../regex/hostile-child.ts')], {
    input: JSON.stringify({
      sources,
      options: { groups: 'named' },
      texts: fillers.map((unit) => `${unit.repeat(400)}!`),
    }),
    encoding: 'utf8',
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  t.equal(child.status, 0, `the process came back (${child.signal ?? ''}${child.stderr.slice(0, 200)})`);
  t.match(JSON.parse(child.stdout), { tried: sources.length * fillers.length });
});

/** A name, a line, and what it yields; null where it finds nothing. */
const examples: readonly (readonly [string, string, StringMap | null])[] = [
  ['IPV6', '2001:db8::1 x', { whole: '2001:db8::1' }],
  ['IPV6', '::ffff:1.2.3.4', { whole: '::ffff:1' }],
  ['IPV6', '1:2:3:4:5:6:1.2.3.4', { whole: '1:2:3:4:5:6:1.2.3.4' }],
  ['IP', 'x 300.1.2.3', { whole: '00.1.2.3' }],
  ['IPV4', '010.001.1.1', { whole: '010.001.1.1' }],
  ['HOSTNAME', `${'a'.repeat(64)}.de`, { whole: 'a'.repeat(63) }],
  ['HOSTNAME', '-www.example.org. ', { whole: 'www.example.org.' }],
  ['UNIXPATH', 'in /var/log/a\\ b;c', { whole: '/var/log/a\\ b' }],
  ['QUOTEDSTRING', String.raw`a "b \" c" "d"`, { whole: String.raw`"b \" c"` }],
  ['QUOTEDSTRING', '"open', null],
  ['MONTHNUM', '10', { whole: '1' }],
  ['MONTHDAY', '31', { whole: '31' }],
  ['SECOND', '60', { whole: '6' }],
  ['TIMESTAMP_ISO8601', 'at 2024-12-31T23:59:59.123+01:00,', { whole: '2024-12-31T23:59:59.123+01:00' }],
  ['LOGLEVEL', '[warning]', { whole: 'warning' }],
  ['URIHOST', '[example.org:8080]', { whole: 'example.org:8080', port: '8080' }],
  ['SYSLOGPROG', 'sshd[77]:', { whole: 'sshd[77]', program: 'sshd', pid: '77' }],
  [
    'SYSLOGLINE',
    'Mar  1 00:00:01 host cron[1]: (root) CMD',
    {
      whole: 'Mar  1 00:00:01 host cron[1]: (root) CMD',
      timestamp: 'Mar  1 00:00:01',
      timestamp8601: '',
      facility: '',
      priority: '',
      logsource: 'host',
      program: 'cron',
      pid: '1',
      message: '(root) CMD',
    },
  ],
  [
    'COMMONAPACHELOG',
    '192.0.2.1 - bob [01/Mar/2024:10:11:12 +0100] "GET /a?b HTTP/1.1" 404 -',
    {
      whole: '192.0.2.1 - bob [01/Mar/2024:10:11:12 +0100] "GET /a?b HTTP/1.1" 404 -',
      clientip: '192.0.2.1',
      ident: '-',
      auth: 'bob',
      timestamp: '01/Mar/2024:10:11:12 +0100',
      verb: 'GET',
      request: '/a?b',
      httpversion: '1.1',
      rawrequest: '',
      response: '404',
      bytes: '',
    },
  ],
  [
    'SSHD_FAIL',
    'Failed password for root from 192.0.2.1 port 22 ssh2',
    {
      whole: 'Failed password for root from 192.0.2.1 port 22 ssh2',
      sshd_auth_type: 'password',
      sshd_invalid_user: 'root',
      sshd_client_ip: '192.0.2.1',
      sshd_port: '22',
      sshd_protocol: 'ssh2',
    },
  ],
  [
    'NAGIOS_HOST_ALERT',
    'HOST ALERT: db;DOWN;SOFT;1;timeout',
    {
      whole: 'HOST ALERT: db;DOWN;SOFT;1;timeout',
      nagios_type: 'HOST ALERT',
      nagios_hostname: 'db',
      nagios_state: 'DOWN',
      nagios_statelevel: 'SOFT',
      nagios_attempt: '1',
      nagios_message: 'timeout',
    },
  ],
];

t.test('examples', async (t) => {
  for (const [name, line, expected] of examples) {
    const into: StringMap = {};
    const found = createGrokRegistry().compile(`%{${name}:whole}`).exec(line, into);
    t.same(found ? into : null, expected, `${name} on ${line}`);
  }
  t.equal(examples.length, 21);
});
