/** Where configurations of servers and of syslog say that lines go. */
import t from 'tap';
import { apacheLogs } from '../../../detectors/setup/apache-logs.ts';
import { inspectMachine } from '../../../detectors/setup/machine.ts';
import { nginxLogs } from '../../../detectors/setup/nginx-logs.ts';
import { syslogFile } from '../../../detectors/setup/syslog-files.ts';
import { type MachineFiles, rootFiles } from './support.ts';

t.test('nginx: access logs through all includes, and what is no file is left out', async (t) => {
  const files = rootFiles(t, {
    '/etc/nginx/nginx.conf': `
      error_log /var/log/nginx/error.log warn; # access_log /commented;
      http {
        log_format short '$remote_addr "$request"; access_log /not/a/directive;';
        access_log "/var/log/nginx/access.log";
        include conf.d/*.conf;
        include /etc/nginx/sites-enabled/*;
        include nginx.conf;
      }`,
    '/etc/nginx/conf.d/logs.conf':
      'access_log /srv/logs/$host.access.log combined buffer=32k;\naccess_log /srv/${server_name}/log;',
    '/etc/nginx/sites-available/shop':
      "server { listen 80; access_log '/srv/shop logs/access.log' short; error_log /srv/shop/problems.log; access_log off; }",
    '/etc/nginx/sites-enabled/shop': { link: '/etc/nginx/sites-available/shop' },
    '/etc/nginx/sites-enabled/none':
      'server { access_log syslog:server=unix:/dev/log; access_log /dev/stdout; error_log stderr; error_log memory:32m debug; access_log logs/relative.log; access_log logs/absent.log; }',
    '/usr/share/nginx/logs/relative.log': '',
  });
  const { paths, excluded, notes } = nginxLogs(files);
  t.same(paths, [
    '/var/log/nginx/access.log',
    '/srv/logs/*.access.log',
    '/srv/*/log',
    '/usr/share/nginx/logs/relative.log',
    '/srv/shop logs/access.log',
  ]);
  t.same(excluded, ['/var/log/nginx/error.log', '/srv/shop/problems.log']);
  t.equal(notes.length, 1);
  t.match(notes[0], '/srv/shop logs/access.log has the format "short"');
});

t.test('Apache: logs through all includes, with variables', async (t) => {
  const files = rootFiles(t, {
    '/etc/apache2/envvars': 'SUFFIX=""\nexport APACHE_LOG_DIR=/var/log/apache2$SUFFIX\n',
    '/etc/apache2/apache2.conf': `
      # CustomLog /commented combined
      ServerRoot "/etc/apache2"
      Define SHOP_LOGS /srv/shop
      ErrorLog \${APACHE_LOG_DIR}/error.log
      Include ports.conf
      IncludeOptional sites-enabled/*.conf
      IncludeOptional folder
      IncludeOptional gone/*.conf`,
    '/etc/apache2/ports.conf': 'Listen 80\nInclude apache2.conf\n',
    '/etc/apache2/sites-available/shop.conf': `<VirtualHost *:80>
      customlog "\${SHOP_LOGS}/access.log" \\
        vhost_combined
      CustomLog "|/usr/bin/rotatelogs /srv/piped.log" combined
      ErrorLog syslog:local1
      TransferLog logs/transfer.log
      CustomLog \${UNKNOWN}/x.log odd
    </VirtualHost>`,
    '/etc/apache2/sites-enabled/shop.conf': { link: '../sites-available/shop.conf' },
    '/etc/apache2/folder/deep/more.conf': 'GlobalLog /srv/global.log "%h %l"',
  });
  const { paths, notes } = apacheLogs(files);
  t.same(paths, [
    '/var/log/apache2/error.log',
    '/srv/shop/access.log',
    '/etc/apache2/logs/transfer.log',
    '/etc/apache2/*/x.log',
    '/srv/global.log',
  ]);
  t.equal(notes.length, 1);
  t.match(notes[0], 'has the format "odd"');
});

t.test('syslog: each facility is read from one file only', async (t) => {
  const rsyslogd: MachineFiles = { '/lib/systemd/system/rsyslog.service': '' };
  const journal: MachineFiles = { '/run/systemd/journal/socket': '' };
  const debian: MachineFiles = {
    '/var/log/syslog': '',
    '/var/log/auth.log': '',
    '/var/log/mail.log': '',
    '/var/log/kern.log': '',
  };
  const everything = '*.*;auth,authpriv.none\t\t-/var/log/syslog\n';
  const separate = '*.*;auth,authpriv,mail.none -/var/log/syslog\nmail.*  -/var/log/mail.log\n';
  const redHat: MachineFiles = {
    '/var/log/messages': '',
    '/var/log/secure': '',
    '/var/log/maillog': '',
    '/etc/rsyslog.conf': '*.info;mail.none;authpriv.none;cron.none                /var/log/messages\n',
  };
  type Facility = Parameters<typeof syslogFile>[1];
  const cases: [name: string, files: MachineFiles, facility: Facility, file: string | null][] = [
    ['Debian', { ...rsyslogd, ...debian, '/etc/rsyslog.conf': everything }, 'auth', '/var/log/auth.log'],
    ['Debian', { ...rsyslogd, ...debian, '/etc/rsyslog.conf': everything }, 'mail', '/var/log/syslog'],
    ['Debian', { ...rsyslogd, ...debian, '/etc/rsyslog.conf': everything }, 'kern', '/var/log/syslog'],
    ['mail apart', { ...rsyslogd, ...debian, '/etc/rsyslog.d/50.conf': separate }, 'mail', '/var/log/mail.log'],
    ['mail apart', { ...rsyslogd, ...debian, '/etc/rsyslog.d/50.conf': separate }, 'daemon', '/var/log/syslog'],
    ['no rules', { ...rsyslogd, ...debian }, 'auth', '/var/log/auth.log'],
    ['no rules', { ...rsyslogd, ...debian }, 'mail', '/var/log/syslog'],
    ['Red Hat', { ...rsyslogd, ...redHat }, 'auth', '/var/log/secure'],
    ['Red Hat', { ...rsyslogd, ...redHat }, 'mail', '/var/log/maillog'],
    ['Red Hat', { ...rsyslogd, ...redHat }, 'daemon', '/var/log/messages'],
    ['left over', { ...journal, ...debian }, 'auth', null],
    ['both', { ...journal, ...rsyslogd, ...debian }, 'auth', '/var/log/auth.log'],
    ['no journal', debian, 'auth', '/var/log/auth.log'],
    ['nothing', {}, 'auth', null],
  ];
  for (const [name, files, facility, file] of cases) {
    t.equal(syslogFile(inspectMachine(rootFiles(t, files)), facility), file, `${name}: ${facility}`);
  }
  t.equal(cases.length, 14);
  const own = inspectMachine(rootFiles(t, { ...rsyslogd, ...debian, '/var/log/haproxy.log': '' }));
  t.equal(syslogFile(own, 'local0', ['/var/log/haproxy.log']), '/var/log/haproxy.log');
});
