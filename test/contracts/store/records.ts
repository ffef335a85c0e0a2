/** The contract of `Store`: alerts, refusals, bouncers: what only queries see. */
import type { Test } from 'tap';
import type { Alert } from '../../../detectors/alert.ts';
import { type Bouncer, hashKey, newBouncer } from '../../../remediation/bouncer.ts';
import { hour, sampleAlert, sampleEntry, sampleRefusal, start } from '../store-samples.ts';
import type { Open } from './tools.ts';

export function records(t: Test, open: Open): void {
  t.test('an alert comes back as it was, events and all', async (t) => {
    const { store } = await open(t);
    await store.apply([{ kind: 'alert', alert: sampleAlert(1) }]);
    t.strictSame(await store.alertByUuid(sampleAlert(1).uuid), { id: 1, alert: sampleAlert(1) });
    t.equal(await store.alertByUuid('none'), null);
    const changed = sampleAlert(1, { message: 'again' });
    await store.apply([{ kind: 'alert', alert: changed }]);
    t.strictSame(
      await store.alerts({ limit: 10 }),
      [{ id: 1, alert: changed }],
      'an alert of the same uuid is replaced',
    );
  });

  t.test('alerts are listed by id, the highest first, and selected by each field', async (t) => {
    const { store } = await open(t);
    const alerts = [
      sampleAlert(3),
      sampleAlert(1, { scenario: 'crowdsecurity/ssh-bf' }),
      sampleAlert(2, { source: { ...sampleAlert(2).source, scope: 'Range', value: '192.0.2.0/24' } }),
    ];
    await store.apply(alerts.map((alert) => ({ kind: 'alert', alert })));
    const table = [
      [{}, [2, 1, 0]],
      [{ scenario: 'crowdsecurity/ssh-bf' }, [1]],
      [{ scope: 'Range' }, [2]],
      [{ value: '192.0.2.3' }, [0]],
      [{ since: start + 2 }, [2, 0]],
      [{ since: start + 4 }, []],
      [{ scope: 'Ip', scenario: 'none' }, []],
      [{ before: 3 }, [1, 0]],
      [{ before: 3, since: start + 2 }, [0]],
      [{ before: 1 }, []],
    ] as const;
    for (const [query, expected] of table) {
      const found = await store.alerts({ ...query, limit: 10 });
      t.same(
        found,
        expected.map((index) => ({ id: index + 1, alert: alerts[index] })),
        JSON.stringify(query),
      );
    }
    t.equal(table.length, 10);
    t.same(await store.alerts({ limit: 1 }), [{ id: 3, alert: alerts[2] }]);
    t.same(await store.alerts({ limit: 0 }), []);
  });

  t.test('alerts are found by the address however they spell it, and keep their spelling', async (t) => {
    const { store } = await open(t);
    const spelled = [
      { scope: 'Ip', value: '2001:0DB8:0000::0001' },
      { scope: 'Range', value: '192.0.2.77/24' },
      { scope: 'Agent', value: '2001:0DB8::1' },
    ];
    const alerts = spelled.map((source, index) =>
      sampleAlert(index + 1, { source: { ...sampleAlert(1).source, ...source } }),
    );
    await store.apply(alerts.map((alert) => ({ kind: 'alert', alert })));
    const found = async (value: string): Promise<Alert[]> =>
      (await store.alerts({ value, limit: 10 })).map(({ alert }) => alert);
    t.same(await found('2001:db8::1'), [alerts[0]]);
    t.same(await found('192.0.2.0/24'), [alerts[1]]);
    t.same(await found('2001:0DB8::1'), [alerts[2]], 'other scopes mean what they say');
  });

  t.test('an alert of a machine keeps its name, and its kind whatever it is', async (t) => {
    const { store } = await open(t);
    const alert = sampleAlert(1, { machineId: 'agent-1', kind: 'of their own' });
    await store.apply([{ kind: 'alert', alert }]);
    t.strictSame((await store.alertByUuid(alert.uuid))?.alert, alert);
  });

  t.test('bouncers are kept by name, replaced and deleted', async (t) => {
    const { store } = await open(t);
    const bouncer = (name: string, createdAt: number): Bouncer => newBouncer(name, hashKey(name), createdAt);
    await store.apply(
      ['nginx', 'cloud', 'firewall'].map((name) => ({ kind: 'bouncer-added', bouncer: bouncer(name, 1) })),
    );
    t.same(await store.bouncers(), [bouncer('cloud', 1), bouncer('firewall', 1), bouncer('nginx', 1)]);
    await store.apply([
      { kind: 'bouncer-deleted', name: 'firewall' },
      { kind: 'bouncer-deleted', name: 'nobody' },
      { kind: 'bouncer-added', bouncer: bouncer('cloud', 2) },
    ]);
    t.same(await store.bouncers(), [bouncer('cloud', 2), bouncer('nginx', 1)]);
  });

  t.test('refusals are listed newest first and selected by each field', async (t) => {
    const { store } = await open(t);
    const events = [3, 1, 2].map((index) => sampleRefusal(index));
    await store.apply(events.map((event) => ({ kind: 'refusal', event })));
    const table = [
      [{}, [0, 2, 1]],
      [{ clientIp: '192.0.2.1' }, [1]],
      [{ requestId: 'request-2' }, [2]],
      [{ since: start + 2 }, [0, 2]],
      [{ clientIp: '192.0.2.1', since: start + 2 }, []],
    ] as const;
    for (const [query, expected] of table) {
      const found = await store.refusals({ ...query, limit: 10 });
      t.strictSame(
        found,
        expected.map((index) => events[index]),
        JSON.stringify(query),
      );
    }
    t.equal(table.length, 5);
    t.same(await store.refusals({ limit: 1 }), [events[0]]);
    const same = sampleRefusal(1, { detail: 'the same request, told twice' });
    await store.apply([{ kind: 'refusal', event: same }]);
    t.equal((await store.refusals({ requestId: 'request-1', limit: 10 })).length, 2);
  });

  t.test('the allowlist holds one entry for each value of a list', async (t) => {
    const { store } = await open(t);
    const entries = [sampleEntry('192.0.2.1'), sampleEntry('198.51.100.0/24', { until: start + hour })];
    await store.apply(entries.map((entry) => ({ kind: 'allowlist-added', entry })));
    t.strictSame(await store.allowlist(), entries);
    const changed = sampleEntry('192.0.2.1', { comment: 'changed' });
    await store.apply([
      { kind: 'allowlist-added', entry: changed },
      { kind: 'allowlist-deleted', list: 'default', value: '198.51.100.0/24' },
      { kind: 'allowlist-deleted', list: 'default', value: 'never there' },
    ]);
    t.strictSame(await store.allowlist(), [changed]);
  });
}
