/** The whole library: 88 base names and 309 stock names, in the order in which they refer to each other. */
import { addresses } from './addresses.ts';
import { java, mcollective, rails, ruby, samba, tcpdump } from './applications.ts';
import { bacula } from './bacula.ts';
import { mongodb, mysql, postgresql, redis } from './databases.ts';
import { firewalls, junos } from './firewalls.ts';
import { exim } from './mail.ts';
import { modsecurity, naxsi } from './modsecurity.ts';
import { nagios } from './nagios.ts';
import { cowrie, ssh } from './ssh.ts';
import { syslog, syslogBase } from './syslog.ts';
import type { GrokTable } from './table.ts';
import { times } from './times.ts';
import { amazon, apache, haproxy, nginx } from './web-servers.ts';
import { words } from './words.ts';
import { zeek } from './zeek.ts';

/** Base names come first: the stock ones refer to them. */
export const libraryTables: readonly GrokTable[] = [
  words,
  addresses,
  times,
  syslogBase,
  apache,
  syslog,
  firewalls,
  junos,
  modsecurity,
  naxsi,
  nginx,
  haproxy,
  amazon,
  exim,
  ssh,
  cowrie,
  mongodb,
  mysql,
  postgresql,
  redis,
  java,
  mcollective,
  rails,
  ruby,
  samba,
  tcpdump,
  bacula,
  nagios,
  zeek,
];
