/** Decisions, alerts and logs for the tests of remediation. */
import { pino } from 'pino';
import { parseIp, type IpAddress } from '../../core/ip.ts';
import type { Log } from '../../core/log.ts';
import type { Alert, AlertSource } from '../../detectors/alert.ts';
import type { Decision } from '../../remediation/decision.ts';

export const startMs = Date.UTC(2026, 0, 1);
const hour = 3_600_000;
let made = 0;

export function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === null) throw new Error(`${text} is no address`);
  return address;
}

/** A live ban of one address for four hours, unless told otherwise; each with a uuid of its own. */
export function decisionOf(over: Partial<Decision> = {}): Decision {
  made++;
  return {
    uuid: `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`,
    origin: 'crowdsec',
    scenario: 'test/scenario',
    scope: 'Ip',
    value: '192.0.2.1',
    type: 'ban',
    until: startMs + 4 * hour,
    createdAt: startMs,
    simulated: false,
    alertUuid: null,
    ...over,
  };
}

export interface AlertOver extends Partial<Omit<Alert, 'source' | 'events'>> {
  readonly ip?: string;
  readonly source?: Partial<AlertSource>;
  readonly userAgent?: string;
}

/** An alert about one address whose only event has `userAgent`. */
export function alertOf({
  ip: address = '198.51.100.7',
  source,
  userAgent = 'curl/8',
  ...over
}: AlertOver = {}): Alert {
  made++;
  return {
    uuid: `alert-${made}`,
    kind: 'crowdsec',
    scenario: 'test/scenario',
    scenarioHash: '',
    scenarioVersion: '',
    message: '',
    source: {
      scope: 'Ip',
      value: address,
      ip: address,
      range: '',
      asNumber: '',
      asName: '',
      country: '',
      latitude: 0,
      longitude: 0,
      ...source,
    },
    eventsCount: 1,
    events: [
      {
        timestamp: '2026-01-01T00:00:00Z',
        meta: userAgent === '' ? [] : [{ key: 'http_user_agent', value: userAgent }],
      },
    ],
    startAt: startMs,
    stopAt: startMs,
    createdAt: startMs,
    capacity: 0,
    leakspeed: '0s',
    simulated: false,
    remediation: true,
    labels: { remediation: true },
    meta: [],
    requestIds: [],
    ...over,
  };
}

export type LogLine = Readonly<Record<string, unknown>>;

/** A log whose lines are kept. */
export function collectedLog(): { log: Log; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino(
    { base: null, level: 'debug' },
    { write: (line: string) => lines.push(JSON.parse(line) as LogLine) },
  );
  return { log, lines };
}

/** Lets promise callbacks that are due run. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
