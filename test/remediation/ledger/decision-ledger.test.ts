import t from 'tap';
import type { Decision } from '../../../remediation/decision.ts';
import { decisionOf, settle } from '../support.ts';
import { createLedgerWorld, idsOf, joined, network, questionOf } from './support.ts';

const hour = 3_600_000;
const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';

t.test('a decision is written to the byte as CrowdSec writes it', async (t) => {
  const start = { origin: 'cscli', scenario: 'test/probe', value: '192.0.2.10', uuid };
  const cases: readonly (readonly [over: Partial<Decision> & { lastsMs?: number }, live: string])[] = [
    [
      {},
      '"duration":"4h0m0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"192.0.2.10"',
    ],
    [
      { lastsMs: 59_499 },
      '"duration":"59s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"192.0.2.10"',
    ],
    [
      { lastsMs: 59_500 },
      '"duration":"1m0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"192.0.2.10"',
    ],
    [
      { lastsMs: 400 },
      '"duration":"0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"192.0.2.10"',
    ],
    [
      { lastsMs: 2_562_047 * hour },
      '"duration":"2562047h0m0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"192.0.2.10"',
    ],
    [
      { lastsMs: 30 * 24 * hour - 61_000 },
      '"duration":"719h58m59s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"192.0.2.10"',
    ],
    [
      { scenario: "manual 'ban' from 'm1'" },
      `"duration":"4h0m0s","id":7,"origin":"cscli","scenario":"manual 'ban' from 'm1'","scope":"Ip","type":"ban","value":"192.0.2.10"`,
    ],
    [
      { scenario: '<a> & "b" \\ \u2028 é \n' },
      String.raw`"duration":"4h0m0s","id":7,"origin":"cscli","scenario":"\u003ca\u003e \u0026 \"b\" \\ \u2028 é \n","scope":"Ip","type":"ban","value":"192.0.2.10"`,
    ],
    [
      { value: '2001:DB8:0:0::1' },
      '"duration":"4h0m0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"2001:DB8:0:0::1"',
    ],
    [
      { scope: 'Range', value: '198.51.100.70/26', type: 'captcha' },
      '"duration":"4h0m0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Range","type":"captcha","value":"198.51.100.70/26"',
    ],
    [
      { scope: 'user', value: 'a"<b>' },
      String.raw`"duration":"4h0m0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"user","type":"ban","value":"a\"\u003cb\u003e"`,
    ],
    [
      { value: '255.0.10.100' },
      '"duration":"4h0m0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"255.0.10.100"',
    ],
    [
      { value: '0.0.0.0' },
      '"duration":"4h0m0s","id":7,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"0.0.0.0"',
    ],
  ];
  for (const [{ lastsMs = 4 * hour, ...over }, live] of cases) {
    const { add, live: ask, stream, clock } = createLedgerWorld();
    const { value } = add(7, { ...start, ...over, until: clock.now() + lastsMs });
    t.equal(ask(), `[{${live}}]`);
    const withUuid = live.replace(/,"value":/, `,"uuid":"${uuid}","value":`);
    t.equal(stream(), `{"new": [{${withUuid}}], "deleted": []}`, value);
  }
  t.equal(cases.length, 13);
});

t.test('every number of an address and every digit of a uuid', async (t) => {
  const { add, stream } = createLedgerWorld();
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  const told = Array.from({ length: 256 }, (_, byte) => ({
    value: [byte, 255 - byte, byte ^ 85, (byte * 7) & 255].join('.'),
    uuid: uuid.replace('0f8fad5b', hex(byte).repeat(4)).replace('950e', `${hex(255 - byte)}${hex(byte)}`),
  }));
  told.forEach((each, index) => add(index + 1, each));
  const { new: found } = JSON.parse(stream()) as { new: { value: string; uuid: string }[] };
  t.strictSame(
    found.map((each) => ({ value: each.value, uuid: each.uuid })),
    told,
  );
});

t.test('answers without decisions', async (t) => {
  const { live, stream } = createLedgerWorld();
  t.equal(live(), 'null');
  t.equal(live({ network: network('192.0.2.1') }), 'null');
  t.equal(stream(), '{"new": [], "deleted": []}');
  t.equal(stream({ lastPull: null }), '{"new": [], "deleted": []}');
});

t.test('several decisions are separated by commas alone, and ended ones have negative durations', async (t) => {
  const { add, remove, live, stream, clock } = createLedgerWorld();
  const first = add(1, { uuid, value: '192.0.2.1' });
  add(2 ** 40 + 3, { uuid, value: '192.0.2.2' });
  t.match(live(), /^\[\{"duration":"4h0m0s","id":1,[^}]*\},\{"duration":"4h0m0s","id":1099511627779,[^}]*\}\]$/);
  remove(1, first);
  clock.advance(62_000);
  t.match(
    stream(),
    /^\{"new": \[\{"duration":"3h58m58s"[^}]*\}\], "deleted": \[\{"duration":"-1m2s","id":1,[^}]*\}\]\}$/,
  );
});

t.test('every form of uuid comes back as it was', async (t) => {
  const uuids = [
    uuid,
    uuid.toUpperCase(),
    `lapi/paris/${uuid}`,
    'lapi/paris/Ip/ban/192.0.2.9',
    'lapi/paris/#feed',
    '<odd> "one"',
    '',
    `${uuid}-longer`,
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ];
  const { add, ledger, stream, clock } = createLedgerWorld();
  uuids.forEach((each, index) => add(index + 1, { uuid: each, value: '192.0.2.9', until: clock.now() + hour }));
  t.strictSame(
    Array.from(ledger.active({}, clock.now()), (entry) => entry.uuid),
    uuids,
  );
  const { new: told } = JSON.parse(stream()) as { new: { uuid: string }[] };
  t.strictSame(
    told.map((each) => each.uuid),
    uuids,
  );
  t.equal(uuids.length, 10);
});

t.test('an entry has all that was told of the decision', async (t) => {
  const { add, ledger, clock } = createLedgerWorld();
  const decision = add(3, { simulated: true, alertUuid: 'alert-a', createdAt: clock.now() - 5_000 });
  const [entry] = ledger.active({ simulated: true }, clock.now());
  t.strictSame({ ...entry }, { id: 3, ...decision, createdAt: Math.floor(decision.createdAt / 1_000) * 1_000 });
});

t.test(
  'of several that cover an address the severest comes first, then the longest; with paging the lowest id',
  async (t) => {
    const { add, live, clock } = createLedgerWorld();
    const until = clock.now() + hour;
    add(1, { type: 'throttle', until: until + 2 * hour });
    add(2, { type: 'captcha', until });
    add(3, { type: 'my own', until });
    add(4, { scope: 'Range', value: '192.0.2.0/24', type: 'ban', until: until + 1_000 });
    const order = (body: string): number[] => (JSON.parse(body) as { id: number }[]).map(({ id }) => id);
    const asked = { network: network('192.0.2.1') };
    t.strictSame(order(live(asked)), [4, 3, 2, 1]);
    t.strictSame(order(live({ ...asked, limit: 3 })), [1, 2, 3]);
    t.strictSame(order(live({ ...asked, idAbove: 1, offset: 1 })), [3, 4]);
    t.strictSame(order(live({ value: '192.0.2.1' })), [1, 2, 3]);
  },
);

t.test(
  'a delta tells what came and went since the last question, and a deletion once more within two seconds',
  async (t) => {
    const { add, remove, stream, clock } = createLedgerWorld();
    const first = add(1, { value: '192.0.2.1' });
    add(2, { value: '192.0.2.2', until: clock.now() + 10_000 });
    t.strictSame(idsOf(stream({ lastPull: null })), { new: [1, 2], deleted: [] });
    let lastPull = clock.now();
    const next = (ms: number): ReturnType<typeof idsOf> => {
      clock.advance(ms);
      const answer = idsOf(stream({ lastPull }));
      lastPull = clock.now();
      return answer;
    };
    t.strictSame(next(1), { new: [], deleted: [] });
    add(3, { value: '192.0.2.3' });
    remove(1, first);
    t.strictSame(next(0), { new: [3], deleted: [1] }, 'even within the same millisecond');
    t.strictSame(next(1_000), { new: [3], deleted: [1] }, 'once more, as nobody can tell which of the two came first');
    t.strictSame(next(1_000), { new: [], deleted: [1] });
    t.strictSame(next(1_000), { new: [], deleted: [] });
    t.strictSame(next(7_000), { new: [], deleted: [2] }, 'expired without anybody telling');
  },
);

t.test('what is announced while a question is being answered belongs to the next one', async (t) => {
  const { add, ledger, clock } = createLedgerWorld();
  add(1, { value: '192.0.2.1' });
  const askedAt = clock.now();
  const pieces = ledger.stream(questionOf(askedAt, { lastPull: null }));
  const first = pieces.next();
  add(2, { value: '192.0.2.2' });
  t.strictSame(idsOf(joined([first.value ?? new Uint8Array(0), ...pieces])).new.includes(1), true);
  clock.advance(1);
  const next = joined(ledger.stream(questionOf(clock.now(), { lastPull: askedAt })));
  t.strictSame(idsOf(next).new, [2]);
});

t.test('a decision written again with another end or scenario is announced again, unchanged it is not', async (t) => {
  const { add, ledger, stream, clock } = createLedgerWorld();
  const decision = add(1);
  const since = (over: Partial<Decision>): number[] => {
    const lastPull = clock.now();
    clock.advance(10);
    const again = { ...decision, ...over };
    ledger.apply({ kind: 'decision-added', decision: again, id: 1 }, clock.now());
    clock.advance(10);
    return idsOf(stream({ lastPull })).new;
  };
  t.strictSame(since({}), []);
  t.strictSame(since({ until: decision.until + 1 }), [1]);
  t.strictSame(since({ until: decision.until + 1, scenario: 'other' }), [1]);
  t.strictSame(since({ until: decision.until + 1, scenario: 'other', alertUuid: 'x', createdAt: 5 }), []);
});

t.test('a lifted decision that is made again is in force again', async (t) => {
  const { add, remove, live, stream, clock, ledger } = createLedgerWorld();
  const decision = add(1);
  clock.advance(5_000);
  const lastPull = clock.now() - 1;
  remove(1, decision);
  clock.advance(5_000);
  ledger.apply({ kind: 'decision-added', decision, id: 1 }, clock.now());
  t.not(live(), 'null');
  t.strictSame(idsOf(stream({ lastPull })), { new: [1], deleted: [] });
  t.strictSame(ledger.size, { live: 1, ended: 0 });
});

t.test('a number that comes to stand for another decision ends the first', async (t) => {
  const { add, stream, live, clock } = createLedgerWorld();
  add(1, { value: '192.0.2.1', uuid });
  const lastPull = clock.now();
  stream({ lastPull });
  clock.advance(1_000);
  add(1, { value: '192.0.2.2', uuid });
  clock.advance(1);
  const answer = JSON.parse(stream({ lastPull })) as { new: { value: string }[]; deleted: { value: string }[] };
  t.match(answer, { new: [{ value: '192.0.2.2' }], deleted: [{ value: '192.0.2.1' }] });
  t.match(JSON.parse(live()), [{ value: '192.0.2.2' }]);
});

t.test('twins: the longest is told, ties are all told, whatever their origins', async (t) => {
  const { add, remove, stream, clock } = createLedgerWorld();
  const until = clock.now() + hour;
  const long = add(1, { until: until + 1, origin: 'CAPI' });
  add(2, { until, origin: 'crowdsec' });
  add(3, { until, type: 'captcha' });
  add(4, { until, scope: 'Range' });
  add(5, { until, value: '192.0.2.2' });
  add(6, { until, value: '192.0.2.2' });
  t.strictSame(idsOf(stream()).new, [1, 3, 4, 5, 6]);
  t.strictSame(idsOf(stream({ filter: { origins: ['crowdsec'] } })).new, [3, 4, 5, 6], 'hidden by another origin');
  t.strictSame(idsOf(stream({ dedup: false })).new, [1, 2, 3, 4, 5, 6]);
  clock.advance(1_000);
  remove(1, long);
  clock.advance(1);
  const delta = stream({ lastPull: clock.now() - 1_500 });
  t.strictSame(idsOf(delta).deleted, [], 'a twin lives on: its end is not announced');
});

t.test('a value that is banned anew is never in both lists', async (t) => {
  const { add, remove, stream, clock } = createLedgerWorld();
  const old = add(1);
  const lastPull = clock.now();
  clock.advance(1_000);
  remove(1, old);
  clock.advance(10);
  add(2);
  clock.advance(10);
  t.strictSame(idsOf(stream({ lastPull })), { new: [2], deleted: [] });
  t.strictSame(idsOf(stream()), { new: [2], deleted: [] });
});

t.test('a simulated twin hides no real decision, and is itself told only to who asks for such', async (t) => {
  const { add, stream, live, clock } = createLedgerWorld();
  add(1, { until: clock.now() + hour });
  add(2, { until: clock.now() + 2 * hour, simulated: true });
  t.strictSame(idsOf(stream()).new, [1]);
  t.strictSame(idsOf(stream({ filter: { simulated: true } })).new, [1, 2]);
  t.match(JSON.parse(live()), [{ id: 1 }]);
});

t.test('simulated decisions are on the first page of new ones only, and never among the ended', async (t) => {
  const { add, remove, stream } = createLedgerWorld();
  const old = add(1, { simulated: true, value: '198.51.100.1' });
  for (let id = 2; id <= 30_002; id++)
    add(id, { value: `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}`, simulated: id % 2 === 0 });
  for (let id = 30_003; id <= 60_000; id++)
    add(id, { value: `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}`, simulated: id % 2 === 0 });
  remove(1, old);
  const { new: told, deleted } = idsOf(stream({ filter: { simulated: true } }));
  t.strictSame(deleted, []);
  t.strictSame(
    told.slice(0, 30_000),
    Array.from({ length: 30_000 }, (_, index) => index + 2),
  );
  t.ok(
    told.slice(30_000).every((id) => id % 2 === 1),
    'after 30,000 the others only',
  );
  t.equal(told.length, 30_000 + 15_000 - 1);
});

t.test('what had ended before it came is told only when that was a moment ago', async (t) => {
  const { add, stream, clock } = createLedgerWorld();
  const lastPull = clock.now();
  clock.advance(10_000);
  add(1, { value: '192.0.2.1', until: clock.now() - 1 });
  add(2, { value: '192.0.2.2', until: lastPull - 2_001 });
  t.strictSame(idsOf(stream({ lastPull })), { new: [], deleted: [1] });
  t.strictSame(idsOf(stream()), { new: [], deleted: [1, 2] });
});

t.test('a deletion that is heard of late is announced all the same', async (t) => {
  const { add, ledger, stream, clock } = createLedgerWorld();
  const decision = add(1);
  clock.advance(60_000);
  const lastPull = clock.now() - 1_000;
  ledger.apply({ kind: 'decision-deleted', decision, id: 1, deletedAt: clock.now() - 50_000 }, clock.now());
  t.match(stream({ lastPull }), /"deleted": \[\{"duration":"-50s","id":1/);
});

t.test('ended decisions are forgotten beyond the limit, the first to end first', async (t) => {
  const { add, remove, stream, ledger, clock, live } = createLedgerWorld({ maxEnded: 3 });
  const decisions = [1, 2, 3, 4, 5].map((id) => add(id, { value: `192.0.2.${id}` }));
  for (const [index, decision] of decisions.entries()) {
    clock.advance(10);
    if (index < 4) remove(index + 1, decision);
  }
  t.strictSame(idsOf(stream()).deleted, [2, 3, 4]);
  t.strictSame(ledger.size, { live: 1, ended: 3 });
  clock.advance(5 * hour);
  ledger.sweep(clock.now(), 100);
  t.strictSame(idsOf(stream()).deleted, [3, 4, 5]);
  t.equal(live(), 'null');
  const revived = decisions[4] as Decision;
  ledger.apply({ kind: 'decision-added', decision: { ...revived, until: clock.now() + hour }, id: 5 }, clock.now());
  for (const id of [11, 12, 13]) remove(id, add(id, { value: `198.51.100.${id}` }));
  t.strictSame(
    idsOf(stream()),
    { new: [5], deleted: [11, 12, 13] },
    'one that lives again is not forgotten with its old entry',
  );
});

t.test('one that ends anew when there is room for no other stays', async (t) => {
  const { add, remove, stream, ledger, clock } = createLedgerWorld({ maxEnded: 1 });
  const decision = add(1);
  remove(1, decision);
  clock.advance(10);
  remove(1, decision);
  t.strictSame(idsOf(stream()).deleted, [1]);
  t.strictSame(ledger.size, { live: 0, ended: 1 });
});

t.test('networks inside another are found wherever the words of an address meet', async (t) => {
  const address = '2001:db8:aaaa:0:8000:0:8000:0';
  let looked = 0;
  for (let prefix = 1; prefix <= 124; prefix++) {
    const { add, ledger, clock } = createLedgerWorld();
    const outer = network(`${address}/${prefix}`);
    const start = [outer.address.w0, outer.address.w1, outer.address.w2, outer.address.w3];
    const base = start.reduce((sum, word) => sum * 2n ** 32n + BigInt(word), 0n);
    for (let step = 0; step < 8; step++) {
      const inner = base + BigInt(step) * 2n ** BigInt(125 - prefix);
      const groups = Array.from({ length: 8 }, (_, at) => ((inner >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
      add(step + 1, { scope: 'Range', value: `${groups.join(':')}/${prefix + 3}` });
    }
    add(9, { scope: 'Range', value: `${address}/${prefix - 1}` });
    const found = Array.from(ledger.active({ network: outer, contains: false }, clock.now()), ({ id }) => id);
    if (found.join() !== '1,2,3,4,5,6,7,8') t.fail(`/${prefix}: ${found.join()}`);
    looked++;
  }
  t.equal(looked, 124);
});

t.test('decisions that ended before the start are told, in the order in which they ended', async (t) => {
  const { ledger, stream, clock } = createLedgerWorld({ maxEnded: 3 });
  const now = clock.now();
  const of = (id: number, until: number, deletedAt: number | null) => ({
    id,
    decision: decisionOf({ value: `192.0.2.${id}`, until }),
    deletedAt,
    cursor: `${id}`,
  });
  ledger.seedEnded([
    of(9, now - 1_000, null),
    of(2, now + hour, now - 5_000),
    of(5, now - 90_000, null),
    of(7, now - 3_000, null),
  ]);
  t.strictSame(idsOf(stream()).deleted, [2, 7, 9]);
  t.strictSame(idsOf(stream({ lastPull: now - 1_500 })).deleted, [7, 9]);
  t.strictSame(idsOf(stream({ lastPull: now - 3_500 })).deleted, [2, 7, 9]);
});

t.test('after a start a delta has what the first snapshot says was made since', async (t) => {
  const { ledger, stream, clock } = createLedgerWorld();
  const now = clock.now();
  for (const [id, age] of [
    [1, 60_000],
    [2, 5_000],
    [3, 1_000],
  ] as const) {
    const decision = decisionOf({ value: `192.0.2.${id}`, until: now + hour, createdAt: now - age });
    ledger.apply({ kind: 'decision-added', decision, id }, now, decision.createdAt);
  }
  t.strictSame(idsOf(stream({ lastPull: now - 10_000 })).new, [2, 3]);
  t.strictSame(idsOf(stream({ lastPull: now - 500 })).new, []);
});

t.test('a last question by a clock that is ahead gets everything once, and nothing is lost afterwards', async (t) => {
  const { add, stream, clock } = createLedgerWorld();
  add(1, { value: '192.0.2.1' });
  const lastPull = clock.now() + 5_000;
  t.strictSame(idsOf(stream({ lastPull })).new, [1]);
  t.strictSame(idsOf(stream({ lastPull })).new, []);
  add(2, { value: '192.0.2.2' });
  t.strictSame(idsOf(stream({ lastPull })).new, [2]);
});

t.test('gateways that share bouncers tell what was announced shortly before the last question too', async (t) => {
  const { add, stream, clock } = createLedgerWorld({ overlapMs: 3_000 });
  add(1, { value: '192.0.2.1' });
  clock.advance(2_000);
  t.strictSame(idsOf(stream({ lastPull: clock.now() })).new, [1]);
  clock.advance(2_000);
  t.strictSame(idsOf(stream({ lastPull: clock.now() })).new, []);
});

t.test('what a fresh snapshot lacks counts as lifted now', async (t) => {
  const { add, ledger, stream, clock } = createLedgerWorld();
  const kept = add(1, { value: '192.0.2.1' });
  add(2, { value: '192.0.2.2' });
  clock.advance(1_000);
  const lastPull = clock.now();
  stream({ lastPull });
  clock.advance(60_000);
  for (const _ of ledger.markStale());
  ledger.apply({ kind: 'decision-added', decision: kept, id: 1 }, clock.now());
  add(3, { value: '192.0.2.3' });
  for (const _ of ledger.dropStale());
  t.strictSame(idsOf(stream({ lastPull })), { new: [3], deleted: [2] });
});

t.test('alerts know whether one of their decisions is in force', async (t) => {
  const { add, remove, ledger, clock } = createLedgerWorld();
  const one = add(1, { alertUuid: 'a' });
  add(2, { alertUuid: 'a', until: clock.now() + 1_000 });
  t.ok(ledger.hasActive('a', clock.now()));
  remove(1, one);
  t.ok(ledger.hasActive('a', clock.now()));
  clock.advance(2_000);
  t.notOk(ledger.hasActive('a', clock.now()));
  t.notOk(ledger.hasActive('b', clock.now()));
});

t.test('active decisions are counted by origin, scenario and type', async (t) => {
  const { add, remove, ledger, clock } = createLedgerWorld();
  add(1, { origin: 'CAPI' });
  add(2, { origin: 'CAPI', scope: 'Range', value: '192.0.2.0/24' });
  add(3, { simulated: true });
  remove(4, add(4, { origin: 'lists' }));
  t.strictSame(
    [...ledger.countsBy(clock.now())].map((each) => ({ ...each })),
    [{ origin: 'CAPI', scenario: 'test/scenario', type: 'ban', count: 2 }],
  );
});

t.test('a writer can wait until its decision has come back from the store', async (t) => {
  const { add, ledger, clock } = createLedgerWorld();
  const other = ledger.heardOf('nobody', 500);
  const heard = Promise.all([ledger.heardOf(uuid, 500), ledger.heardOf(uuid, 500)]);
  add(1, { uuid });
  t.strictSame(await heard, [true, true]);
  clock.advance(500);
  await settle();
  t.equal(await other, false);
});

t.test('addresses take at most seventy bytes each beyond what is there from the start', async (t) => {
  const { add, ledger } = createLedgerWorld();
  const empty = ledger.memoryBytes();
  const count = 131_072;
  for (let id = 1; id <= count; id++) add(id, { value: `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}` });
  const each = (ledger.memoryBytes() - empty) / count;
  t.ok(each <= 70, `${each.toFixed(1)} bytes`);
});
