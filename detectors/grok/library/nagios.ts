/** Nagios: its log is `KIND OF ENTRY: field;field;…`, external commands have the name of the command as the first field. */
import { anyName, type GrokTable } from './table.ts';

/** Kinds of entries with their fields: `*` takes the rest of the line, `#` is a number. */
const entries: Readonly<Record<string, string>> = {
  CURRENT_SERVICE_STATE: 'hostname service state statetype statecode message*',
  CURRENT_HOST_STATE: 'hostname state statetype statecode message*',
  SERVICE_NOTIFICATION: 'notifyname hostname service state contact message*',
  HOST_NOTIFICATION: 'notifyname hostname state contact message*',
  SERVICE_ALERT: 'hostname service state statelevel attempt# message*',
  HOST_ALERT: 'hostname state statelevel attempt# message*',
  SERVICE_FLAPPING_ALERT: 'hostname service state message*',
  HOST_FLAPPING_ALERT: 'hostname state message*',
  SERVICE_DOWNTIME_ALERT: 'hostname service state comment*',
  HOST_DOWNTIME_ALERT: 'hostname state comment*',
  PASSIVE_SERVICE_CHECK: 'hostname service state comment*',
  PASSIVE_HOST_CHECK: 'hostname state comment*',
  SERVICE_EVENT_HANDLER: 'hostname service state statelevel event_handler_name',
  HOST_EVENT_HANDLER: 'hostname state statelevel event_handler_name',
  TIMEPERIOD_TRANSITION: 'service unknown1 unknown2',
};

/** External commands with their fields, in the order in which a line tries them; the last has no line. */
const commands: Readonly<Record<string, string>> = {
  DISABLE_SVC_CHECK: 'hostname service',
  ENABLE_SVC_CHECK: 'hostname service',
  DISABLE_HOST_CHECK: 'hostname',
  ENABLE_HOST_CHECK: 'hostname',
  PROCESS_HOST_CHECK_RESULT: 'hostname state check_result*',
  PROCESS_SERVICE_CHECK_RESULT: 'hostname service state check_result*',
  SCHEDULE_HOST_DOWNTIME: 'hostname start_time# end_time# fixed# trigger_id# duration# =author =comment',
  DISABLE_HOST_SVC_NOTIFICATIONS: 'hostname*',
  ENABLE_HOST_SVC_NOTIFICATIONS: 'hostname*',
  DISABLE_HOST_NOTIFICATIONS: 'hostname*',
  ENABLE_HOST_NOTIFICATIONS: 'hostname*',
  DISABLE_SVC_NOTIFICATIONS: 'hostname service*',
  ENABLE_SVC_NOTIFICATIONS: 'hostname service*',
};
const commandNames = [...Object.keys(commands), 'SCHEDULE_SERVICE_DOWNTIME'];

/** `=` is a field without the prefix that all others have. */
function field(written: string): string {
  const name = written.startsWith('=') ? written.slice(1) : `nagios_${written}`;
  if (name.endsWith('*')) return `%{GREEDYDATA:${name.slice(0, -1)}}`;
  return name.endsWith('#') ? `%{NUMBER:${name.slice(0, -1)}}` : `%{DATA:${name}}`;
}

function fields(written: string): string {
  return written.split(' ').map(field).join(';');
}

function table(names: readonly string[], prefix: string, body: (name: string) => string): GrokTable {
  return Object.fromEntries(names.map((name) => [prefix + name, body(name)]));
}

const entryNames = Object.keys(entries);

export const nagios: GrokTable = {
  NAGIOSTIME: String.raw`\[%{NUMBER:nagios_epoch}\]`,
  ...table([...entryNames, 'EXTERNAL_COMMAND'], 'NAGIOS_TYPE_', (name) => name.replaceAll('_', ' ')),
  ...table(commandNames, 'NAGIOS_EC_', (name) => name),
  NAGIOS_WARNING: 'Warning:%{SPACE}%{GREEDYDATA:nagios_message}',
  ...table(entryNames, 'NAGIOS_', (name) => `%{NAGIOS_TYPE_${name}:nagios_type}: ${fields(entries[name] ?? '')}`),
  ...table(
    Object.keys(commands),
    'NAGIOS_EC_LINE_',
    (name) =>
      `%{NAGIOS_TYPE_EXTERNAL_COMMAND:nagios_type}: %{NAGIOS_EC_${name}:nagios_command};${fields(commands[name] ?? '')}`,
  ),
  NAGIOSLOGLINE: `%{NAGIOSTIME} (?:${anyName(
    'NAGIOS_WARNING',
    ...entryNames.map((name) => `NAGIOS_${name}`),
    ...Object.keys(commands).map((name) => `NAGIOS_EC_LINE_${name}`),
  )})`,
};
