/** Bodies of requests to a Local API: alerts as an agent and as `cscli` write them. */

export interface SampleAlert {
  readonly [field: string]: unknown;
  readonly scenario: string;
  readonly decisions: readonly SampleDecision[] | null;
}

export interface SampleDecision {
  readonly [field: string]: unknown;
  readonly value: string;
}

/** RFC 3339 in whole seconds, as Go's clients write it. */
export function goTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** What an agent reports of an attack from `ip`; the server's profiles decide. */
export function agentAlert(ip: string, now: number, more: Readonly<Record<string, unknown>> = {}): SampleAlert {
  const events = [0, 1].map((index) => ({
    meta: [
      { key: 'log_type', value: 'ssh_failed-auth' },
      { key: 'source_ip', value: ip },
      { key: 'target_user', value: `user${index}` },
    ],
    timestamp: goTime(now),
  }));
  return {
    capacity: 5,
    decisions: null,
    events,
    events_count: 2,
    labels: null,
    leakspeed: '10s',
    message: `Ip ${ip} performed 'test/ssh-bf' (2 events over 1s)`,
    remediation: true,
    scenario: 'test/ssh-bf',
    scenario_hash: 'ab12',
    scenario_version: '0.1',
    simulated: false,
    source: { ip, scope: 'Ip', value: ip },
    start_at: goTime(now - 1000),
    stop_at: goTime(now),
    ...more,
  };
}

/** What `cscli decisions add` sends: an alert that brings its decisions. */
export function manualAlert(
  decisions: readonly SampleDecision[],
  now: number,
  more: Readonly<Record<string, unknown>> = {},
): SampleAlert {
  const complete = decisions.map((decision) => ({
    duration: '4h',
    origin: 'cscli',
    scenario: 'manual test',
    scope: 'Ip',
    type: 'ban',
    ...decision,
  }));
  const { scope, value } = complete[0] ?? { scope: 'Ip', value: '' };
  return {
    capacity: 0,
    created_at: goTime(now),
    decisions: complete,
    events: [],
    events_count: 1,
    labels: null,
    leakspeed: '0',
    message: 'manual test',
    scenario: 'manual test',
    scenario_hash: '',
    scenario_version: '',
    simulated: false,
    source: { scope, value, ...(scope === 'Ip' ? { ip: value } : {}) },
    start_at: goTime(now),
    stop_at: goTime(now),
    ...more,
  };
}
