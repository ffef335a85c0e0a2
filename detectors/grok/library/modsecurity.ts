/** ModSecurity and NAXSI: web application firewalls that write into their server's error log. */
import type { GrokTable } from './table.ts';

/** `[name value]`. */
const tagged = (name: string, value: string): string => String.raw`\[${name} ${value}\]`;
const quotedTag = (name: string, field: string): string => tagged(name, `%{QUOTEDSTRING:${field}}`);
const optional = (name: string): string => `(?:%{MODSEC${name}} )?`;

const client = tagged('client', '%{IPORHOST:sourcehost}(?::%{INT:source_port})?');
/** The first ten are read, what follows is passed over. */
const tags = Array.from({ length: 10 }, (_, index) => `(?:${quotedTag('tag', `ruletag${index}`)} )?`).join('');

export const modsecurity: GrokTable = {
  APACHEERRORTIME: '%{HTTPDERROR_DATE}',
  APACHEERRORPREFIX: [
    String.raw`\[%{APACHEERRORTIME:timestamp}\] \[%{NOTSPACE:apacheseverity}\] `,
    String.raw`(?:\[pid %{INT}:tid %{INT}\] )?${client} (?:${tagged('client', '%{IPORHOST}')})?`,
  ].join(''),
  GENERICAPACHEERROR: '%{APACHEERRORPREFIX} %{GREEDYDATA:message}',
  MODSECPREFIX: String.raw`%{APACHEERRORPREFIX} ModSecurity: %{NOTSPACE:modsecseverity}\. %{GREEDYDATA:modsecmessage}`,
  MODSECRULEFILE: quotedTag('file', 'rulefile'),
  MODSECRULELINE: quotedTag('line', 'ruleline'),
  MODSECMATCHOFFSET: quotedTag('offset', 'matchoffset'),
  MODSECRULEID: quotedTag('id', 'ruleid'),
  MODSECRULEREV: quotedTag('rev', 'rulerev'),
  MODSECRULEMSG: quotedTag('msg', 'rulemessage'),
  MODSECRULEDATA: quotedTag('data', 'ruledata'),
  MODSECRULESEVERITY: tagged('severity', `["']%{WORD:ruleseverity}["']`),
  MODSECRULEVERS: tagged('ver', '"[^"]+"'),
  MODSECRULETAGS: `${tags}(?:${tagged('tag', '%{QUOTEDSTRING}')} )*`,
  MODSECHOSTNAME: tagged('hostname', `["']%{DATA:targethost}["']`),
  MODSECURI: tagged('uri', `["']%{DATA:targeturi}["']`),
  MODSECUID: quotedTag('unique_id', 'uniqueid'),
  MODSECAPACHEERROR: [
    '%{MODSECPREFIX} %{MODSECRULEFILE} %{MODSECRULELINE} ',
    ...['MATCHOFFSET', 'RULEID', 'RULEREV', 'RULEMSG', 'RULEDATA', 'RULESEVERITY', 'RULEVERS'].map(optional),
    '%{MODSECRULETAGS}%{MODSECHOSTNAME} %{MODSECURI} %{MODSECUID}',
  ].join(''),
};

export const naxsi: GrokTable = {
  NAXSI_FMT: [
    '^NAXSI_FMT: ip=%{IPORHOST:src_ip}',
    'server=%{IPORHOST:target_ip}',
    'uri=%{PATH:http_path}',
    String.raw`learning=\d`,
    'vers=%{DATA:naxsi_version}',
    String.raw`total_processed=\d+`,
    String.raw`total_blocked=\d+`,
    // Scores come in pairs, and the last pair is the one that is read.
    String.raw`block=\d+(?:&cscore\d=%{WORD:score_label}&score\d=%{INT:score})+`,
    'zone0=%{WORD:zone}',
  ].join('&'),
  NAXSI_EXLOG: [
    '^NAXSI_EXLOG: ip=%{IPORHOST:naxsi_src_ip}',
    'server=%{IPORHOST:naxsi_dst_ip}',
    'uri=%{PATH:http_path}',
    'id=%{INT:naxsi_id}',
    'zone=%{WORD:naxsi_zone}',
    'var_name=%{DATA:naxsi_var_name}',
    'content=',
  ].join('&'),
};
