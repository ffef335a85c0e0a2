import { posix } from 'node:path';
import t from 'tap';
import { readHubIndex } from '../../../detectors/hub/hub-index.ts';
import { containedServices, findServices, type FoundService } from '../../../detectors/setup/find-services.ts';
import { inspectMachine } from '../../../detectors/setup/machine.ts';
import { createRootFiles } from '../../../detectors/setup/root-files.ts';
import { knownServices } from '../../../detectors/setup/services.ts';
import { suitePath } from '../../support/suites.ts';
import { readFileSync } from 'node:fs';
import { type MachineFiles, processFiles, rootFiles } from './support.ts';

interface TearDown {
  teardown(undo: () => void): void;
}

function find(t: TearDown, files: MachineFiles): readonly FoundService[] {
  return findServices(inspectMachine(rootFiles(t, files)), knownServices);
}

/** A file that a pattern stands for. */
const instance = (pattern: string): string => pattern.replaceAll('*', 'x').replaceAll('?', '1');

t.test('each known service is found by each of its programs, units and files', async (t) => {
  let checked = 0;
  for (const { name, programs, units, marks = [] } of knownServices) {
    const ways: MachineFiles[] = [
      ...programs.map((program) => processFiles(7, [`/usr/sbin/${program}`, '-D'], program.slice(0, 15))),
      ...units.map((unit) => ({ [`/lib/systemd/system/${unit}.service`]: '' })),
      ...marks.map((mark) => ({ [instance(mark)]: '' })),
    ];
    t.ok(ways.length > 0, name);
    for (const files of ways) {
      const found = find(t, files).map(({ service }) => service.name);
      t.ok(found.includes(name), `${name} by ${Object.keys(files).join(' ')}`);
      checked++;
    }
  }
  t.equal(knownServices.length, 35);
  t.equal(checked, 99);
  t.equal(new Set(knownServices.map(({ name }) => name)).size, 35, 'names are names of files');
});

t.test('each log place of each service is read with its type', async (t) => {
  let checked = 0;
  for (const { name, logs, units, programs, marks = [] } of knownServices) {
    if (logs === undefined) continue;
    const unit = units[0] === undefined ? {} : { [`/lib/systemd/system/${units[0]}.service`]: '' };
    const program = programs[0] === undefined ? {} : processFiles(7, [programs[0]], programs[0]);
    const mark = marks[0] === undefined ? {} : { [instance(marks[0])]: '' };
    for (const pattern of logs.usual) {
      const found = find(t, { ...unit, ...program, ...mark, [instance(pattern)]: '' });
      const source = found.find(({ service }) => service.name === name)?.source;
      t.match(source, { from: 'files', type: logs.type, paths: [pattern] }, `${name}: ${pattern}`);
      t.ok(posix.isAbsolute(pattern));
      checked++;
    }
  }
  t.equal(checked, 51);
});

t.test('collections are those of the hub', async (t) => {
  const hub = suitePath(t, 'hub');
  if (hub === null) return;
  const { items } = readHubIndex(readFileSync(posix.join(hub, '.index.json'), 'utf8'));
  const named = new Set(knownServices.flatMap(({ collections }) => collections));
  for (const name of named) t.ok(items.get('collections')?.has(name), name);
  t.ok(named.size >= 35);
});

t.test('where a configuration says that a service logs', async (t) => {
  const cases: [name: string, files: MachineFiles, paths: string[]][] = [
    [
      'caddy',
      {
        '/etc/caddy/Caddyfile': 'shop.example {\n log {\n  output file /srv/caddy.log {\n   roll_size 1gb\n  }\n }\n}',
      },
      ['/srv/caddy.log'],
    ],
    [
      'caddy',
      { '/etc/caddy/caddy.json': '{"logging":{"logs":{"a":{"writer":{"output":"file","filename":"/srv/c.json"}}}}}' },
      ['/srv/c.json'],
    ],
    [
      'traefik',
      {
        '/etc/traefik/traefik.yml':
          'log:\n  filePath: /srv/not.log\naccessLog:\n  format: json\n  # here\n  filePath: "/srv/traefik.json"\n',
      },
      ['/srv/traefik.json'],
    ],
    [
      'traefik',
      {
        '/etc/traefik/traefik.toml':
          '[log]\n  filePath = "/srv/not.log"\n[accessLog]\n  format = "json"\n  filePath = "/srv/t.json"\n',
      },
      ['/srv/t.json'],
    ],
    ['mysql', { '/etc/my.cnf.d/server.cnf': '[mysqld]\nlog-error=/srv/mysqld.log\n' }, ['/srv/mysqld.log']],
    [
      'mariadb',
      { '/etc/mysql/mariadb.conf.d/50-server.cnf': '#log_error = /no.log\nlog_error = /srv/mariadb.log\n' },
      ['/srv/mariadb.log'],
    ],
    [
      'mongodb',
      { '/etc/mongod.conf': 'systemLog:\n  destination: file\n  path: /srv/mongod.log\n' },
      ['/srv/mongod.log'],
    ],
    ['proftpd', { '/etc/proftpd/proftpd.conf': 'SystemLog   /srv/proftpd.log\n' }, ['/srv/proftpd.log']],
    ['vsftpd', { '/etc/vsftpd.conf': 'xferlog_enable=YES\nvsftpd_log_file=/srv/vsftpd.log\n' }, ['/srv/vsftpd.log']],
    ['samba', { '/etc/samba/smb.conf': '[global]\n   log file = /srv/samba/%m.log\n' }, ['/srv/samba/*.log']],
    ['openvpn', { '/etc/openvpn/server/a.conf': 'status /x\nlog-append  /srv/openvpn.log\n' }, ['/srv/openvpn.log']],
    ['vaultwarden', { '/etc/vaultwarden.env': '# LOG_FILE=/no\nLOG_FILE=/srv/vw.log\n' }, ['/srv/vw.log']],
    [
      'authelia',
      { '/etc/authelia/configuration.yml': "log:\n  level: info\n  file_path: '/srv/authelia.log'\n" },
      ['/srv/authelia.log'],
    ],
    [
      'nextcloud',
      { '/var/www/nextcloud/config/config.php': "<?php $CONFIG = ['logfile' => '/srv/nextcloud.log'];" },
      ['/srv/nextcloud.log'],
    ],
    ['nginx', { '/etc/nginx/nginx.conf': 'http { access_log /srv/nginx.log; }' }, ['/srv/nginx.log']],
    ['apache', { '/etc/apache2/apache2.conf': 'CustomLog /srv/apache.log combined' }, ['/srv/apache.log']],
  ];
  for (const [name, files, paths] of cases) {
    const service = knownServices.find((one) => one.name === name);
    const unit = service?.units[0] === undefined ? {} : { [`/etc/systemd/system/${service.units[0]}.service`]: '' };
    const found = find(t, { ...unit, ...files }).find((one) => one.service.name === name);
    t.match(found?.source, { from: 'files', paths }, name);
  }
  t.equal(cases.length, 16);
});

t.test('a configured log that a usual place stands for is read once', async (t) => {
  const found = find(t, {
    '/lib/systemd/system/nginx.service': '',
    '/var/log/nginx/access.log': '',
    '/etc/nginx/nginx.conf':
      'http { access_log /var/log/nginx/access.log; access_log /var/log/nginx/later.log; access_log /srv/a.log; error_log /var/log/nginx/problems.log; error_log /var/log/nginx/error.log; }',
  });
  t.match(found[0]?.source, {
    paths: ['/var/log/nginx/*.log', '/srv/a.log'],
    excluded: [String.raw`error[^/]*\.log$`, String.raw`^/var/log/nginx/problems\.log$`],
  });
  t.equal(found.length, 1);
});

t.test('a unit that is masked is not installed, wherever else it lies', async (t) => {
  const masked = {
    '/etc/systemd/system/nginx.service': { link: '/dev/null' },
    '/lib/systemd/system/nginx.service': '',
  };
  t.same(find(t, masked), []);
});

t.test('MariaDB is not MySQL as well', async (t) => {
  const names = find(t, {
    '/lib/systemd/system/mariadb.service': '',
    '/etc/systemd/system/mysql.service': { link: '/lib/systemd/system/mariadb.service' },
    '/var/log/mysql/error.log': '',
  }).map(({ service }) => service.name);
  t.same(names, ['mariadb']);
});

t.test('sshd is read from the file of syslog, else from the journal, else not at all', async (t) => {
  const sshd: MachineFiles = { '/lib/systemd/system/ssh.service': '' };
  const journal: MachineFiles = { '/var/log/journal/machine/system.journal': '' };
  const rsyslog: MachineFiles = { '/lib/systemd/system/rsyslog.service': '', '/var/log/auth.log': '' };
  t.same(find(t, { ...sshd, ...journal, ...rsyslog })[0]?.source, { from: 'syslog', path: '/var/log/auth.log' });
  t.match(find(t, { ...sshd, ...journal })[0]?.source, {
    from: 'journal',
    matches: ['_COMM=sshd', '_COMM=sshd-session'],
  });
  const [nothing] = find(t, sshd);
  t.equal(nothing?.source, null);
  t.match(nothing?.notes, ['No log of it was found.']);
});

t.test('a program in a container is no service of this machine', async (t) => {
  const machine = inspectMachine(
    rootFiles(t, {
      ...processFiles(100, ['nginx: master process'], 'nginx', '0::/system.slice/docker-4f0c.scope\n'),
      ...processFiles(101, ['/usr/sbin/sshd', '-D'], 'sshd'),
      ...processFiles(102, [], 'kworker/0:1'),
      '/proc/meminfo': '',
      '/run/docker.sock': '',
    }),
  );
  t.same(
    findServices(machine, knownServices).map(({ service }) => service.name),
    ['sshd'],
  );
  t.same(
    containedServices(machine, knownServices).map(({ name }) => name),
    ['nginx'],
  );
  t.equal(machine.docker, '/run/docker.sock');
});

t.test('scripts are known by their own name', async (t) => {
  const names = find(t, {
    ...processFiles(5, ['/usr/bin/python3.12', '/opt/ha/bin/hass', '-c', '/config'], 'python3.12'),
    ...processFiles(6, ['/usr/bin/perl', '/usr/share/webmin/miniserv.pl'], 'perl'),
  }).map(({ service }) => service.name);
  t.same(names, ['webmin', 'home-assistant']);
});

t.test('this machine can be looked at', async (t) => {
  const machine = inspectMachine(createRootFiles('/'));
  t.ok(machine.programs.size > 0, 'at least this test runs');
  for (const { evidence, source } of findServices(machine, knownServices)) {
    t.ok(evidence.length > 0);
    if (source?.from === 'files') for (const path of source.paths) t.ok(posix.isAbsolute(path), path);
  }
});
