/**
 * The attackers of a generated log, one kind for each thing that scenarios look for. Each walks its list for the length of a
 * session, as the tools in the wild do; most would overflow a bucket, some are too slow or repeat themselves and must not.
 */
import type { LogRequest } from './log-request.ts';
import type { Sequence } from './sequence.ts';

/** One attacker: its requests, one after the other, without end. */
export interface Scanner {
  readonly kind: ScannerKind;
  next(): LogRequest;
}

export const scannerKinds = [
  'backdoors',
  'sensitive files',
  'sql injection',
  'cross-site scripting',
  'path traversal',
  'tool',
  'probing',
  'login brute force',
  'open proxy',
  'crawl',
  'repetition',
] as const;
export type ScannerKind = (typeof scannerKinds)[number];

const disguise = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/83.0.4103.61 Safari/537.36',
  'python-requests/2.32.3',
  'Go-http-client/1.1',
  '-',
] as const;

const tools = [
  'sqlmap/1.8.4#stable (https://sqlmap.org)',
  'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:map_codes)',
  'Mozilla/5.0 zgrab/0.x',
  'gobuster/3.6',
  'WPScan v3.8.27 (https://wpscan.com/wordpress-security-scanner)',
  'Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)',
  'masscan/1.3 (https://github.com/robertdavidgraham/masscan)',
] as const;

const backdoors = [
  'c99',
  'r57',
  'wso',
  'shell',
  'b374k',
  'alfa',
  '1337',
  'mini',
  'up',
  'cmd',
  'indoxploit',
  'locus',
  'ddos',
  'antichat',
  'x',
  'leaf',
  'angel',
  'acid',
  'andela',
  'password',
] as const;
const backdoorFolders = ['/', '/wp-content/uploads/', '/images/', '/wp-includes/', '/tmp/', '/upload/files/'] as const;

const sensitive = [
  '.env',
  '.env.prod',
  '.env.save',
  '.env.development',
  '.git/config',
  '.git/HEAD',
  '.svn/entries',
  '.aws/credentials',
  '.htpasswd',
  '.ssh/id_rsa',
  'backup.sql',
  'dump.sql.gz',
  'debug.log',
  'error.log',
  'secrets.json',
  'config.bak',
  '.vscode/sftp.json',
  'database.db',
  'web.config.bak',
  'wp-config.php.bak',
] as const;
const applications = [
  '',
  'app/',
  'api/',
  'admin/',
  'laravel/',
  'core/',
  'backend/',
  'public/',
  'old/',
  'dev/',
] as const;

const injections = [
  '%27%20union%20all%20select%20null%2cnull%2cnull--%20',
  '1%20UNION%20SELECT%20table_name%20from%20information_schema.tables',
  "1'%20and%20sleep%285%29--+",
  '1%29%20or%20pg_sleep%285%29--',
  '1%20and%20benchmark%28500000%2cmd5%281%29%29',
  "-1'%20or%20substring%28%40%40version%2c1%2c1%29=5--",
  '1;exec%20master..xp_cmdshell%20%27dir%27',
  "x'%20or%20load_file%28%27/etc/hostname%27%29%20is%20not%20null--",
] as const;

const scripts = [
  '<script>alert(1)</script>',
  '%3Cscript%3Ealert%28document.domain%29%3C/script%3E',
  '%3Cimg%20src=x%20onerror=alert%281%29%3E',
  '%3CsVg/onload=prompt%281%29%3E',
  '%3Cbody%20onload=alert(1)%3E',
  'javascript:alert(1)',
  '\\x22><img src=x onerror=prompt(1)>',
] as const;

const traversals = ['../', '..%2f', '%2e%2e%2f', '%252e%252e%252f', '....//', '..\\x5C'] as const;
const traversalGoals = [
  'etc/passwd',
  'etc/shadow',
  'proc/self/environ',
  'windows/win.ini',
  'var/log/auth.log',
] as const;

const probes = [
  'wp-login.php',
  'wp-admin/',
  'phpmyadmin/index.php',
  'pma/',
  'administrator/',
  'manager/html',
  'actuator/health',
  'solr/admin/info',
  'cgi-bin/luci',
  'boaform/admin/formLogin',
  'owa/auth/logon.aspx',
  'console/',
  'jenkins/login',
  'vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php',
  'HNAP1/',
  'server-status',
  'xmlrpc.php',
  'telescope/requests',
  'geoserver/web/',
  'remote/login',
] as const;

export function createScanner(kind: ScannerKind, client: string, random: Sequence): Scanner {
  const userAgent = kind === 'tool' ? random.pick(tools) : random.pick(disguise);
  const shape = shapes[kind];
  let step = 0;
  return {
    kind,
    next() {
      const bytes = 150 + random.below(600);
      const base = { client, version: '1.1', bytes, referer: '-', userAgent, verb: 'GET' } as const;
      return { ...base, ...shape(random, step++) };
    },
  };
}

type Shape = (random: Sequence, step: number) => Pick<LogRequest, 'target' | 'status'> & Partial<LogRequest>;

const shapes: Readonly<Record<ScannerKind, Shape>> = {
  backdoors: (random) => ({
    target: `${random.pick(backdoorFolders)}${random.pick(backdoors)}${random.pick(['.php', '.php', '.asp', '.PHP'])}`,
    status: 404,
  }),
  'sensitive files': (random) => ({
    target: `/${random.pick(applications)}${random.pick(sensitive)}${random.chance(0.1) ? `?v=${random.below(9)}` : ''}`,
    status: random.pick([404, 404, 404, 403, 200]),
  }),
  'sql injection': (random, step) => ({
    target: `/product.php?id=${step}&cat=${random.pick(injections)}`,
    status: random.pick([200, 200, 500, 400]),
  }),
  'cross-site scripting': (random, step) => ({
    target: `/search?${random.pick(['q', 'name', 'redirect'])}=${step}${random.pick(scripts)}`,
    status: random.pick([200, 400]),
  }),
  'path traversal': (random) => ({
    target: `${random.pick(['/download?file=', '/static/', '/cgi-bin/', '/view.php?page='])}${random.pick(traversals).repeat(2 + random.below(7))}${random.pick(traversalGoals)}`,
    status: random.pick([404, 400, 200]),
  }),
  tool: (random, step) => ({ target: `/${random.pick(applications)}${random.pick(probes)}?${step}`, status: 404 }),
  probing: (random, step) => ({
    target: `/${random.pick(applications)}${random.pick(probes)}${random.chance(0.3) ? `?t=${step}` : ''}`,
    status: random.pick([404, 404, 404, 403]),
    version: random.pick(['1.0', '1.1']),
  }),
  'login brute force': (random, step) => ({
    verb: 'POST',
    target: step % 97 === 96 ? '/account' : random.pick(['/wp-login.php', '/admin/login', '/api/v1/auth']),
    status: step % 97 === 96 ? 302 : random.pick([401, 401, 401, 403]),
  }),
  'open proxy': (random) =>
    random.chance(0.3)
      ? { verb: 'CONNECT', target: `www.example.${random.pick(['com', 'net', 'org'])}:443`, status: 400 }
      : random.chance(0.2)
        ? {
            verb: null,
            target: random.pick(['\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xFC\\x03\\x03', '']),
            status: 400,
            bytes: 157,
          }
        : {
            target: `http://www.example.com/proxy-test?${random.below(1_000_000)}`,
            status: random.pick([400, 405, 404]),
          },
  crawl: (random) => ({
    target: `/${random.pick(['garden', 'kitchen', 'books', 'tools'])}/item-${random.below(4_000)}.html`,
    status: random.pick([200, 200, 200, 200, 200, 200, 200, 404]),
  }),
  // One dead link again and again: distinct must hold it back.
  repetition: () => ({ target: '/feed/atom.xml', status: 404 }),
};
