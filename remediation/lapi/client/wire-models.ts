/**
 * What this gateway sends to other Local APIs, in CrowdSec's words: the names of the wire stand here only. Shapes: CrowdSec
 * `pkg/models` (`WatcherAuthRequest`, `Alert`, `Decision`); what old servers insist on is kept.
 */
import { formatDuration } from '../../../core/duration.ts';
import type { Alert } from '../../../detectors/alert.ts';
import type { Decision } from '../../decision.ts';

/** Longest key and value of an alert's meta: an old server answers 500 to more. */
const maxMetaKey = 255;
const maxMetaValue = 4_095;
/** Of an event; servers cut it there themselves. */
const maxEventValue = 2_048;

export function loginBody(
  credentials: { readonly machineId: string; readonly password: string },
  scenarios: readonly string[],
): unknown {
  if (credentials.machineId === '') return { scenarios };
  return { machine_id: credentials.machineId, password: credentials.password, scenarios };
}

/** The token and how long it lives, null where that is not to be told. Null when there is no token. */
export function readLogin(body: unknown): { readonly token: string; readonly lifeMs: number | null } | null {
  if (typeof body !== 'object' || body === null || !('token' in body)) return null;
  const { token } = body;
  if (typeof token !== 'string' || !/^[\w.~+/=-]+$/.test(token)) return null;
  return { token, lifeMs: lifeOf(token) };
}

/** Both claims are times of the server, so that their difference holds whatever our clock says. */
function lifeOf(token: string): number | null {
  try {
    const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    const { exp, orig_iat: issuedAt } = JSON.parse(text) as { exp?: unknown; orig_iat?: unknown };
    if (typeof exp !== 'number' || typeof issuedAt !== 'number' || exp <= issuedAt) return null;
    return (exp - issuedAt) * 1_000;
  } catch {
    return null;
  }
}

export function registrationBody(machineId: string, password: string, registrationToken: string | null): unknown {
  const body = { machine_id: machineId, password };
  return registrationToken === null ? body : { ...body, registration_token: registrationToken };
}

/**
 * An alert as an agent reports it. `decisions` null lets the profiles of the other side decide. Otherwise these are taken as
 * they are, and an empty list asks for none: the alert then does not say that a remediation is wanted.
 */
export function alertBody(alert: Alert, decisions: readonly Decision[] | null): Record<string, unknown> {
  return {
    uuid: alert.uuid,
    kind: alert.kind,
    scenario: alert.scenario,
    scenario_hash: alert.scenarioHash,
    scenario_version: alert.scenarioVersion,
    message: alert.message,
    events_count: alert.eventsCount,
    events: alert.events.map(({ timestamp, meta }) => ({
      timestamp,
      meta: meta.map((each) => cut(each, maxEventValue)),
    })),
    start_at: new Date(alert.startAt).toISOString(),
    stop_at: new Date(alert.stopAt).toISOString(),
    created_at: new Date(alert.createdAt).toISOString(),
    capacity: alert.capacity,
    leakspeed: alert.leakspeed,
    simulated: alert.simulated,
    remediation: alert.remediation && (decisions === null || decisions.length > 0),
    labels: null,
    meta: alert.meta.map((each) => cut(each, maxMetaValue)),
    source: sourceBody(alert),
    decisions: decisions === null ? null : decisions.map((decision) => decisionBody(decision, alert.stopAt)),
  };
}

/** Durations count from the end of the alert, and have no fractions. */
function decisionBody(decision: Decision, stopAt: number): unknown {
  const { uuid, origin, scenario, scope, type, value, simulated } = decision;
  const leftMs = Math.round((decision.until - stopAt) / 1_000) * 1_000;
  return { uuid, origin, scenario, scope, type, value, simulated, duration: formatDuration(leftMs) };
}

function sourceBody({ source }: Alert): Record<string, unknown> {
  const body: Record<string, unknown> = { scope: source.scope, value: source.value };
  const texts = {
    ip: source.ip,
    range: source.range,
    as_number: source.asNumber,
    as_name: source.asName,
    cn: source.country,
  };
  for (const [key, text] of Object.entries(texts)) if (text !== '') body[key] = text;
  if (source.latitude !== 0 || source.longitude !== 0) {
    body['latitude'] = source.latitude;
    body['longitude'] = source.longitude;
  }
  return body;
}

function cut({ key, value }: { readonly key: string; readonly value: string }, length: number): unknown {
  return { key: key.slice(0, maxMetaKey), value: value.slice(0, length) };
}
