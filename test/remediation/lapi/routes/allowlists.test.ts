import fc from 'fast-check';
import t from 'tap';
import { formatRange, parseRange } from '../../../../core/ip.ts';
import { overlaps, type AllowlistItem } from '../../../../remediation/allowed/allowlists.ts';
import { createAllowlistLookup } from '../../../../remediation/lapi/allowlist-lookup.ts';
import { startMs } from '../../support.ts';
import { createAlertWorld, hour, type AlertWorld } from './alert-world.ts';

const jsonType = 'application/json; charset=utf-8';

/** Two lists; the entry of `b` ends in an hour. */
async function withLists(world: AlertWorld): Promise<void> {
  const entry = { createdAt: startMs + 1, comment: '', until: null };
  await world.publisher.commit([
    {
      kind: 'allowlist-created',
      list: { name: 'b', description: '', createdAt: startMs + 120, updatedAt: startMs + 500 },
    },
    { kind: 'allowlist-created', list: { name: 'a', description: 'offices', createdAt: startMs, updatedAt: startMs } },
    { kind: 'allowlist-added', entry: { ...entry, list: 'a', value: '192.0.2.7', comment: 'door' } },
    { kind: 'allowlist-added', entry: { ...entry, list: 'a', value: '198.51.100.0/24' } },
    { kind: 'allowlist-added', entry: { ...entry, list: 'b', value: '198.51.100.128/25', until: startMs + hour } },
  ]);
}

t.test('lists are shown with their content where it is asked for', async (t) => {
  const world = createAlertWorld(t);
  t.match(await world.ask('GET', '/v1/allowlists'), { status: 200, type: jsonType, text: '[]' });
  await withLists(world);
  const bare = await world.ask('GET', '/v1/allowlists');
  const updated = (bare.json() as { updated_at: string }[]).map(({ updated_at: at }) => at);
  t.equal(
    bare.text,
    `[{"created_at":"2026-01-01T00:00:00.000Z","description":"offices","items":[],"name":"a","updated_at":"${updated[0]}"},` +
      `{"created_at":"2026-01-01T00:00:00.120Z","items":[],"name":"b","updated_at":"${updated[1]}"}]`,
  );
  t.match(updated, [/\.\d{3}Z$/, /\.\d{3}Z$/]);
  const full = (await world.ask('GET', '/v1/allowlists?with_content=true')).json() as { items: object[] }[];
  t.same(full[0]?.items, [
    {
      created_at: '2026-01-01T00:00:00.001Z',
      description: 'door',
      expiration: '0001-01-01T00:00:00.000Z',
      value: '192.0.2.7',
    },
    { created_at: '2026-01-01T00:00:00.001Z', expiration: '0001-01-01T00:00:00.000Z', value: '198.51.100.0/24' },
  ]);
  t.match(full[1]?.items, [{ expiration: '2026-01-01T01:00:00.000Z' }]);
  t.same((await world.ask('GET', '/v1/allowlists/a?with_content=true')).json(), full[0]);
  t.match((await world.ask('GET', '/v1/allowlists/a?with_content=1')).json(), { name: 'a', items: [] });
  t.match(await world.ask('GET', '/v1/allowlists/none'), { status: 500, type: jsonType });
  t.match(await world.ask('HEAD', '/v1/allowlists/none'), { status: 500 });
  for (const url of ['/v1/allowlists', '/v1/allowlists/a'])
    t.match(await world.ask('HEAD', url), { status: 200, text: '' });
  world.clock.advance(2 * hour);
  t.match(
    (await world.ask('GET', '/v1/allowlists/b?with_content=true')).json(),
    { items: [] },
    'what has ended is not shown',
  );
});

t.test('a value is allowed when it lies in an entry, or around one', async (t) => {
  const world = createAlertWorld(t, {
    settingsAllowlist: [{ list: 'portcullis-settings', value: '203.0.113.5', comment: 'ours', until: null }],
  });
  await withLists(world);
  const cases: readonly (readonly [string, string])[] = [
    ['192.0.2.7', '192.0.2.7 from a (door)'],
    ['::ffff:192.0.2.7', '192.0.2.7 from a (door)'],
    ['192.0.2.0%2F24', '192.0.2.7 from a (door)'],
    ['198.51.100.1', '198.51.100.0/24 from a'],
    ['198.51.100.200', '198.51.100.0/24 from a, 198.51.100.128/25 from b'],
    ['198.51.100.128%2F26', '198.51.100.0/24 from a, 198.51.100.128/25 from b'],
    ['203.0.113.5', '203.0.113.5 from portcullis-settings (ours)'],
  ];
  for (const [value, reason] of cases) {
    const url = `/v1/allowlists/check/${value}`;
    t.match(await world.ask('GET', url), {
      status: 200,
      type: jsonType,
      text: JSON.stringify({ allowlisted: true, reason }),
    });
    t.match(await world.ask('HEAD', url), { status: 200, text: '' });
  }
  t.equal(cases.length, 7);
  for (const value of ['192.0.2.8', '2001:db8::1', '192.0.2.8%2F30']) {
    t.match(await world.ask('GET', `/v1/allowlists/check/${value}`), { status: 200, type: jsonType, text: '{}' });
    t.match(await world.ask('HEAD', `/v1/allowlists/check/${value}`), { status: 204, text: '' });
  }
  t.equal((await world.ask('GET', '/v1/allowlists/check/zzz')).status, 500);
  world.index.allow({ list: 'a', value: '192.0.2.99', comment: 'dyn.example.org', until: null });
  t.match(await world.ask('GET', '/v1/allowlists/check/192.0.2.99'), {
    text: /"192.0.2.99 from a \(dyn.example.org\)"/,
  });
});

t.test('many values are checked at once, and those that are allowed are told', async (t) => {
  const world = createAlertWorld(t);
  await withLists(world);
  const check = (body: unknown) => world.ask('POST', '/v1/allowlists/check', body);
  const targets = ['192.0.2.7', '192.0.2.8', 'zzz', '', '198.51.100.0/24', null];
  t.match(await check({ targets }), { status: 200, type: jsonType });
  t.same((await check({ targets })).json(), {
    results: [
      { allowlists: ['192.0.2.7 from a (door)'], target: '192.0.2.7' },
      { allowlists: ['198.51.100.0/24 from a', '198.51.100.128/25 from b'], target: '198.51.100.0/24' },
    ],
  });
  t.match(await check({ targets: [] }), { status: 200, text: '{"results":[]}' });
  t.match(await check('{'), { status: 400, text: '{"message":"unexpected EOF"}' });
  t.match(await check({ targets: 'x' }), {
    status: 400,
    text: /struct field BulkCheckAllowlistRequest.targets of type/,
  });
  t.match(await check({}), { status: 500, text: /targets in body is required/ });
  const many = Array.from({ length: 5_000 }, (_, at) => `192.0.${at >> 8}.${at & 255}`);
  t.same((await check({ targets: many })).json(), {
    results: [{ allowlists: ['192.0.2.7 from a (door)'], target: '192.0.2.7' }],
  });
});

t.test('the lookup finds what looking at every entry finds', async (t) => {
  const prefix = fc.integer({ min: 4, max: 32 });
  const value = fc.oneof(
    fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(255), prefix).map(([a, b, bits]) => `10.${a}.0.${b}/${bits}`),
    fc.tuple(fc.nat(3), fc.integer({ min: 16, max: 128 })).map(([a, bits]) => `2001:db8:${a}::/${bits}`),
    fc.nat(255).map((a) => `10.0.0.${a}`),
  );
  let matched = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, fc.boolean()), { maxLength: 20 }), value, async (entries, target) => {
      const items = entries.map(
        ([value, ended], at): AllowlistItem => ({ list: `l${at}`, value, comment: '', until: ended ? startMs : null }),
      );
      const range = parseRange(target);
      if (range === null) throw new Error(target);
      const found = (await createAllowlistLookup(items, startMs)).find(range).map(({ list }) => list);
      const wanted = items.filter((item) => {
        const inner = parseRange(item.value);
        return item.until === null && inner !== null && overlaps(inner, range);
      });
      matched += wanted.length;
      t.same(found.sort(), wanted.map(({ list }) => list).sort(), formatRange(range));
    }),
    { seed: 57, numRuns: 400 },
  );
  t.ok(matched > 200, `${matched} matches`);
});
