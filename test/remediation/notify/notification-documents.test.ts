import fc from 'fast-check';
import t from 'tap';
import { checkNotificationNames } from '../../../remediation/notify/check-notification-names.ts';
import { loadNotificationDocuments, readNotificationText } from '../../../remediation/notify/notification-documents.ts';
import { channelTypes } from '../../../remediation/notify/channels/index.ts';

const slack = `type: slack
name: slack_default
log_level: info
# group_wait:
format: |
  {{range . -}}
  {{$alert := . -}}
  {{range .Decisions -}}
  {{.Value}} gets {{.Type}} on {{$alert.MachineID}}
  {{end -}}
  {{end -}}
webhook: https://hooks.example/services/T/B/X
`;

function faultsOf(text: string, environment: Record<string, string> = {}): readonly string[] {
  return readNotificationText(text, 'n.yaml', environment).faults;
}

t.test('a file of every type, with CrowdSec keys and defaults', async (t) => {
  const http =
    'type: http\nname: http_default\nformat: |\n  {{.|toJson}}\nurl: http://h/x\nmethod: POST\nheaders:\n  Authorization: token0x64312313\nskip_tls_verification: true\n';
  const splunk = 'type: splunk\nname: s\nformat: "{{.|toJson}}"\nurl: https://s:8088\ntoken: t\n';
  const email =
    'type: email\nname: e\nformat: x\ntimeout: 20s\nsmtp_host: m\nsmtp_port: 587\nsmtp_username: u\nsmtp_password: 0123\nauth_type: login\nsender_name: CrowdSec\nsender_email: a@b.c\nemail_subject: "CrowdSec Notification"\nreceiver_emails:\n- x@y.z\n- q@y.z\nencryption_type: ssltls\nhelo_host: h\nconnect_timeout: 10s\nsend_timeout: 10s\n';
  const file =
    'type: file\nname: f\nformat: x\ngroup_wait: 30s\ngroup_threshold: 10\nmax_retry: 3\nlog_path: /tmp/x\nrotate:\n  enabled: true\n  max_size: 500\n  max_files: 5\n  max_age: 5\n  compress: true\n';
  const sentinel = 'type: sentinel\nname: z\nformat: x\ncustomer_id: a-b\nshared_key: AAAA\nlog_type: crowdsec\n';
  const syslog = 'type: syslog\nname: y\nformat: x\naddress: udp://h:514\n';
  const { documents, faults } = readNotificationText(
    [slack, http, splunk, email, file, sentinel, syslog].join('---\n'),
    'n.yaml',
    {},
  );
  t.strictSame(faults, []);
  t.strictSame(
    documents.map(({ type, name }) => `${type}:${name}`),
    ['slack:slack_default', 'http:http_default', 'splunk:s', 'email:e', 'file:f', 'sentinel:z', 'syslog:y'],
  );
  t.strictSame(
    new Set(documents.map(({ type }) => type)),
    new Set(channelTypes.map(({ type }) => type)),
    'no type is left out',
  );
  t.match(documents[0], {
    type: 'slack',
    file: 'n.yaml',
    logLevel: 'info',
    groupWaitMs: 0,
    groupThreshold: 0,
    maxRetry: 0,
    timeoutMs: 5_000,
    secrets: ['services/T/B/X'],
  });
  t.match(documents[4], { groupWaitMs: 30_000, groupThreshold: 10, maxRetry: 3 });
  t.equal(documents[3]?.timeoutMs, 20_000);
  t.strictSame(documents[3]?.secrets, ['0123'], 'a password of digits is the text as written');
});

t.test('variables of the environment stand in for secrets; templates keep theirs', async (t) => {
  const text =
    'type: http\nname: h_$STAGE\nformat: "{{$HOME := 1}}${HOME}"\nurl: https://${HOST}/p\nheaders:\n  a: $TOKEN ${NOT_SET} $5 $$\ngroup_threshold: ${N}\n';
  const environment = { STAGE: 'prod', HOST: 'h.example', TOKEN: 'a: b\nc', N: '7', HOME: '/root' };
  t.strictSame(faultsOf(text, environment), ['n.yaml:6: headers.a: holds characters that a header cannot carry']);
  const { documents, faults } = readNotificationText(text, 'n.yaml', { ...environment, TOKEN: 'a: ${N} #b' });
  t.strictSame(faults, []);
  t.match(documents[0], { name: 'h_prod', groupThreshold: 7, template: { source: '{{$HOME := 1}}${HOME}' } });
  t.ok(
    documents[0]?.secrets.includes('a: ${N} #b ${NOT_SET} $5 $$'),
    'what a variable holds is neither YAML nor expanded again',
  );
});

t.test('mistakes are named with line and near word, values are not repeated', async (t) => {
  const rows: readonly (readonly [text: string, faults: readonly string[]])[] = [
    [
      'type: slak\nname: x\n',
      [
        'n.yaml:1: type: there is no type slak: one of email, file, http, sentinel, slack, splunk, syslog; is slack meant?',
      ],
    ],
    ['name: x\n', ['n.yaml:1: type: is missing: one of email, file, http, sentinel, slack, splunk, syslog']],
    ['- a\n', ['n.yaml:1: a notification is a map of keys and values']],
    [
      'type: http\nname: x\nformat: y\nurl: http://h\ntokn: SECRET\n',
      ['n.yaml:5: tokn: is no key of a notification of the type http'],
    ],
    [
      'type: slack\nname: x\nformat: y\nwebhok: SECRET\n',
      [
        'n.yaml:4: webhok: is no key of a notification of the type slack; is webhook meant?',
        'n.yaml:1: webhook: is missing',
      ],
    ],
    [
      'type: slack\nname: x\nformat: y\nwebhook: SECRET\n',
      ['n.yaml:4: webhook: expected a URL that begins with http:// or https://'],
    ],
    [
      `${slack}group_treshold: 3\n`,
      ['n.yaml:13: group_treshold: is no key of a notification of the type slack; is group_threshold meant?'],
    ],
    [
      `${slack}group_wait: soon\nmax_retry: -1\ntimeout: 1y\n`,
      [
        'n.yaml:13: group_wait: expected a duration such as 10s, up to 24h',
        'n.yaml:14: max_retry: expected a whole number from 0 to 1000',
        'n.yaml:15: timeout: expected a duration such as 10s, up to 10m',
      ],
    ],
    ['type: http\nname:\nformat: "{{.X"\nurl: http://h\n', ['n.yaml:2: name: is missing']],
    ['type: http\nname: n\nformat: "{{.X"\nurl: http://h\n', ['n.yaml:3: format: template: n:1:1: unclosed action']],
    [
      'type: http\nname: n\nformat: "{{env \\"HOME\\"}}"\nurl: http://h\n',
      [
        'n.yaml:3: format: template: n:1:3: function "env" is not offered: a template may not read the environment, where secrets stand',
      ],
    ],
    ['type: http\nname: n\nname: m\n', ['n.yaml:3: Map keys must be unique']],
    ['type: [\n', ['n.yaml:2: Flow sequence in block collection must be sufficiently indented and end with a ]']],
    [
      'type: http\nname: n\nformat: x\nurl: http://h\nlog_level: loud\n',
      ['n.yaml:5: log_level: expected trace, debug, info, warn, error or off'],
    ],
  ];
  for (const [text, faults] of rows) t.strictSame(faultsOf(text), faults, text);
  t.equal(rows.length, 14);
  t.strictSame(faultsOf('# nothing\n---\n---\n# at all\n'), []);
});

t.test('a folder: every file, sorted; an absent one is empty; all faults at once', async (t) => {
  const folder = t.testdir({
    'b.yaml': slack,
    'a.yml': slack.replace('slack_default', 'other'),
    'notes.txt': 'type: nonsense',
    'c.yaml': '# only a comment\n',
  });
  t.strictSame(
    (await loadNotificationDocuments(folder, {})).map(({ name }) => name),
    ['other', 'slack_default'],
  );
  t.strictSame(await loadNotificationDocuments(`${folder}/nothing-here`, {}), []);
  const bad = t.testdir({ twice: { 'a.yaml': slack, 'b.yaml': slack, 'c.yaml': 'type: x\n', 'd.yaml': {} } });
  const fault = (await loadNotificationDocuments(`${bad}/twice`, {}).catch((thrown: unknown) => thrown)) as Error;
  t.match(fault, { code: 'NOTIFICATION_INVALID', remedy: /notifications folder/ });
  t.match(fault.message.split('\n'), [
    /c\.yaml:1: type: there is no type x/,
    /d\.yaml: EISDIR/,
    /b\.yaml: the name slack_default is used already, in .*a\.yaml/,
  ]);
});

t.test('aliases are followed, and end', async (t) => {
  const text = `type: http\nname: n\nformat: &f "x"\nurl: http://h\nheaders: {a: *f}\n`;
  t.strictSame(faultsOf(text), []);
});

t.test('names that profiles use and nobody defines make one sentence', async (t) => {
  const documents = [{ name: 'slack_default' }, { name: 'ops' }];
  const profile = (name: string, notifications: string[] | null) => ({ name, notifications });
  t.equal(checkNotificationNames([profile('a', ['ops', 'slack_default']), profile('b', null)], documents), null);
  t.equal(
    checkNotificationNames(
      [profile('a', ['slack_defualt', 'ops', 'pager']), profile('b', ['pager', 'pager'])],
      documents,
    ),
    'profiles name notifications that no file of the notifications folder defines: slack_defualt (profile a; is slack_default meant?), pager (profile a, b)',
  );
});

t.test('property: no text of a file raises anything', async () => {
  const lines = fc.constantFrom(
    'type: http',
    'type: slack',
    'name: n',
    'format: "{{.}}"',
    'format: |',
    '  {{range .}}x{{end}}',
    'url: http://h',
    'webhook: $A',
    'group_wait: ~',
    'headers:',
    '  a: b',
    'rotate: {enabled: true}',
    '---',
    '- a',
    'a: &x [*x]',
    '? [a]',
    ': b',
    '!!binary x',
    '<<: *x',
    '"',
    '\t',
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: lines }, fc.string({ maxLength: 12 })), { maxLength: 12 }),
      (parts) => {
        const { documents, faults } = readNotificationText(parts.join('\n'), 'n.yaml', { A: 'http://h/x' });
        return documents.length >= 0 && faults.every((each) => each.startsWith('n.yaml:'));
      },
    ),
    { seed: 12, numRuns: 2_000 },
  );
});
