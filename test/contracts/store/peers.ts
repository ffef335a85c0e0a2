/** The contract of `Store`: machines, sightings and what is reported about use. */
import type { Test } from 'tap';
import { type Bouncer, hashKey, newBouncer } from '../../../remediation/bouncer.ts';
import { sampleMachine, sampleReport, start } from '../store-samples.ts';
import type { Open } from './tools.ts';

export function peers(t: Test, open: Open): void {
  t.test('machines are kept by id, replaced and deleted', async (t) => {
    const { store } = await open(t);
    const machines = ['m2', 'm3', 'm1'].map((id) => sampleMachine(id));
    await store.apply(machines.map((machine) => ({ kind: 'machine-added', machine })));
    t.strictSame(await store.machines(), [machines[2], machines[0], machines[1]]);
    const changed = sampleMachine('m1', { validated: false, scenarios: ['a/b', 'c'], lastPush: 7, authType: 'tls' });
    await store.apply([
      { kind: 'machine-deleted', id: 'm3' },
      { kind: 'machine-deleted', id: 'nobody' },
      { kind: 'machine-added', machine: changed },
    ]);
    t.strictSame(await store.machines(), [changed, machines[0]]);
  });

  t.test('a sighting changes what it names of a machine, and only of one that is there', async (t) => {
    const { store } = await open(t);
    const machine = sampleMachine('m1', { scenarios: ['a', 'b'], lastPush: 1 });
    const seen = { scenarios: [], lastHeartbeat: start + 5, validated: false, version: '"v2\\' };
    await store.apply([
      { kind: 'machine-added', machine },
      { kind: 'machine-seen', id: 'm1', seen: {} },
      { kind: 'machine-seen', id: 'm1', seen },
      { kind: 'machine-seen', id: 'nobody', seen },
    ]);
    t.strictSame(await store.machines(), [{ ...machine, ...seen }]);
    await store.apply([
      { kind: 'machine-seen', id: 'm1', seen: { lastPush: null, passwordHash: 'new', updatedAt: 9 } },
      { kind: 'machine-seen', id: 'm1', seen: { ip: '2001:db8::1', os: 'Fedora/41', scenarios: ['z'] } },
    ]);
    const later = { lastPush: null, passwordHash: 'new', updatedAt: 9, ip: '2001:db8::1', os: 'Fedora/41' };
    t.strictSame(await store.machines(), [{ ...machine, ...seen, ...later, scenarios: ['z'] }]);
    await store.apply([{ kind: 'machine-deleted', id: 'm1' }]);
    await store.apply([{ kind: 'machine-seen', id: 'm1', seen }]);
    t.same(await store.machines(), [], 'one that was deleted meanwhile stays deleted');
  });

  t.test('a sighting changes what it names of a bouncer, and only of one that is there', async (t) => {
    const { store } = await open(t);
    const bouncer: Bouncer = {
      ...newBouncer('nginx', hashKey('key'), start),
      authType: 'tls',
      autoCreated: true,
    };
    const seen = { ip: '192.0.2.7', type: 'crowdsec-nginx-bouncer', version: 'v1.0.8', lastPull: start + 12_345 };
    await store.apply([
      { kind: 'bouncer-added', bouncer },
      { kind: 'bouncer-seen', name: 'nginx', seen },
      { kind: 'bouncer-seen', name: 'other', seen },
    ]);
    t.strictSame(await store.bouncers(), [{ ...bouncer, ...seen }]);
    await store.apply([{ kind: 'bouncer-seen', name: 'nginx', seen: { lastPull: null } }]);
    t.strictSame(await store.bouncers(), [{ ...bouncer, ...seen, lastPull: null }]);
    await store.apply([{ kind: 'bouncer-added', bouncer }]);
    t.strictSame(await store.bouncers(), [bouncer], 'replaced as a whole');
  });

  t.test('sightings of many at once are all kept, none at the cost of another', async (t) => {
    const { store } = await open(t);
    await store.apply([{ kind: 'machine-added', machine: sampleMachine('m1') }]);
    const sightings = [{ ip: '192.0.2.1' }, { version: '2' }, { os: 'x' }, { lastPush: 3 }, { lastHeartbeat: 4 }];
    await Promise.all(sightings.map((seen) => store.apply([{ kind: 'machine-seen', id: 'm1', seen }])));
    t.strictSame(await store.machines(), [Object.assign(sampleMachine('m1'), ...sightings)]);
  });

  t.test('usage reports are listed newest first and selected by each field', async (t) => {
    const { store } = await open(t);
    const reports = [
      sampleReport(3),
      sampleReport(1, { from: 'firewall' }),
      sampleReport(2, { side: 'machine', from: 'nginx' }),
      sampleReport(4, { side: 'machine', from: 'agent', body: '{"from":"nginx","side":"bouncer"}' }),
    ];
    await store.apply(reports.map((report) => ({ kind: 'usage-reported', report })));
    const table = [
      [{}, [3, 0, 2, 1]],
      [{ side: 'bouncer' }, [0, 1]],
      [{ from: 'nginx' }, [0, 2]],
      [{ side: 'machine', from: 'nginx' }, [2]],
      [{ since: start + 2 }, [3, 0, 2]],
      [{ from: 'nobody' }, []],
    ] as const;
    for (const [query, expected] of table) {
      t.strictSame(
        await store.usageReports({ ...query, limit: 10 }),
        expected.map((index) => reports[index]),
        JSON.stringify(query),
      );
    }
    t.equal(table.length, 6);
    t.same(await store.usageReports({ limit: 1 }), [reports[3]]);
    t.same(await store.usageReports({ limit: 0 }), []);
    await store.apply([{ kind: 'usage-reported', report: sampleReport(3) }]);
    t.equal((await store.usageReports({ from: 'nginx', limit: 10 })).length, 3, 'each report counts');
  });
}
