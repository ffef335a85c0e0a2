/** OpenSSH's server, and cowrie, which pretends to be one. Dots are unescaped where upstream has them so. */
import { anyName, type GrokTable, prefixed } from './table.ts';

const client = '%{IP:sshd_client_ip}';
const port = 'port %{NUMBER:sshd_port}';
const listenPort = '%{NUMBER:sshd_listen_port}';
const from = `from ${client} ${port}`;
const login = `${from} %{WORD:sshd_protocol}`;
const user = '%{USERNAME:sshd_user}';
const badUser = '%{USERNAME:sshd_invalid_user}';
const status = '%{GREEDYDATA:sshd_disconnect_status}';
const privsep = String.raw`\[%{GREEDYDATA:sshd_privsep}\]`;
/** The mark of a message from before the log-in, where there is one. */
const maybePrivsep = String.raw`\s*(?:${privsep})?`;
const wrapped = 'warning: %{DATA:sshd_tcpd_file}, line %{NUMBER}:';
const breakIn = 'POSSIBLE BREAK-IN ATTEMPT!';
const pam = (module: string, message: string): string => String.raw`${module}\(sshd:session\): ${message}`;

const start: GrokTable = {
  LISTEN: `Server listening on %{IP:sshd_listen_ip} port ${listenPort}.`,
  TERMINATE: 'Received signal %{NUMBER:sshd_signal}; terminating.',
};
const tunnels: GrokTable = {
  TUNN_ERR1: `error: connect_to %{IP:sshd_listen_ip} port ${listenPort}: failed.`,
  TUNN_ERR2: `error: channel_setup_fwd_listener: cannot listen to port: ${listenPort}`,
  TUNN_ERR3: 'error: bind: Address already in use',
  TUNN_ERR4: `error: channel_setup_fwd_listener_tcpip: cannot listen to port: ${listenPort}`,
  TUNN_TIMEOUT: 'Timeout, client not responding.',
};
const sessions: GrokTable = {
  SUCCESS: `Accepted %{WORD:sshd_auth_type} for ${user} ${login}: %{GREEDYDATA:sshd_cipher}`,
  DISCONNECT: `Received disconnect ${from}:%{NUMBER:sshd_disconnect_code}: ${status}`,
  CONN_CLOSE: `Connection closed by ${client}$`,
  SESSION_OPEN: pam('pam_unix', String.raw`session opened for user ${user} by \(uid=\d+\)`),
  SESSION_CLOSE: pam('pam_unix', `session closed for user ${user}`),
  SESSION_FAIL: pam('pam_systemd', `Failed to release session: ${status}`),
  LOGOUT_ERR: String.raw`syslogin_perform_logout: logout\(\) returned an error`,
};
const probes: GrokTable = {
  REFUSE_CONN: String.raw`refused connect from %{DATA:sshd_client_hostname} \(%{IPORHOST:sshd_client_ip}\)`,
  TCPWRAP_FAIL1: String.raw`${wrapped} can't verify hostname: getaddrinfo\(%{DATA:sshd_paranoid_hostname}, %{DATA:sshd_sa_family}\) failed`,
  TCPWRAP_FAIL2: `${wrapped} host name/address mismatch: %{IPORHOST:sshd_client_ip} != %{HOSTNAME:sshd_paranoid_hostname}`,
  TCPWRAP_FAIL3: `${wrapped} host name/name mismatch: %{HOSTNAME:sshd_paranoid_hostname_1} != %{HOSTNAME:sshd_paranoid_hostname_2}`,
  TCPWRAP_FAIL4: `${wrapped} host name/name mismatch: reverse lookup results in non-FQDN %{HOSTNAME:sshd_paranoid_hostname}`,
  TCPWRAP_FAIL5: "warning: can't get client address: Connection reset by peer",
  FAIL: `Failed %{WORD:sshd_auth_type} for ${badUser} ${login}`,
  USER_FAIL: `Failed password for invalid user ${badUser} ${login}`,
  INVAL_USER: String.raw`Invalid user\s*${badUser}? from ${client}`,
};
const preauth: GrokTable = {
  DISC_PREAUTH: `Disconnected ${from}${maybePrivsep}`,
  MAXE_PREAUTH: `error: maximum authentication attempts exceeded for (?:invalid user )?${badUser} ${login}${maybePrivsep}`,
  DISR_PREAUTH: `Disconnecting: ${status} ${privsep}`,
  INVA_PREAUTH: `input_userauth_request: invalid user ${badUser}?${maybePrivsep}`,
  REST_PREAUTH: `Connection reset by ${client} ${port}${maybePrivsep}`,
  FAIL_PREAUTH: String.raw`fatal: Unable to negotiate with ${client} ${port}:\s*${status}? ${privsep}`,
  CLOS_PREAUTH: `Connection closed by ${client} ${port}${maybePrivsep}`,
  FAI2_PREAUTH: String.raw`fatal: %{GREEDYDATA:sshd_fatal_status}: Connection ${from}:\s*${status}? ${privsep}`,
  BADL_PREAUTH: `Bad packet length %{NUMBER:sshd_packet_length}. ${privsep}`,
};
const corrupted: GrokTable = {
  IDENT_FAIL: `Did not receive identification string from ${client}`,
  MAPB_FAIL: `Address ${client} maps to %{HOSTNAME:sshd_client_hostname}, but this does not map back to the address - ${breakIn}`,
  RMAP_FAIL: String.raw`reverse mapping checking getaddrinfo for %{HOSTNAME:sshd_client_hostname} \[${client}\] failed - ${breakIn}`,
  TOOMANY_AUTH: `Disconnecting: Too many authentication failures for ${badUser}`,
  CORRUPT_MAC: 'Corrupted MAC on input',
  PACKET_CORRUPT: 'Disconnecting: Packet corrupt',
  BAD_VERSION: `Bad protocol version identification '%{GREEDYDATA}' from ${client}`,
};

const anyOf = (table: GrokTable): string => anyName(...Object.keys(table).map((name) => `SSHD_${name}`));

export const ssh: GrokTable = prefixed('SSHD_', {
  ...start,
  ...tunnels,
  ...sessions,
  ...probes,
  ...preauth,
  ...corrupted,
  INIT: anyOf(start),
  TUNN: anyOf(tunnels),
  NORMAL_LOG: anyOf(sessions),
  PROBE_LOG: anyOf(probes),
  PREAUTH: anyOf(preauth),
  CORRUPTED: anyOf(corrupted),
  LOG: ['INIT', 'NORMAL_LOG', 'PROBE_LOG', 'CORRUPTED', 'TUNN', 'PREAUTH'].map((name) => `%{SSHD_${name}}`).join('|'),
});

export const cowrie: GrokTable = {
  COWRIE_NEW_CO: [
    String.raw`New connection: %{IPV4:source_ip}:\d+ \(%{IPV4:dest_ip}:%{INT:dest_port}\)`,
    String.raw`\[session: %{DATA:telnet_session}\]$`,
  ].join(' '),
};
