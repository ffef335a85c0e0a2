/** Syslog lines of both RFCs, and what writes straight into them: PAM, cron. */
import type { GrokTable } from './table.ts';

const nilOr = (field: string): string => `(?:-|%{SYSLOG5424PRINTASCII:${field}})`;

export const syslogBase: GrokTable = {
  SYSLOGPROG: String.raw`%{PROG:program}(?:\[%{POSINT:pid}\])?`,
  SYSLOGHOST: '%{IPORHOST}',
  // The dot between the two is any character.
  SYSLOGFACILITY: '<%{NONNEGINT:facility}.%{NONNEGINT:priority}>',
  SYSLOGBASE: '%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG}:',
};

export const syslog: GrokTable = {
  SYSLOG5424PRINTASCII: '[!-~]+',
  SYSLOGBASE2: [
    '(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) ',
    // Without a name, several hosts in a row are one word to a greedy loop: they stay a loop for the last to be yielded.
    '(?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource}+(?: %{SYSLOGPROG}:)?',
  ].join(''),
  SYSLOGPAMSESSION: [
    String.raw`%{SYSLOGBASE} %{GREEDYDATA:message}%{WORD:pam_module}\(%{DATA:pam_caller}\): `,
    'session %{WORD:pam_session_state} for user %{USERNAME:username}(?: by %{GREEDYDATA:pam_by})?',
  ].join(''),
  CRON_ACTION: '[ A-Z]+',
  CRONLOG: String.raw`%{SYSLOGBASE} \(%{USER:user}\) %{CRON_ACTION:action} \(%{DATA:message}\)`,
  SYSLOGLINE: '%{SYSLOGBASE2} %{GREEDYDATA:message}',
  SYSLOG5424PRI: '<%{NONNEGINT:syslog5424_pri}>',
  SYSLOG5424SD: String.raw`\[%{DATA}\]+`,
  SYSLOG5424BASE: [
    '%{SYSLOG5424PRI}%{NONNEGINT:syslog5424_ver}',
    '(?:%{TIMESTAMP_ISO8601:syslog5424_ts}|-)',
    '(?:%{HOSTNAME:syslog5424_host}|-)',
    ...['app', 'proc', 'msgid'].map((part) => nilOr(`syslog5424_${part}`)),
    '(?:%{SYSLOG5424SD:syslog5424_sd}|-|)',
  ].join(' +'),
  SYSLOG5424LINE: '%{SYSLOG5424BASE} +%{GREEDYDATA:syslog5424_msg}',
};
