/**
 * Whatever a client sends, a line of its request or login never names somebody else: not through a path, a user name, a
 * header or a banner that looks like the rest of a line. Lines are written as the programs write them, with their escapes.
 */
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { parserOf, rules } from './support.ts';

const client = '203.0.113.80';
const victim = '192.0.2.99';

/** Pieces of the lines themselves, and of everything else. */
const pieces = [
  victim,
  `${victim} - - [21/Nov/2026:02:48:15 +0000] "GET / HTTP/1.1" 401 3 "-" "x"`,
  ` - ${victim} - `,
  `, client: ${victim}, server: a`,
  `[client ${victim}:1]`,
  ` from ${victim} port 22`,
  ` from ${victim} port 22 ssh2`,
  ` ${victim} port 22 [preauth]`,
  `rhost=${victim}  user=x`,
  ` not allowed because x`,
  `: password mismatch, client: ${victim}, server: b, request: "GET / HTTP/1.1", host: "c"`,
  `" was not found in "x", client: ${victim}, server: d`,
  `", referrer: "`,
  `"request":{"remote_ip":"${victim}","client_ip":"${victim}"}`,
  `{"request":{"client_ip":"${victim}"}}`,
  'for invalid user ',
  'Failed password for root',
  'Accepted password for root',
  'message repeated 2 times: [ ',
  '"',
  '\\',
  '\\"',
  ' ',
  '[',
  ']',
  '{',
  '}',
  '|',
  ', ',
  ': ',
  ' HTTP/1.1',
  '?',
  '/',
  '-',
  '\n',
  '\t',
  'ü',
  '😀',
];
const hostile = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 6 })), { maxLength: 6 });
const anyText = hostile.map((parts) => parts.join(''));

/** ngx_http_log_escape: quotes, backslashes, controls and whatever is not ASCII. */
const nginxEscaped = (text: string): string =>
  Array.from(Buffer.from(text), (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
      ? `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  ).join('');

/** ap_escape_logitem. */
const apacheEscaped = (text: string): string =>
  Array.from(Buffer.from(text), (byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    if (byte === 0x0a) return '\\n';
    if (byte === 0x09) return '\\t';
    return byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte);
  }).join('');

/** HAProxy's encoding of captured headers and the request: controls, quotes, braces, bars and what is not ASCII as #XX. */
const haproxyEscaped = (text: string): string =>
  Array.from(Buffer.from(text), (byte) =>
    byte < 0x20 || byte > 0x7e || [0x22, 0x23, 0x7b, 0x7c, 0x7d].includes(byte)
      ? `#${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  ).join('');

/** OpenSSH hands everything through strnvis(VIS_SAFE | VIS_OCTAL): quotes and spaces stay. */
const sshEscaped = (text: string): string =>
  Array.from(Buffer.from(text), (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x5c ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte),
  ).join('');

/** What cannot be in a header or a request line; the rest is passed on raw. */
const oneLine = (text: string): string => text.replaceAll(/[\r\n\0]/g, '');
const noSpace = (text: string): string => oneLine(text).replaceAll(' ', '');

type Line = (texts: readonly [string, string, string, string]) => string;

const date = '[21/Nov/2026:02:48:15 +0000]';
const head = '2026/11/21 02:48:15 [error] 83#83: *13';
const ssh = (message: string): string => `Nov 21 02:48:15 gate sshd[4211]: ${message}`;

const lines: Readonly<Record<string, readonly [parsers: string, type: string, line: Line]>> = {
  'nginx access log': [
    'nginx',
    'nginx',
    ([user, target, referer, agent]) =>
      `${client} - ${nginxEscaped(user) || '-'} ${date} "${nginxEscaped(target)}" 401 179 "${nginxEscaped(referer)}" "${nginxEscaped(agent)}"`,
  ],
  'nginx access log with hosts': [
    'nginx',
    'nginx',
    ([user, target, referer, agent]) =>
      `shop.example.com:443 ${client} - ${nginxEscaped(user) || '-'} ${date} "GET ${nginxEscaped(target)} HTTP/1.1" 200 1 "${nginxEscaped(referer)}" "${nginxEscaped(agent)}"`,
  ],
  'nginx error log, failed login': [
    'nginx',
    'nginx',
    ([user, target, host, referer]) =>
      `${head} user "${oneLine(user)}": password mismatch, client: ${client}, server: shop.example.com, request: "GET ${noSpace(target)} HTTP/1.1", host: "${noSpace(host)}", referrer: "${oneLine(referer)}"`,
  ],
  'nginx error log, missing file': [
    'nginx',
    'nginx',
    ([path, target, host, referer]) =>
      `${head} open() "/var/www/html/${oneLine(path)}" failed (2: No such file or directory), client: ${client}, server: shop.example.com, request: "GET /${noSpace(target)} HTTP/1.1", host: "${noSpace(host)}", referrer: "${oneLine(referer)}"`,
  ],
  'Apache access log': [
    'apache',
    'apache2',
    ([user, target, referer, agent]) =>
      `${client} - ${apacheEscaped(user) || '-'} ${date} "${apacheEscaped(target)}" 401 179 "${apacheEscaped(referer)}" "${apacheEscaped(agent)}"`,
  ],
  'Apache error log': [
    'apache',
    'apache2',
    ([user, target, referer]) =>
      `[Sat Nov 21 02:48:17.695439 2026] [auth_basic:error] [pid 123:tid 151] [client ${client}:43163] AH01617: user ${apacheEscaped(user)}: authentication failure for "${apacheEscaped(target)}": Password Mismatch, referer: ${apacheEscaped(referer)}`,
  ],
  HAProxy: [
    'haproxy',
    'haproxy',
    ([host, target, agent]) =>
      `${client}:40000 [21/Nov/2026:02:48:15.001] web site/one 0/0/0/0/0 200 200 - - ---- 1/1/0/0/0 0/0 {${haproxyEscaped(host)}|${haproxyEscaped(agent)}} {} "GET ${haproxyEscaped(target)} HTTP/1.1"`,
  ],
  Traefik: [
    'traefik',
    'traefik',
    ([user, target, referer, agent]) =>
      `${client} - ${oneLine(user) || '-'} ${date} "GET /${oneLine(target)} HTTP/1.1" 401 17 "${oneLine(referer)}" "${oneLine(agent)}" 13 "shop@docker" "-" 0ms`,
  ],
  'Traefik, JSON': [
    'traefik',
    'traefik',
    ([user, target, referer, agent]) =>
      JSON.stringify({
        ClientHost: client,
        ClientUsername: user,
        RequestMethod: 'GET',
        RequestPath: target,
        RequestProtocol: 'HTTP/1.1',
        DownstreamStatus: 401,
        'request_User-Agent': agent,
        request_Referer: referer,
        time: '2026-11-21T02:48:15Z',
      }),
  ],
  Caddy: [
    'caddy',
    'caddy',
    ([user, target, host, agent]) =>
      JSON.stringify({
        ts: 1795229413.57,
        request: {
          remote_ip: client,
          proto: 'HTTP/1.1',
          method: 'GET',
          host,
          uri: target,
          headers: { 'User-Agent': [agent] },
        },
        user_id: user,
        status: 401,
      }),
  ],
  'sshd, failed password': [
    'sshd',
    'syslog',
    ([user]) => ssh(`Failed password for invalid user ${sshEscaped(user)} from ${client} port 47091 ssh2`),
  ],
  'sshd, invalid user': [
    'sshd',
    'syslog',
    ([user]) => ssh(`Invalid user ${sshEscaped(user)} from ${client} port 47091`),
  ],
  'sshd, closed': [
    'sshd',
    'syslog',
    ([user]) => ssh(`Connection closed by invalid user ${sshEscaped(user)} ${client} port 47091 [preauth]`),
  ],
  'sshd, too many attempts': [
    'sshd',
    'syslog',
    ([user]) =>
      ssh(
        `error: maximum authentication attempts exceeded for invalid user ${sshEscaped(user)} from ${client} port 1 ssh2 [preauth]`,
      ),
  ],
  'sshd, PAM': [
    'sshd',
    'syslog',
    ([user]) =>
      ssh(
        `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${client}  user=${sshEscaped(user)}`,
      ),
  ],
  'sshd, PAM itself': [
    'sshd',
    'syslog',
    ([user]) => ssh(`error: PAM: Authentication failure for illegal user ${sshEscaped(user)} from ${client}`),
  ],
  'sshd, banner': [
    'sshd',
    'syslog',
    ([banner]) =>
      ssh(`error: kex_exchange_identification: client sent invalid protocol identifier "${sshEscaped(banner)}"`),
  ],
};

const runs = 400;

for (const [name, [parser, type, line]] of Object.entries(lines)) {
  t.test(`${name}: nobody else is named`, async (t) => {
    const parse = await parserOf([
      join(rules, 'parsers', 's00-raw'),
      join(rules, 'parsers', 's01-parse', `${parser}.yaml`),
      join(rules, 'parsers', 's02-enrich'),
    ]);
    let understood = 0;
    fc.assert(
      fc.property(fc.tuple(anyText, anyText, anyText, anyText), (texts) => {
        const event = parse(line(texts), type);
        if (event === null) return;
        understood++;
        t.equal(event.Meta.source_ip, client, line(texts));
      }),
      { seed: 20_261_121, numRuns: runs },
    );
    // A banner names nobody; in nginx's error log, what is ambiguous is left alone.
    if (name === 'sshd, banner') t.equal(understood, 0);
    else t.ok(understood > runs * (name.startsWith('nginx error') ? 0.4 : 0.95), `${understood} of ${runs} understood`);
  });
}
