/** The alert that `notifications test` sends: like a real one, from addresses that documentation is made of. */
import type { Runtime } from '../../core/runtime.ts';
import type { NotifiedAlert } from './alert-template-view.ts';

const hour = 3_600_000;

export function sampleAlert({ clock, random }: Pick<Runtime, 'clock' | 'random'>): NotifiedAlert {
  const now = clock.now();
  const uuid = random.uuid();
  const scenario = 'portcullis/notification-test';
  const value = '192.0.2.1';
  const event = (agoMs: number) => ({
    timestamp: new Date(now - agoMs).toISOString(),
    meta: [
      { key: 'http_path', value: '/wp-login.php' },
      { key: 'http_status', value: '404' },
      { key: 'source_ip', value },
    ],
  });
  return {
    alert: {
      uuid,
      kind: 'crowdsec',
      scenario,
      scenarioHash: '',
      scenarioVersion: '0.1',
      message: `Ip ${value} performed '${scenario}' (2 events over 1s): this is a test of notifications`,
      source: {
        scope: 'Ip',
        value,
        ip: value,
        range: '192.0.2.0/24',
        asNumber: '64496',
        asName: 'Example Network',
        country: 'FR',
        latitude: 48.85,
        longitude: 2.35,
      },
      eventsCount: 2,
      events: [event(1_000), event(0)],
      startAt: now - 1_000,
      stopAt: now,
      createdAt: now,
      capacity: 1,
      leakspeed: '10s',
      simulated: false,
      remediation: true,
      labels: {},
      meta: [{ key: 'target_uri', value: '["/wp-login.php"]' }],
      requestIds: [],
    },
    decisions: [
      {
        uuid: random.uuid(),
        origin: 'crowdsec',
        scenario,
        scope: 'Ip',
        value,
        type: 'ban',
        until: now + 4 * hour,
        createdAt: now,
        simulated: false,
        alertUuid: uuid,
      },
    ],
  };
}
