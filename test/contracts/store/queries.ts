/** The contract of `Store`: questions about decisions. */
import type { Test } from 'tap';
import type { Decision } from '../../../remediation/decision.ts';
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { hour, sampleDecision, sampleEntry, start } from '../store-samples.ts';
import { type Open, added, deleted, snapshot, uuids, range } from './tools.ts';

export function queries(t: Test, open: Open): void {
  t.test('decisions are selected by each field, live ones unless asked', async (t) => {
    const { store } = await open(t);
    const rows = [
      sampleDecision(0),
      sampleDecision(1, { scope: 'Range', value: '192.0.2.0/24' }),
      sampleDecision(2, { type: 'captcha' }),
      sampleDecision(3, { origin: 'CAPI' }),
      sampleDecision(4, { scenario: 'crowdsecurity/ssh-bf' }),
      sampleDecision(5, { until: start - 1 }),
      sampleDecision(6, { simulated: true }),
      sampleDecision(7, { alertUuid: 'a' }),
      sampleDecision(8, { alertUuid: 'a', until: start - 1 }),
      sampleDecision(9, { alertUuid: 'b', type: 'captcha' }),
      sampleDecision(10, { alertUuid: 'a' }),
    ];
    await store.apply([...rows.map(added), deleted(rows[10] as Decision)]);
    const table = [
      [{}, [9, 7, 6, 4, 3, 2, 1, 0]],
      [{ includeInactive: true }, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
      [{ onlyInactive: true }, [10, 8, 5]],
      [{ onlyInactive: true, includeInactive: true }, [10, 8, 5]],
      [{ onlyInactive: true, value: sampleDecision(5).value }, [5]],
      [{ alertUuid: 'a' }, [7]],
      [{ alertUuid: 'a', includeInactive: true }, [10, 8, 7]],
      [{ alertUuid: 'a', onlyInactive: true }, [10, 8]],
      [{ alertUuid: 'b', type: 'captcha' }, [9]],
      [{ alertUuid: 'b', type: 'ban' }, []],
      [{ alertUuid: 'none' }, []],
      [{ alertUuid: '' }, []],
      [{ scope: 'Range' }, [1]],
      [{ scope: 'range' }, []],
      [{ value: '192.0.2.0/24' }, [1]],
      [{ value: sampleDecision(5).value }, []],
      [{ value: sampleDecision(5).value, includeInactive: true }, [5]],
      [{ type: 'captcha' }, [9, 2]],
      [{ origin: 'CAPI' }, [3]],
      [{ scenario: 'crowdsecurity/ssh-bf' }, [4]],
      [{ type: 'ban', origin: 'crowdsec', scope: 'Ip' }, [7, 6, 4, 0]],
      [{ type: 'captcha', origin: 'CAPI' }, []],
      [{ exceptOrigins: [] }, [9, 7, 6, 4, 3, 2, 1, 0]],
      [{ exceptOrigins: ['CAPI', 'lists'] }, [9, 7, 6, 4, 2, 1, 0]],
      [{ exceptOrigins: ['capi', 'CAP'] }, [9, 7, 6, 4, 3, 2, 1, 0]],
      [{ exceptOrigins: ['crowdsec'] }, [3]],
      [{ exceptOrigins: ['crowdsec', 'CAPI'], includeInactive: true }, []],
      [{ exceptOrigins: ['CAPI'], type: 'captcha', scope: 'Ip' }, [9, 2]],
      [{ exceptOrigins: ['CAPI'], origin: 'CAPI' }, []],
      [{ exceptOrigins: ['crowdsec'], alertUuid: 'a' }, []],
    ] as const;
    for (const [query, expected] of table) {
      const found = await store.decisions({ ...query, limit: 100 });
      t.same(
        found.map(({ decision }) => decision),
        expected.map((index) => rows[index]),
        JSON.stringify(query),
      );
    }
    t.equal(table.length, 30);
  });

  t.test('the decisions of an alert are found among many, page by page, and under their alert only', async (t) => {
    const { store } = await open(t);
    const of = (index: number): string => (index % 3 === 0 ? 'a' : 'b');
    const rows = Array.from({ length: 3_000 }, (_, index) => sampleDecision(index, { alertUuid: of(index) }));
    await store.apply(rows.map(added));
    const moved = sampleDecision(1, { alertUuid: 'a' });
    await store.apply([added(moved), added(sampleDecision(0, { alertUuid: null }))]);
    const found: string[] = [];
    for (let after: string | undefined, full = true; full; ) {
      const page = await store.decisions({ alertUuid: 'a', limit: 300, ...(after !== undefined && { after }) });
      found.push(...uuids(page));
      after = page.at(-1)?.cursor;
      full = page.length === 300;
    }
    const expected = [moved, ...rows.filter((row, index) => index > 0 && row.alertUuid === 'a').toReversed()];
    t.same(
      found,
      expected.map(({ uuid }) => uuid),
    );
    t.equal((await store.decisions({ alertUuid: 'b', limit: 10_000 })).length, 1_999);
  });

  t.test('a listing goes on page by page, also while rows come and go', async (t) => {
    const { store } = await open(t);
    await store.apply(Array.from({ length: 25 }, (_, index) => added(sampleDecision(index))));
    const first = await store.decisions({ limit: 10 });
    const after = first.at(-1)?.cursor ?? '';
    await store.apply([added(sampleDecision(100)), deleted(sampleDecision(15)), deleted(sampleDecision(0))]);
    const second = await store.decisions({ limit: 10, after });
    const third = await store.decisions({ limit: 10, after: second.at(-1)?.cursor ?? '' });
    t.same(uuids(first), range(24, 15));
    t.same(uuids(second), range(14, 5));
    t.same(uuids(third), range(4, 1));
    t.same(await store.decisions({ limit: 10, after: third.at(-1)?.cursor ?? '' }), []);
    for (const limit of [0, -1, Number.NaN]) t.same(await store.decisions({ limit }), [], `limit ${limit}`);
    t.same(uuids(await store.decisions({ limit: 2, after: 'gibberish' })), uuids(await store.decisions({ limit: 2 })));
  });

  t.test('what has expired is no longer live, without anyone removing it', async (t) => {
    const { store, runtime } = await open(t);
    await store.apply([added(sampleDecision(1, { until: start + hour })), added(sampleDecision(2))]);
    await store.apply([{ kind: 'allowlist-added', entry: sampleEntry('192.0.2.1', { until: start + hour }) }]);
    t.equal((await store.decisions({ limit: 10 })).length, 2);
    t.equal((await store.allowlist()).length, 1);
    runtime.clock.jump(2 * hour);
    t.same(uuids(await store.decisions({ limit: 10 })), [sampleDecision(2).uuid]);
    t.same(await store.allowlist(), []);
    t.same([...(await snapshot(store)).keys()], [sampleDecision(2).uuid]);
  });

  t.test('decisions are counted by value: own ones, expired and deleted included', async (t) => {
    const { store } = await open(t);
    const of = (index: number, value: string, changes: Partial<Decision> = {}): StoreWrite =>
      added(sampleDecision(index, { value, ...changes }));
    await store.apply([
      of(1, 'a'),
      of(2, 'a', { until: start - 1 }),
      of(3, 'b'),
      of(4, 'a', { origin: 'CAPI' }),
      of(5, 'b', { simulated: true }),
      of(6, 'c'),
      of(7, 'old', { createdAt: start - hour }),
      of(8, 'a'),
      of(9, 'a', { uuid: 'lapi/1/77' }),
      deleted(sampleDecision(6, { value: 'c' })),
    ]);
    t.same(await store.decisionCounts(start, 10), [
      { value: 'a', count: 3 },
      { value: 'c', count: 1 },
      { value: 'b', count: 1 },
    ]);
    t.same(await store.decisionCounts(start, 1), [{ value: 'a', count: 3 }]);
    t.same(await store.decisionCounts(start + hour, 10), []);
    t.equal((await store.decisionCounts(start - hour, 10)).length, 4);
  });
}
