/** Exim. */
import type { GrokTable } from './table.ts';

const spans = ['y', 'w', 'd', 'h', 'm', 's'].map((letter) => String.raw`(?:\d+${letter})?`).join('');
const helo = String.raw`(?:\(%{NOTSPACE:remote_heloname}\) )?`;

export const exim: GrokTable = {
  EXIM_MSGID: '[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}',
  EXIM_FLAGS: String.raw`<=|[*=>-]>|\*\*|==`,
  EXIM_DATE: '%{YEAR:exim_year}-%{MONTHNUM:exim_month}-%{MONTHDAY:exim_day} %{TIME:exim_time}',
  EXIM_PID: String.raw`\[%{POSINT}\]`,
  EXIM_QT: spans,
  EXIM_EXCLUDE_TERMS: [
    'Message is frozen',
    '(?:Start|End) queue run',
    ' Warning: ',
    ' retry time not reached ',
    ' no (?:IP address|host name) found for (?:IP address|host) ',
    ' unexpected disconnection while reading SMTP command ',
    ' no immediate delivery: ',
    'another process is handling this message',
  ].join('|'),
  EXIM_REMOTE_HOST: String.raw`H=(?:%{NOTSPACE:remote_hostname} )?${helo}\[%{IP:remote_host}\]`,
  EXIM_INTERFACE: String.raw`I=\[%{IP:exim_interface}\]:%{NUMBER:exim_interface_port}`,
  EXIM_PROTOCOL: 'P=%{NOTSPACE:protocol}',
  EXIM_MSG_SIZE: 'S=%{NUMBER:exim_msg_size}',
  EXIM_HEADER_ID: 'id=%{NOTSPACE:exim_header_id}',
  EXIM_SUBJECT: 'T=%{QS:exim_subject}',
};
