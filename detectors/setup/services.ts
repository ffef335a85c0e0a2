/**
 * The services that `setup detect` knows. Names of programs, units and log files are those of Debian, Fedora, Arch and the
 * projects' own packages; types and collections are the hub's. It is one file because it is one table, of facts only.
 */
import type { KnownService } from './known-service.ts';

const baseHttp = 'crowdsecurity/base-http-scenarios';

const webServers: readonly KnownService[] = asWebServers([
  {
    name: 'nginx',
    title: 'nginx',
    programs: ['nginx'],
    units: ['nginx', 'openresty'],
    // Clients can write line breaks into the error log, and so forge lines that name somebody else.
    logs: { type: 'nginx', usual: ['/var/log/nginx/*.log'], excluded: [String.raw`error[^/]*\.log$`] },
    reader: 'nginx',
    collections: ['crowdsecurity/nginx'],
    builtin: true,
  },
  {
    name: 'apache',
    title: 'Apache',
    programs: ['apache2', 'httpd'],
    units: ['apache2', 'httpd'],
    logs: { type: 'apache2', usual: ['/var/log/apache2/*.log', '/var/log/httpd/*_log', '/var/log/httpd/*.log'] },
    reader: 'apache',
    collections: ['crowdsecurity/apache2'],
    builtin: true,
  },
  {
    name: 'caddy',
    title: 'Caddy',
    programs: ['caddy'],
    units: ['caddy'],
    logs: {
      type: 'caddy',
      usual: ['/var/log/caddy/*.log'],
      settings: [
        {
          files: ['/etc/caddy/Caddyfile', '/etc/caddy/*.caddy', '/etc/caddy/*/*.caddy', '/etc/caddy/conf.d/*'],
          pattern: /^\s*output\s+file\s+["`]?([^\s"`{]+)/gm,
        },
        { files: ['/etc/caddy/caddy.json', '/etc/caddy/config.json'], pattern: /"filename"\s*:\s*"([^"]+)"/g },
      ],
    },
    collections: ['crowdsecurity/caddy'],
    builtin: true,
    hint: 'Caddy writes no access log until its configuration has `log { output file /var/log/caddy/access.log }`.',
  },
  {
    name: 'haproxy',
    title: 'HAProxy',
    programs: ['haproxy'],
    units: ['haproxy'],
    syslog: { facility: 'local0', files: ['/var/log/haproxy.log'], journal: ['_SYSTEMD_UNIT=haproxy.service'] },
    collections: ['crowdsecurity/haproxy'],
    builtin: true,
  },
  {
    name: 'traefik',
    title: 'Traefik',
    programs: ['traefik'],
    units: ['traefik'],
    logs: {
      type: 'traefik',
      usual: ['/var/log/traefik/access*.log', '/var/log/traefik/access*.json'],
      settings: [
        {
          files: ['/etc/traefik/traefik.yml', '/etc/traefik/traefik.yaml'],
          pattern: /^accessLog:(?:\n[ \t]+[^\n]*|\n[ \t]*(?:#[^\n]*)?)*?\n[ \t]+filePath:[ \t]*["']?([^\s"'#]+)/gm,
        },
        {
          files: ['/etc/traefik/traefik.toml'],
          pattern: /^\[accessLog\](?:\n(?!\[)[^\n]*)*?\n[ \t]*filePath[ \t]*=[ \t]*["']([^"']+)/gm,
        },
      ],
    },
    collections: ['crowdsecurity/traefik'],
    builtin: true,
    hint: 'Traefik writes no access log until its configuration has `accessLog` with a `filePath`.',
  },
  {
    name: 'litespeed',
    title: 'LiteSpeed',
    programs: ['litespeed', 'openlitespeed', 'lshttpd'],
    units: ['lsws', 'lshttpd'],
    logs: { type: 'litespeed', usual: ['/usr/local/lsws/logs/*.log', '/usr/local/lsws/*/logs/*.log'] },
    collections: ['crowdsecurity/litespeed'],
    builtin: false,
  },
]);

const mail: readonly KnownService[] = [
  {
    name: 'postfix',
    title: 'Postfix',
    programs: ['qmgr', 'pickup'],
    units: ['postfix', 'postfix@'],
    syslog: { facility: 'mail', journal: ['SYSLOG_FACILITY=2'] },
    collections: ['crowdsecurity/postfix'],
    builtin: false,
  },
  {
    name: 'dovecot',
    title: 'Dovecot',
    programs: ['dovecot'],
    units: ['dovecot'],
    syslog: { facility: 'mail', journal: ['SYSLOG_FACILITY=2'] },
    collections: ['crowdsecurity/dovecot'],
    builtin: false,
  },
  {
    name: 'exim',
    title: 'Exim',
    programs: ['exim4', 'exim'],
    units: ['exim4', 'exim'],
    logs: {
      type: 'exim',
      usual: ['/var/log/exim4/mainlog', '/var/log/exim/main.log', '/var/log/exim_mainlog', '/var/log/exim/mainlog'],
    },
    collections: ['crowdsecurity/exim'],
    builtin: false,
  },
];

const databases: readonly KnownService[] = [
  {
    name: 'mariadb',
    title: 'MariaDB',
    programs: ['mariadbd'],
    units: ['mariadb'],
    logs: {
      type: 'mariadb',
      usual: ['/var/log/mysql/error.log', '/var/log/mariadb/*.log'],
      settings: [{ files: ['/etc/mysql/mariadb.conf.d/*.cnf'], pattern: /^\s*log[_-]error\s*=\s*(\/\S+)/gm }],
    },
    collections: ['crowdsecurity/mariadb'],
    builtin: false,
  },
  {
    name: 'mysql',
    title: 'MySQL',
    programs: ['mysqld'],
    units: ['mysql', 'mysqld'],
    logs: {
      type: 'mysql',
      usual: ['/var/log/mysql/error.log', '/var/log/mysqld.log'],
      settings: [
        {
          files: ['/etc/my.cnf', '/etc/my.cnf.d/*.cnf', '/etc/mysql/mysql.conf.d/*.cnf'],
          pattern: /^\s*log[_-]error\s*=\s*(\/\S+)/gm,
        },
      ],
    },
    collections: ['crowdsecurity/mysql'],
    builtin: false,
  },
  {
    name: 'postgresql',
    title: 'PostgreSQL',
    programs: ['postgres'],
    units: ['postgresql', 'postgresql@'],
    logs: {
      type: 'postgres',
      usual: ['/var/log/postgresql/*.log', '/var/lib/pgsql/data/log/*.log', '/var/lib/pgsql/*/data/log/*.log'],
    },
    collections: ['crowdsecurity/pgsql'],
    builtin: false,
  },
  {
    name: 'mongodb',
    title: 'MongoDB',
    programs: ['mongod'],
    units: ['mongod', 'mongodb'],
    logs: {
      type: 'mongodb',
      usual: ['/var/log/mongodb/*.log'],
      settings: [{ files: ['/etc/mongod.conf'], pattern: /^\s+path:\s*["']?(\/[^\s"']+\.log)/gm }],
    },
    collections: ['timokoessler/mongodb'],
    builtin: false,
  },
];

const fileServers: readonly KnownService[] = [
  {
    name: 'proftpd',
    title: 'ProFTPD',
    programs: ['proftpd'],
    units: ['proftpd'],
    logs: {
      type: 'proftpd',
      usual: ['/var/log/proftpd/proftpd.log'],
      settings: [
        { files: ['/etc/proftpd/proftpd.conf', '/etc/proftpd.conf'], pattern: /^\s*SystemLog\s+"?(\/[^\s"]+)/gim },
      ],
    },
    collections: ['crowdsecurity/proftpd'],
    builtin: false,
  },
  {
    name: 'vsftpd',
    title: 'vsftpd',
    programs: ['vsftpd'],
    units: ['vsftpd'],
    logs: {
      type: 'vsftpd',
      usual: ['/var/log/vsftpd.log', '/var/log/vsftpd/*.log'],
      settings: [{ files: ['/etc/vsftpd.conf', '/etc/vsftpd/vsftpd.conf'], pattern: /^vsftpd_log_file=(\/\S+)/gm }],
    },
    collections: ['crowdsecurity/vsftpd'],
    builtin: false,
  },
  {
    name: 'pure-ftpd',
    title: 'Pure-FTPd',
    programs: ['pure-ftpd'],
    units: ['pure-ftpd', 'pure-ftpd-mysql', 'pure-ftpd-postgresql', 'pure-ftpd-ldap'],
    syslog: { facility: 'daemon', journal: ['SYSLOG_IDENTIFIER=pure-ftpd'] },
    collections: ['fulljackz/pureftpd'],
    builtin: false,
  },
  {
    name: 'samba',
    title: 'Samba',
    programs: ['smbd'],
    units: ['smbd', 'smb', 'samba'],
    logs: {
      type: 'smb',
      usual: ['/var/log/samba/log.*'],
      settings: [{ files: ['/etc/samba/smb.conf'], pattern: /^\s*log file\s*=\s*(\/\S+)/gm }],
    },
    collections: ['crowdsecurity/smb'],
    builtin: false,
  },
];

const remoteAccess: readonly KnownService[] = [
  {
    name: 'sshd',
    title: 'OpenSSH',
    programs: ['sshd'],
    units: ['ssh', 'sshd', 'ssh@', 'sshd@'],
    syslog: { facility: 'auth', journal: ['_COMM=sshd', '_COMM=sshd-session', '_COMM=sshd-auth'] },
    collections: ['crowdsecurity/sshd'],
    builtin: true,
  },
  {
    name: 'openvpn',
    title: 'OpenVPN',
    programs: ['openvpn'],
    units: ['openvpn', 'openvpn-server@', 'openvpn@'],
    logs: {
      type: 'openvpn',
      usual: ['/var/log/openvpn/openvpn.log', '/var/log/openvpn.log'],
      settings: [
        {
          files: ['/etc/openvpn/*.conf', '/etc/openvpn/server/*.conf'],
          pattern: /^log(?:-append)?\s+"?(\/[^\s"]+)/gm,
        },
      ],
    },
    collections: ['pserranoa/openvpn'],
    builtin: false,
  },
  {
    name: 'endlessh',
    title: 'Endlessh',
    programs: ['endlessh'],
    units: ['endlessh'],
    logs: { type: 'endlessh', usual: ['/var/log/endlessh.log', '/var/log/endlessh/*.log'] },
    collections: ['crowdsecurity/endlessh'],
    builtin: false,
  },
  {
    name: 'proxmox',
    title: 'Proxmox VE',
    programs: ['pvedaemon'],
    units: ['pvedaemon'],
    syslog: { facility: 'daemon', journal: ['_SYSTEMD_UNIT=pvedaemon.service'] },
    collections: ['fulljackz/proxmox'],
    builtin: false,
  },
  {
    name: 'webmin',
    title: 'Webmin',
    programs: ['miniserv.pl'],
    units: ['webmin'],
    logs: { type: 'Webmin', usual: ['/var/webmin/webmin.log'] },
    collections: ['andreasbrett/webmin'],
    builtin: false,
  },
];

const applications: readonly KnownService[] = [
  {
    name: 'gitea',
    title: 'Gitea',
    programs: ['gitea'],
    units: ['gitea'],
    logs: { type: 'gitea', usual: ['/var/lib/gitea/log/gitea.log', '/var/log/gitea/gitea.log'] },
    collections: ['LePresidente/gitea'],
    builtin: false,
    hint: 'Gitea writes a file only with `MODE = file` in the section `[log]` of its app.ini.',
  },
  {
    name: 'gitlab',
    title: 'GitLab',
    programs: ['gitlab-workhorse'],
    units: ['gitlab-runsvdir'],
    marks: ['/etc/gitlab/gitlab.rb'],
    logs: { type: 'gitlab', usual: ['/var/log/gitlab/gitlab-rails/production_json.log'] },
    collections: ['timokoessler/gitlab'],
    builtin: false,
  },
  {
    name: 'nextcloud',
    title: 'Nextcloud',
    programs: [],
    units: [],
    marks: ['/var/www/nextcloud/config/config.php', '/var/www/html/nextcloud/config/config.php'],
    logs: {
      type: 'Nextcloud',
      usual: ['/var/www/nextcloud/data/nextcloud.log', '/var/www/html/nextcloud/data/nextcloud.log'],
      settings: [
        {
          files: ['/var/www/nextcloud/config/config.php', '/var/www/html/nextcloud/config/config.php'],
          pattern: /'logfile'\s*=>\s*'([^']+)'/g,
        },
      ],
    },
    collections: ['crowdsecurity/nextcloud'],
    builtin: false,
  },
  {
    name: 'wordpress',
    title: 'WordPress',
    programs: [],
    units: [],
    marks: ['/var/www/*/wp-config.php', '/var/www/html/*/wp-config.php', '/srv/www/*/wp-config.php'],
    collections: ['crowdsecurity/wordpress', baseHttp],
    builtin: false,
    hint: 'WordPress is watched through the access log of its web server.',
  },
  {
    name: 'vaultwarden',
    title: 'Vaultwarden',
    programs: ['vaultwarden'],
    units: ['vaultwarden'],
    logs: {
      type: 'Vaultwarden',
      usual: ['/var/log/vaultwarden.log', '/var/log/vaultwarden/*.log', '/var/lib/vaultwarden/vaultwarden.log'],
      settings: [
        { files: ['/etc/vaultwarden.env', '/etc/default/vaultwarden'], pattern: /^LOG_FILE=["']?(\/[^\s"']+)/gm },
      ],
    },
    collections: ['Dominic-Wagner/vaultwarden'],
    builtin: false,
    hint: 'Vaultwarden writes a file only when LOG_FILE is set.',
  },
  {
    name: 'home-assistant',
    title: 'Home Assistant',
    programs: ['hass'],
    units: ['home-assistant', 'homeassistant', 'home-assistant@'],
    logs: {
      type: 'home-assistant',
      usual: ['/home/homeassistant/.homeassistant/home-assistant.log', '/config/home-assistant.log'],
    },
    collections: ['crowdsecurity/home-assistant'],
    builtin: false,
  },
  {
    name: 'grafana',
    title: 'Grafana',
    programs: ['grafana', 'grafana-server'],
    units: ['grafana-server'],
    logs: { type: 'grafana', usual: ['/var/log/grafana/grafana.log'] },
    collections: ['LePresidente/grafana'],
    builtin: false,
  },
  {
    name: 'jellyfin',
    title: 'Jellyfin',
    programs: ['jellyfin'],
    units: ['jellyfin'],
    logs: { type: 'jellyfin', usual: ['/var/log/jellyfin/log_*.log', '/var/log/jellyfin/jellyfin*.log'] },
    collections: ['LePresidente/jellyfin'],
    builtin: false,
  },
  {
    name: 'authelia',
    title: 'Authelia',
    programs: ['authelia'],
    units: ['authelia'],
    logs: {
      type: 'authelia',
      usual: ['/var/log/authelia.log', '/var/log/authelia/*.log'],
      settings: [{ files: ['/etc/authelia/configuration.yml'], pattern: /^\s+file_path:\s*["']?(\/[^\s"']+)/gm }],
    },
    collections: ['LePresidente/authelia'],
    builtin: false,
  },
  {
    name: 'asterisk',
    title: 'Asterisk',
    programs: ['asterisk'],
    units: ['asterisk'],
    logs: {
      type: 'asterisk',
      usual: ['/var/log/asterisk/*.log', '/var/log/asterisk/messages', '/var/log/asterisk/full'],
    },
    collections: ['crowdsecurity/asterisk'],
    builtin: false,
  },
];

const network: readonly KnownService[] = [
  {
    name: 'bind',
    title: 'BIND',
    programs: ['named'],
    units: ['named', 'bind9'],
    logs: { type: 'named', usual: ['/var/log/named/security.log', '/var/log/bind/security.log'] },
    collections: ['mstilkerich/bind9'],
    builtin: false,
  },
  {
    name: 'suricata',
    title: 'Suricata',
    programs: ['suricata', 'Suricata-Main'],
    units: ['suricata'],
    logs: { type: 'suricata-evelogs', usual: ['/var/log/suricata/eve.json'] },
    collections: ['crowdsecurity/suricata'],
    builtin: false,
  },
  {
    name: 'ufw',
    title: 'ufw',
    programs: [],
    units: ['ufw'],
    syslog: { facility: 'kern', journal: ['_TRANSPORT=kernel'] },
    collections: ['crowdsecurity/iptables'],
    builtin: false,
  },
];

/** In the order in which the plan shows them. */
export const knownServices: readonly KnownService[] = [
  ...webServers,
  ...remoteAccess,
  ...mail,
  ...databases,
  ...fileServers,
  ...applications,
  ...network,
];

function asWebServers(services: readonly KnownService[]): readonly KnownService[] {
  return services.map((service) => ({ ...service, isWebServer: true }));
}
