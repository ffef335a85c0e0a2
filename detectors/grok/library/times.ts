/**
 * Dates and times. Where two lengths are possible, which one is offered first is part of the interface: a month `10` is
 * offered as `1` first, a day `10` as `10`.
 */
import type { GrokTable } from './table.ts';

export const times: GrokTable = {
  // The edges hold for January's beginning and December's end only, as upstream.
  MONTH: [
    String.raw`\bJan(?:uary?)?`,
    'Feb(?:ruary?)?',
    'M[aä]?r(?:ch|z)?|Ma[yi]?',
    'A(?:pr(?:il)?|ug(?:ust)?)',
    'Ju(?:n[ei]?|ly?)',
    'Sep(?:tember)?',
    'O[ck]?t(?:ober)?',
    'Nov(?:ember)?',
    String.raw`De[cz](?:ember)?\b`,
  ].join('|'),
  MONTHNUM: '0[1-9]|1[0-2]??|[2-9]',
  MONTHNUM2: '0[1-9]|1[0-2]',
  MONTHDAY: String.raw`0[1-9]|[12]\d?|3[01]?|[4-9]`,
  DAY: '(?:Mon|Fri|Sun)(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Sat(?:urday)?',
  YEAR: String.raw`\d\d(?:\d\d)?`,
  HOUR: String.raw`[01]\d?|2[0-3]?|[3-9]`,
  MINUTE: String.raw`[0-5]\d`,
  SECOND: String.raw`(?:[0-5]\d?|60??|[7-9])(?:[:.,]\d+)?`,
  TIME: '%{HOUR}:%{MINUTE}:%{SECOND}',
  DATE_US: '%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}',
  DATE_EU: '%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}',
  DATE_X: '%{YEAR}/%{MONTHNUM2}/%{MONTHDAY}',
  DATE: '%{DATE_US}|%{DATE_EU}|%{DATE_X}',
  DATESTAMP: '%{DATE}[ -]%{TIME}',
  TZ: '[A-Z]{3}',
  NUMTZ: String.raw`[+-]\d{4}`,
  ISO8601_TIMEZONE: 'Z|[+-]%{HOUR}:?%{MINUTE}',
  ISO8601_SECOND: '%{SECOND}',
  TIMESTAMP_ISO8601: '%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[ T]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?',
  DATESTAMP_RFC822: '%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}',
  DATESTAMP_RFC2822: '%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}',
  DATESTAMP_OTHER: '%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}',
  DATESTAMP_EVENTLOG: '%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}',
  HTTPDERROR_DATE: '%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}',
  // The quote at the end is upstream's and part of what this name matches.
  ANSIC: String.raw`%{DAY} %{MONTH} [123_]\d %{TIME} %{YEAR}"`,
  UNIXDATE: String.raw`%{DAY} %{MONTH} [123_]\d %{TIME} %{TZ} %{YEAR}`,
  RUBYDATE: String.raw`%{DAY} %{MONTH} [0-3]\d %{TIME} %{NUMTZ} %{YEAR}`,
  RFC822Z: String.raw`[0-3]\d %{MONTH} %{YEAR} %{TIME} %{NUMTZ}`,
  RFC850: String.raw`%{DAY}, [0-3]\d-%{MONTH}-%{YEAR} %{TIME} %{TZ}`,
  RFC1123: String.raw`%{DAY}, [0-3]\d %{MONTH} %{YEAR} %{TIME} %{TZ}`,
  RFC1123Z: String.raw`%{DAY}, [0-3]\d %{MONTH} %{YEAR} %{TIME} %{NUMTZ}`,
  RFC3339: String.raw`%{YEAR}-[01]\d-[0-3]\dT%{TIME}%{ISO8601_TIMEZONE}`,
  RFC3339NANO: String.raw`%{YEAR}-[01]\d-[0-3]\dT%{TIME}\.\d{9}%{ISO8601_TIMEZONE}`,
  KITCHEN: String.raw`\d\d?:\d\d(?:[AP]M|[ap]m)`,
  SYSLOGTIMESTAMP: '%{MONTH} +%{MONTHDAY} %{TIME}',
  HTTPDATE: '%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}',
};
