/** MongoDB, MySQL, PostgreSQL, Redis. */
import type { GrokTable } from './table.ts';

const redisHead = '%{REDISTIMESTAMP:time}';

export const mongodb: GrokTable = {
  MONGO_LOG: String.raw`%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:component}\] %{GREEDYDATA:message}`,
  MONGO_QUERY: String.raw`\{ \{ .* \} ntoreturn: \}`,
  MONGO_WORDDASH: String.raw`\b[\w-]+\b`,
  MONGO_SLOWQUERY: [
    String.raw`%{WORD} %{MONGO_WORDDASH:database}\.%{MONGO_WORDDASH:collection} %{WORD}: %{MONGO_QUERY:query}`,
    ...['ntoreturn', 'ntoskip'].map((count) => `%{WORD}:%{NONNEGINT:${count}}`),
    '%{WORD}:%{NONNEGINT:nscanned}.*nreturned:%{NONNEGINT:nreturned}..+ %{POSINT:duration}ms',
  ].join(' '),
  MONGO3_SEVERITY: String.raw`\w`,
  MONGO3_COMPONENT: '%{WORD}|-',
  MONGO3_LOG: [
    '%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:severity}',
    String.raw`%{MONGO3_COMPONENT:component}%{SPACE}(?:\[%{DATA:context}\])?`,
    '%{GREEDYDATA:message}',
  ].join(' '),
};

export const mysql: GrokTable = {
  MYSQL_AUTH_FAIL: [
    String.raw`%{TIMESTAMP_ISO8601:time} %{NUMBER} \[Note\] Access denied for user '%{DATA:user}'@'%{IP:source_ip}'`,
    String.raw`\(using password: %{WORD:using_password}\)`,
  ].join(' '),
};

export const postgresql: GrokTable = {
  POSTGRESQL: '%{DATESTAMP:timestamp} %{TZ} %{DATA:user_id} %{GREEDYDATA:connection_id} %{POSINT:pid}',
};

export const redis: GrokTable = {
  REDISTIMESTAMP: '%{MONTHDAY} %{MONTH} %{TIME}',
  REDISLOG: String.raw`\[%{POSINT:pid}\] ${redisHead} \*\s`,
  REDISLOG1: '%{REDISLOG}',
  REDISLOG2: `%{POSINT:pid}:M ${redisHead} [#*] %{GREEDYDATA:message}`,
};
