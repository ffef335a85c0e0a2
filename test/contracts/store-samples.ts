/** Decisions, alerts and refusals for the tests of stores, complete and each different from the next. */
import type { Alert } from '../../detectors/alert.ts';
import type { Decision } from '../../remediation/decision.ts';
import type { Machine } from '../../remediation/machine.ts';
import type { AllowlistEntry, RefusalEvent, UsageReport } from '../../remediation/store/store.ts';

/** The time at which the clocks of these tests start. */
export const start = Date.UTC(2026, 0, 1);
export const hour = 3_600_000;

export function sampleDecision(index: number, changes: Partial<Decision> = {}): Decision {
  return {
    uuid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    origin: 'crowdsec',
    scenario: 'crowdsecurity/http-probing',
    scope: 'Ip',
    value: `192.0.${(index >> 8) & 255}.${index & 255}`,
    type: 'ban',
    until: start + 4 * hour,
    createdAt: start + index,
    simulated: false,
    alertUuid: null,
    ...changes,
  };
}

export function sampleAlert(index: number, changes: Partial<Alert> = {}): Alert {
  return {
    uuid: `10000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    kind: 'crowdsec',
    scenario: 'crowdsecurity/http-probing',
    scenarioHash: 'a'.repeat(64),
    scenarioVersion: '0.4',
    message: `Ip 192.0.2.${index} performed 'crowdsecurity/http-probing'`,
    source: {
      scope: 'Ip',
      value: `192.0.2.${index}`,
      ip: `192.0.2.${index}`,
      range: '192.0.2.0/24',
      asNumber: '64496',
      asName: 'Example "AS"',
      country: 'ZZ',
      latitude: -12.5,
      longitude: 179.25,
    },
    eventsCount: 11,
    events: [
      { timestamp: '2026-01-01T00:00:00Z', meta: [{ key: 'http_path', value: `/wp-login.php?${index}` }] },
      { timestamp: '2026-01-01T00:00:01Z', meta: [] },
    ],
    startAt: start + index - 1_000,
    stopAt: start + index,
    createdAt: start + index,
    capacity: 10,
    leakspeed: '10s',
    simulated: false,
    remediation: true,
    labels: { behavior: 'http:scan', confidence: 3, classification: ['attack.T1595'], nested: { a: null } },
    meta: [{ key: 'target_uri', value: '["/wp-login.php"]' }],
    requestIds: ['0123456789abcdef', `${index}`],
    ...changes,
  };
}

export function sampleRefusal(index: number, changes: Partial<RefusalEvent> = {}): RefusalEvent {
  return {
    requestId: `request-${index}`,
    at: start + index,
    clientIp: `192.0.2.${index & 255}`,
    clientFrom: 'x-forwarded-for',
    peerIp: '127.0.0.1',
    site: 'www.example.com',
    method: 'GET',
    target: `/page/${index}?q="x"`,
    status: 403,
    reason: 'decision',
    findings: [],
    remediation: 'ban',
    decisionUuid: sampleDecision(index).uuid,
    scenario: 'crowdsecurity/http-probing',
    userAgent: 'Mozilla/5.0',
    detail: '',
    ...changes,
  };
}

export function sampleEntry(value: string, changes: Partial<AllowlistEntry> = {}): AllowlistEntry {
  return { list: 'default', value, comment: `why ${value}`, createdAt: start, until: null, ...changes };
}

export function sampleMachine(id: string, changes: Partial<Machine> = {}): Machine {
  return {
    id,
    passwordHash: `scrypt$${id}`,
    authType: 'password',
    validated: true,
    createdAt: start,
    updatedAt: start,
    ip: '192.0.2.20',
    version: 'v1.6.3-debian',
    scenarios: [],
    lastPush: null,
    lastHeartbeat: null,
    os: 'Debian GNU/Linux/12',
    ...changes,
  };
}

export function sampleReport(index: number, changes: Partial<UsageReport> = {}): UsageReport {
  return { side: 'bouncer', from: 'nginx', receivedAt: start + index, body: `{"n":${index}}`, ...changes };
}
