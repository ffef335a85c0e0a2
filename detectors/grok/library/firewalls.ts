/** Firewalls: Cisco ASA by message number, NetScreen, Junos, Shorewall. */
import { type GrokTable, oneOf, prefixed } from './table.ts';

const address = (side: string): string => `%{IP:${side}_ip}`;
const port = (side: string): string => `%{INT:${side}_port}`;
const endpoint = (side: string): string => `${address(side)}/${port(side)}`;
const inParentheses = (text: string): string => String.raw`(?:\(${text}\))?`;
const user = (side: string): string => inParentheses(`%{DATA:${side}_fwuser}`);
/** Behind a named interface. */
const via = (side: string, what = endpoint(side)): string => `%{DATA:${side}_interface}:${what}`;
const mapped = (side: string): string => String.raw`(?: \(%{IP:${side}_mapped_ip}/%{INT:${side}_mapped_port}\))?`;
const icmp = (before = ''): string => String.raw`\(type %{INT:${before}icmp_type}, code %{INT:${before}icmp_code}\)`;
const action = '%{CISCO_ACTION:action}';
const direction = '%{CISCO_DIRECTION:direction}';
const protocol = '%{WORD:protocol}';
const reason = '%{CISCO_REASON:reason}';
const hashcodes = String.raw`\[%{DATA:hashcode1}, %{DATA:hashcode2}\]`;
const unit = String.raw`\((?:Primary|Secondary)\)`;
const watched = '[Ii]nterface %{GREEDYDATA:interface_name}';
const hits = `hit-cnt %{INT:hit_count} %{CISCO_INTERVAL:interval} ${hashcodes}`;
const listed = `access-list %{NOTSPACE:policy_id} ${action} ${protocol}`;
/** An end of a connection that an access list saw. */
const inList = (side: string): string => String.raw`%{DATA:${side}_interface}/${address(side)}\(${port(side)}\)`;
const rates = (of: string, what: string): string =>
  `${what} rate is %{INT:drop_rate_current_${of}} per second, max configured rate is %{INT:drop_rate_max_${of}}`;

/** By the numbers of the messages they are for. */
const ciscoMessages: GrokTable = prefixed('CISCOFW', {
  '104001': `${unit} Switching to ACTIVE - %{GREEDYDATA:switch_reason}`,
  '104002': `${unit} Switching to STANDBY - %{GREEDYDATA:switch_reason}`,
  '104003': String.raw`${unit} Switching to FAILED\.`,
  '104004': String.raw`${unit} Switching to OK\.`,
  '105003': `${unit} Monitoring on ${watched} waiting`,
  '105004': `${unit} Monitoring on ${watched} normal`,
  '105005': `${unit} Lost Failover communications with mate on ${watched}`,
  '105008': `${unit} Testing ${watched}`,
  '105009': `${unit} Testing on ${watched} (?:Pass|Fail)ed`,
  '106001': [
    `${direction} ${protocol} connection ${action} from ${endpoint('src')} to ${endpoint('dst')}`,
    'flags %{GREEDYDATA:tcp_flags} on interface %{GREEDYDATA:interface}',
  ].join(' '),
  '106006_106007_106010': [
    `${action} ${direction} ${protocol} (?:from|src) ${endpoint('src')}${user('src')}`,
    `(?:to|dst) ${endpoint('dst')}${user('dst')} (?:on interface %{DATA:interface}|due to ${reason})`,
  ].join(' '),
  '106014': [
    `${action} ${direction} ${protocol} src ${via('src', address('src'))}${user('src')}`,
    `dst ${via('dst', address('dst'))}${user('dst')} ${icmp()}`,
  ].join(' '),
  '106015': [
    String.raw`${action} ${protocol} \(%{DATA:policy_id}\) from ${endpoint('src')} to ${endpoint('dst')}`,
    'flags %{DATA:tcp_flags}  on interface %{GREEDYDATA:interface}',
  ].join(' '),
  '106021': [
    `${action} ${protocol} reverse path check from ${address('src')} to ${address('dst')}`,
    'on interface %{GREEDYDATA:interface}',
  ].join(' '),
  '106023': [
    `${action}(?: protocol)? ${protocol}`,
    `src ${via('src', '%{DATA:src_ip}')}(?:/${port('src')})?${user('src')}`,
    `dst ${via('dst', '%{DATA:dst_ip}')}(?:/${port('dst')})?${user('dst')}(?: ${icmp()})?`,
    `by access-group "?%{DATA:policy_id}"? ${hashcodes}`,
  ].join(' '),
  '106100_2_3': `${listed} for user '%{DATA:src_fwuser}' ${inList('src')} -> ${inList('dst')} ${hits}`,
  // Upstream names the user behind the arrow like the one before it, so only the last is yielded.
  '106100': `${listed} ${inList('src')}${user('src')} -> ${inList('dst')}${user('src')} ${hits}`,
  '110002': `${reason} for ${protocol} from ${via('src')} to ${endpoint('dst')}`,
  '302010': '%{INT:connection_count} in use, %{INT:connection_count_max} most used',
  '302013_302014_302015_302016': [
    `${action}(?: ${direction})? ${protocol} connection %{INT:connection_id}`,
    ` for ${via('src')}${mapped('src')}${user('src')} to ${via('dst')}${mapped('dst')}${user('dst')}`,
    String.raw`(?: duration %{TIME:duration} bytes %{INT:bytes})?(?: ${reason})?(?: \(%{DATA:user}\))?`,
  ].join(''),
  '302020_302021': [
    `${action}(?: ${direction})? ${protocol} connection for`,
    `faddr %{IP:dst_ip}/%{INT:icmp_seq_num}${inParentheses('%{DATA:fwuser}')}`,
    'gaddr %{IP:src_xlated_ip}/%{INT:icmp_code_xlated}',
    String.raw`laddr %{IP:src_ip}/%{INT:icmp_code}(?: \(%{DATA:user}\))?`,
  ].join(' '),
  '305011': [
    `${action} %{CISCO_XLATE_TYPE:xlate_type} ${protocol} translation`,
    `from ${via('src', address('src'))}(?:/${port('src')})?${user('src')}`,
    'to %{DATA:src_xlated_interface}:%{IP:src_xlated_ip}/%{DATA:src_xlated_port}',
  ].join(' '),
  '313001_313004_313008': [
    `${action} ${protocol} type=%{INT:icmp_type}, code=%{INT:icmp_code}`,
    `from ${address('src')} on interface %{DATA:interface}(?: to ${address('dst')})?`,
  ].join(' '),
  '313005': [
    `${reason} for ${protocol} error message: %{WORD:err_protocol}`,
    `src ${via('err_src', address('err_src'))}${user('err_src')}`,
    `dst ${via('err_dst', address('err_dst'))}${user('err_dst')} ${icmp('err_')}`,
    String.raw`on %{DATA:interface} interface\.  Original IP payload: ${protocol}`,
    `src ${endpoint('orig_src')}${user('orig_src')} dst ${endpoint('orig_dst')}${user('orig_dst')}`,
  ].join(' '),
  '321001': "Resource '%{WORD:resource_name}' limit of %{POSINT:resource_limit} reached for system",
  '402117': [
    String.raw`${protocol}: Received a non-IPSec packet \(protocol= %{WORD:orig_protocol}\)`,
    `from ${address('src')} to ${address('dst')}`,
  ].join(' '),
  '402119': [
    String.raw`${protocol}: Received an %{WORD:orig_protocol} packet \(SPI= %{DATA:spi}, sequence number= %{DATA:seq_num}\)`,
    String.raw`from ${address('src')} \(user= %{DATA:user}\) to ${address('dst')} that failed anti-replay checking`,
  ].join(' '),
  '419001': `${action} ${protocol} packet from ${via('src')} to ${via('dst')}, reason: %{GREEDYDATA:reason}`,
  '419002': `${reason} from ${via('src')} to ${via('dst')} with different initial sequence number`,
  '500004': `${reason} for protocol=${protocol}, from ${endpoint('src')} to ${endpoint('dst')}`,
  '602303_602304': [
    String.raw`${protocol}: An ${direction} %{GREEDYDATA:tunnel_type} SA \(SPI= %{DATA:spi}\)`,
    String.raw`between ${address('src')} and ${address('dst')} \(user= %{DATA:user}\) has been ${action}`,
  ].join(' '),
  '710001_710002_710003_710005_710006': `${protocol} (?:request|access) ${action} from ${endpoint('src')} to ${via('dst')}`,
  '713172': [
    `Group = %{GREEDYDATA:group}, IP = ${address('src')}, Automatic NAT Detection Status:`,
    String.raw`\s+Remote end\s*%{DATA:is_remote_natted}\s*behind a NAT device`,
    String.raw`\s+This\s+end\s*%{DATA:is_local_natted}\s*behind a NAT device`,
  ].join(''),
  // The dot after `exceeded` is any character.
  '733100': [
    String.raw`\[\s*%{DATA:drop_type}\s*\] drop %{DATA:drop_rate_id} exceeded. ${rates('burst', 'Current burst')}`,
    `${rates('avg', 'Current average')}; Cumulative total count is %{INT:drop_total_count}`,
  ].join('; '),
});

const netscreenPairs = [
  ['duration', '%{INT:duration}'],
  ['policy_id', '%{INT:policy_id}'],
  ['service', '%{DATA:service}'],
  ['proto', '%{INT:proto}'],
  ['src zone', '%{WORD:src_zone}'],
  ['dst zone', '%{WORD:dst_zone}'],
  ['action', '%{WORD:action}'],
  ['sent', '%{INT:sent}'],
  ['rcvd', '%{INT:rcvd}'],
  ['src', '%{IPORHOST:src_ip}'],
  ['dst', '%{IPORHOST:dst_ip}'],
  ['src_port', '%{INT:src_port}'],
  ['dst_port', '%{INT:dst_port}'],
  ['src-xlated ip', '%{IPORHOST:src_xlated_ip}'],
  ['port', '%{INT:src_xlated_port}'],
  ['dst-xlated ip', '%{IPORHOST:dst_xlated_ip}'],
  ['port', '%{INT:dst_xlated_port}'],
  ['session_id', '%{INT:session_id}'],
  ['reason', '%{GREEDYDATA:reason}'],
].map((pair) => pair.join('='));

export const firewalls: GrokTable = {
  NETSCREENSESSIONLOG: [
    '%{SYSLOGTIMESTAMP:date} %{IPORHOST:device} %{IPORHOST}: NetScreen device_id=%{WORD:device_id}%{DATA}:',
    'start_time=%{QUOTEDSTRING:start_time}',
    ...netscreenPairs,
  ].join(' '),
  CISCOTAG: '[A-Z0-9]+-%{INT}-[A-Z0-9_]+',
  CISCOTIMESTAMP: '%{MONTH} +%{MONTHDAY}(?: %{YEAR})? %{TIME}',
  CISCO_TAGGED_SYSLOG:
    '^<%{POSINT:syslog_pri}>%{CISCOTIMESTAMP:timestamp}(?: %{SYSLOGHOST:sysloghost})? ?: %%{CISCOTAG:ciscotag}:',
  CISCO_ACTION: oneOf(
    'Built',
    'Teardown',
    'Deny',
    'Denied',
    // `denied by ACL` is offered after `denied`, where upstream has it.
    'denied',
    'requested',
    'permitted',
    'denied by ACL',
    'discarded',
    'est-allowed',
    'Dropping',
    'created',
    'deleted',
  ),
  CISCO_REASON: oneOf(
    'Duplicate TCP SYN',
    'Failed to locate egress interface',
    'Invalid transport field',
    'No matching connection',
    'DNS (?:Response|Query)',
    String.raw`(?:%{WORD}\s*)*`,
  ),
  CISCO_DIRECTION: '[Ii]nbound|[Oo]utbound',
  CISCO_INTERVAL: 'first hit|%{INT}-second interval',
  CISCO_XLATE_TYPE: 'static|dynamic',
  ...ciscoMessages,
  SHOREWALL: [
    '%{SYSLOGTIMESTAMP:timestamp} %{WORD:nf_host} kernel:',
    'Shorewall:%{WORD:nf_action1}?:%{WORD:nf_action2}?',
    'IN=%{USERNAME:nf_in_interface}?',
    '(?:OUT= *MAC=%{COMMONMAC:nf_dst_mac}:%{COMMONMAC:nf_src_mac}?|OUT=%{USERNAME:nf_out_interface})',
    'SRC=%{IPV4:nf_src_ip}',
    'DST=%{IPV4:nf_dst_ip}',
    [
      'LEN=%{WORD:nf_len}',
      'TOS=%{WORD:nf_tos}',
      'PREC=%{WORD:nf_prec}',
      'TTL=%{INT:nf_ttl}',
      'ID=%{INT:nf_id}',
      'PROTO=%{WORD:nf_protocol}',
      'SPT=%{INT:nf_src_port}?',
    ].join('.*?'),
    'DPT=%{INT:nf_dst_port}?',
    '',
  ].join('.*'),
};

/** Hyphens are no part of a field's name in CrowdSec: such text stands for itself, and only `event` and `service` are read. */
const route = (before: string): string =>
  ['src', 'dst'].map((side) => `%{IP:${before}${side}-ip}/%{INT:${before}${side}-port}`).join('->');
const nat = `%{DATA:service} ${route('nat-')} %{DATA:src-nat-rule-name} %{DATA:dst-nat-rule-name} %{INT:protocol-id}`;
const zones = '%{DATA:policy-name} %{DATA:from-zone} %{DATA:to-zone}';

export const junos: GrokTable = {
  RT_FLOW_EVENT: 'RT_FLOW_SESSION_(?:CREATE|CLOSE|DENY)',
  RT_FLOW1: [
    `%{RT_FLOW_EVENT:event}: %{GREEDYDATA:close-reason}: ${route('')} ${nat} ${zones} %{INT:session-id}`,
    String.raw`\d+\(%{DATA:sent}\) \d+\(%{DATA:received}\) %{INT:elapsed-time} .*`,
  ].join(' '),
  RT_FLOW2: `%{RT_FLOW_EVENT:event}: session created ${route('')} ${nat} ${zones} %{INT:session-id} .*`,
  RT_FLOW3: [
    `%{RT_FLOW_EVENT:event}: session denied ${route('')} %{DATA:service}`,
    String.raw`%{INT:protocol-id}\(\d\) ${zones} .*`,
  ].join(' '),
};
