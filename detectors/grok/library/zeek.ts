/** Zeek, once named Bro: one record on a line, its fields separated by tabs. */
import type { GrokTable } from './table.ts';

/** Fields as `name`, which may be anything, or `TYPE:name`. */
function record(...written: readonly string[]): string {
  const fields = written.join(' ').split(' ');
  return fields.map((field) => (field.includes(':') ? `%{${field}}` : `%{GREEDYDATA:${field}}`)).join(String.raw`\t`);
}

const connection = 'NUMBER:ts NOTSPACE:uid IP:orig_h INT:orig_p IP:resp_h INT:resp_p';

export const zeek: GrokTable = {
  BRO_HTTP: record(
    connection,
    'INT:trans_depth method domain uri referrer user_agent NUMBER:request_body_len NUMBER:response_body_len',
    'status_code status_msg info_code info_msg filename bro_tags username password proxied',
    'orig_fuids orig_mime_types resp_fuids resp_mime_types',
  ),
  BRO_DNS: record(
    connection,
    'WORD:proto INT:trans_id query qclass qclass_name qtype qtype_name rcode rcode_name',
    'AA TC RD RA Z answers TTLs rejected',
  ),
  BRO_CONN: record(
    connection,
    'WORD:proto service NUMBER:duration NUMBER:orig_bytes NUMBER:resp_bytes conn_state local_orig missed_bytes history',
    'orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents',
  ),
  BRO_FILES: record(
    'NUMBER:ts NOTSPACE:fuid IP:tx_hosts IP:rx_hosts NOTSPACE:conn_uids source depth analyzers mime_type filename',
    'duration local_orig is_orig seen_bytes total_bytes missing_bytes overflow_bytes timedout parent_fuid',
    'md5 sha1 sha256 extracted',
  ),
};
