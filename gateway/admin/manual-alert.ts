/**
 * The alert behind decisions that people make: as with cscli, each has one, so that lists of alerts show it and profiles can tell
 * somebody. Specification: CrowdSec `cscli decisions add`, `import`.
 */
import type { Alert, AlertSource } from '../../detectors/alert.ts';
import type { AdminDependencies } from './dependencies.ts';

export interface ManualSubject {
  readonly scope: string;
  readonly value: string;
}

/** `count` is how many decisions follow from it. */
export function manualAlert(
  subject: ManualSubject,
  reason: string,
  count: number,
  { clock, random }: Pick<AdminDependencies, 'clock' | 'random'>,
): Alert {
  const now = clock.now();
  return {
    uuid: random.uuid(),
    kind: 'cscli',
    scenario: reason,
    scenarioHash: '',
    scenarioVersion: '',
    message: reason,
    source: sourceOf(subject),
    eventsCount: count,
    events: [],
    startAt: now,
    stopAt: now,
    createdAt: now,
    capacity: 0,
    leakspeed: '0',
    simulated: false,
    remediation: false,
    labels: {},
    meta: [],
    requestIds: [],
  };
}

function sourceOf({ scope, value }: ManualSubject): AlertSource {
  return {
    scope,
    value,
    ip: scope === 'Ip' ? value : '',
    range: scope === 'Range' ? value : '',
    asNumber: scope === 'AS' ? value : '',
    asName: '',
    country: scope === 'Country' ? value : '',
    latitude: 0,
    longitude: 0,
  };
}
