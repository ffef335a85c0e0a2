/** Java, Ruby and Rails, MCollective, Samba, tcpdump. */
import type { GrokTable } from './table.ts';

const javaName = String.raw`[A-Za-z$_][\w$]*`;
const clock = '%{HOUR}:?%{MINUTE}:?%{SECOND}';
const javaMessage = '%{JAVALOGMESSAGE:logmessage}';

export const java: GrokTable = {
  JAVACLASS: String.raw`${javaName}(?:\.${javaName})*`,
  // `Native Method` and `Unknown Source` stand where a file does.
  JAVAFILE: '[ A-Za-z0-9_.-]+',
  JAVAMETHOD: `<init>|${javaName}`,
  JAVASTACKTRACEPART: String.raw`%{SPACE}at %{JAVACLASS:class}\.%{JAVAMETHOD:method}\(%{JAVAFILE:file}(?::%{NUMBER:line})?\)`,
  JAVATHREAD: String.raw`[A-Z]{2}-Processor\d+`,
  JAVALOGMESSAGE: '.*',
  CATALINA_DATESTAMP: `%{MONTH} %{MONTHDAY}, 20%{YEAR} ${clock} [AP]M`,
  TOMCAT_DATESTAMP: `20%{YEAR}-%{MONTHNUM}-%{MONTHDAY} ${clock} %{ISO8601_TIMEZONE}`,
  CATALINALOG: `%{CATALINA_DATESTAMP:timestamp} %{JAVACLASS:class} ${javaMessage}`,
  TOMCATLOG: String.raw`%{TOMCAT_DATESTAMP:timestamp} \| %{LOGLEVEL:level} \| %{JAVACLASS:class} - ${javaMessage}`,
};

export const mcollective: GrokTable = {
  MCOLLECTIVE: String.raw`., \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid}\]%{SPACE}%{LOGLEVEL:event_level}`,
  MCOLLECTIVEAUDIT: '%{TIMESTAMP_ISO8601:timestamp}:',
};

const activeRecord = 'ActiveRecord: %{NUMBER:activerecordms}ms';

export const rails: GrokTable = {
  RUUID: String.raw`\s{32}`,
  RAILS_CONSTROLLER: '[^#]+',
  RAIL_ACTION: String.raw`\w+`,
  RCONTROLLER: '%{RAILS_CONSTROLLER:controller}#%{RAIL_ACTION:action}',
  RAILS_TIMESTAMP: '%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{TIME} %{ISO8601_TIMEZONE}',
  RAILS3HEAD:
    '(?m)Started %{WORD:verb} "%{URIPATHPARAM:request}" for %{IPORHOST:clientip} at %{RAILS_TIMESTAMP:timestamp}',
  RPROCESSING: String.raw`\W*Processing by %{RCONTROLLER} as %{NOTSPACE:format}(?:\W*Parameters: \{%{DATA:params}\}\W*)?`,
  RAILS3PROFILE: String.raw`(?:\(Views: %{NUMBER:viewms}ms \| ${activeRecord}|\(${activeRecord})?`,
  RAILS3FOOT: 'Completed %{NUMBER:response}%{DATA} in %{NUMBER:totalms}ms %{RAILS3PROFILE}%{GREEDYDATA}',
  RAILS_CONTEXT: String.raw`(?:%{DATA}\n)*`,
  RAILS3: '%{RAILS3HEAD}%{RPROCESSING}?%{RAILS_CONTEXT:context}%{RAILS3FOOT}?',
};

export const ruby: GrokTable = {
  RUBY_LOGLEVEL: 'DEBUG|FATAL|ERROR|WARN|INFO',
  RUBY_LOGGER: [
    String.raw`[DEFIW], \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid}\]`,
    '*%{RUBY_LOGLEVEL:loglevel} -- +%{DATA:progname}: %{GREEDYDATA:message}',
  ].join(' '),
};

export const samba: GrokTable = {
  SMB_AUTH_FAIL: [
    String.raw`Auth:%{GREEDYDATA} user \[%{DATA:smb_domain}\]\\\[%{DATA:user}\]`,
    String.raw` status \[NT_STATUS_NO_SUCH_USER\]`,
    String.raw` remote host \[ipv4:%{IP:ip_source}`,
  ].join('%{GREEDYDATA}'),
};

const end = (side: string): string => String.raw`%{IPORHOST:${side}_ip}\.%{INT:${side}_port}`;

export const tcpdump: GrokTable = {
  TCPDUMP_OUTPUT: String.raw`%{GREEDYDATA:timestamp} IP ${end('source')} > ${end('dest')}: Flags \[%{GREEDYDATA:tcpflags}\], seq`,
};
