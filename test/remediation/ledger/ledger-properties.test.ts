/** The ledger and a plain model are told the same and asked the same. */
import fc from 'fast-check';
import t from 'tap';
import { parseRange } from '../../../core/ip.ts';
import { createSystemRandom } from '../../../core/random.ts';
import type { Decision } from '../../../remediation/decision.ts';
import {
  createDecisionLedger,
  type DecisionLedger,
  type LedgerFilter,
} from '../../../remediation/ledger/decision-ledger.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { collectedLog } from '../support.ts';
import { LedgerModel, type ModelElement } from './ledger-model.ts';

const subjects: readonly (readonly [scope: string, value: string])[] = [
  ['Ip', '192.0.2.1'],
  ['Ip', '192.0.2.2'],
  ['Ip', '192.0.3.77'],
  ['Ip', '::ffff:192.0.2.1'],
  ['Range', '192.0.2.1/32'],
  ['Range', '192.0.2.0/24'],
  ['Range', '192.0.2.9/24'],
  ['Range', '192.0.0.0/16'],
  ['Range', '0.0.0.0/0'],
  ['Ip', '2001:DB8:0:0::1'],
  ['Ip', '2001:db8::1'],
  ['Range', '2001:db8::/32'],
  ['Range', '2001:db8::8000:0/97'],
  ['Range', '::/0'],
  ['ip', '192.0.2.1'],
  ['Ip', 'not an address'],
  ['Country', 'FR'],
  ['AS', '64496'],
  ['session', '192.0.2.1'],
  ['session', 'a "quoted" <text> \u2028 é'],
];
const networks = [
  '192.0.2.1',
  '::ffff:192.0.2.1',
  '192.0.2.0/24',
  '192.0.0.0/14',
  '0.0.0.0/0',
  '2001:db8::1',
  '2001:db8::/30',
  '2001:db8::8000:0/98',
  '::/0',
  '198.51.100.1',
].map((text) => parseRange(text));

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const some = (...words: string[]) => maybe(fc.subarray(words));

const filterOf: fc.Arbitrary<LedgerFilter> = fc
  .record({
    network: maybe(fc.constantFrom(...networks)),
    contains: maybe(fc.boolean()),
    scopes: some('Ip', 'Range', 'Country', 'session'),
    value: fc.option(fc.constantFrom(...subjects.map(([, value]) => value)), { nil: undefined, freq: 4 }),
    types: some('ban', 'captcha'),
    origins: some('crowdsec', 'CAPI', 'lists'),
    scenariosContaining: some('SSH', 'http', ''),
    scenariosNotContaining: some('Bf', 'probing'),
    simulated: maybe(fc.boolean()),
  })
  .map((filter) => JSON.parse(JSON.stringify(filter)) as LedgerFilter);
const pagingOf = fc
  .record({ idAbove: maybe(fc.integer({ min: -1, max: 30 })), limit: maybe(fc.nat(4)), offset: maybe(fc.nat(3)) })
  .map((paging) => JSON.parse(JSON.stringify(paging)) as LedgerFilter);

const decisionFields = fc.record({
  subject: fc.nat(subjects.length - 1),
  type: fc.constantFrom('ban', 'captcha', 'my own'),
  origin: fc.constantFrom('crowdsec', 'CAPI', 'lists'),
  scenario: fc.constantFrom('crowdsecurity/ssh-bf', 'http-probing', "manual 'ban' & <b>"),
  simulated: fc.boolean(),
  lastsMs: fc.integer({ min: -5_000, max: 20_000 }),
  form: fc.nat(3),
  alert: fc.option(fc.nat(3), { nil: null }),
});

type Step =
  | {
      readonly kind: 'add';
      readonly id: number;
      readonly variant: number;
      readonly fields: FieldsOf;
      readonly ageMs: number;
    }
  | { readonly kind: 'again' | 'delete'; readonly pick: number; readonly ms: number }
  | { readonly kind: 'tick'; readonly ms: number }
  | { readonly kind: 'sweep'; readonly budget: number }
  | { readonly kind: 'live'; readonly filter: LedgerFilter; readonly paging: LedgerFilter; readonly distinct: boolean }
  | {
      readonly kind: 'stream';
      readonly bouncer: number;
      readonly startup: boolean;
      readonly dedup: boolean;
      readonly filter: LedgerFilter;
    }
  | { readonly kind: 'snapshot'; readonly keep: readonly boolean[] };
type FieldsOf = typeof decisionFields extends fc.Arbitrary<infer T> ? T : never;

const kindOf = <K extends string>(kind: K) => fc.constant(kind);
const stepOf: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: kindOf('add'),
      id: fc.integer({ min: 1, max: 40 }),
      variant: fc.nat(1),
      fields: decisionFields,
      ageMs: fc.nat(8_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kindOf('again'), pick: fc.nat(), ms: fc.constantFrom(0, 0, 3_000, -2_000) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kindOf('delete'), pick: fc.nat(), ms: fc.constantFrom(0, 0, 700, -300) }) },
  { weight: 4, arbitrary: fc.record({ kind: kindOf('tick'), ms: fc.constantFrom(0, 1, 400, 2_500, 9_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: kindOf('sweep'), budget: fc.nat(5) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: kindOf('live'), filter: filterOf, paging: pagingOf, distinct: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kindOf('stream'),
      bouncer: fc.nat(2),
      startup: fc.boolean(),
      dedup: fc.boolean(),
      filter: fc.oneof(fc.constant<LedgerFilter>({}), filterOf),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kindOf('snapshot'), keep: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }) }),
  },
);

function decisionFor(id: number, variant: number, now: number, fields: FieldsOf): Decision {
  const [scope = '', value = ''] = subjects[fields.subject] ?? [];
  const plain = `00000000-0000-4000-8000-${(id * 2 + variant).toString(16).padStart(12, '0')}`;
  const forms = [plain, `lapi/paris/${plain}`, `lapi/${scope}/${fields.type}/${value}`, `odd ${id}`];
  const { type, origin, scenario, simulated, lastsMs, alert } = fields;
  return {
    uuid: forms[fields.form] ?? plain,
    scope,
    value,
    type,
    origin,
    scenario,
    simulated,
    until: now + lastsMs,
    createdAt: now,
    alertUuid: alert === null ? null : `alert-${alert}`,
  };
}

class World {
  readonly clock = createManualClock();
  readonly model = new LedgerModel();
  readonly ledger: DecisionLedger = createDecisionLedger({
    clock: this.clock,
    random: createSystemRandom(),
    log: collectedLog().log,
  });
  /** Decisions in answers. */
  told = 0;
  readonly lastPulls: (number | null)[] = [null, null, null];

  run(step: Step): void {
    const now = this.clock.now();
    const { ledger, model } = this;
    switch (step.kind) {
      case 'add':
        return this.#add(decisionFor(step.id, step.variant, now, step.fields), step.id, now - step.ageMs);
      case 'again':
      case 'delete': {
        const row = model.rows[step.pick % Math.max(model.rows.length, 1)];
        if (row === undefined) return;
        const { id, decision } = row;
        if (step.kind === 'again') return this.#add({ ...decision, until: decision.until + step.ms }, id, now);
        ledger.apply({ kind: 'decision-deleted', decision, id, deletedAt: now + step.ms }, now);
        return model.delete(decision, id, now + step.ms, now);
      }
      case 'tick':
        return this.clock.advance(step.ms);
      case 'sweep':
        return void ledger.sweep(now, step.budget);
      case 'live':
        return this.#live({ ...step.filter, ...step.paging, distinct: step.distinct }, now);
      case 'stream':
        return this.#stream(step, now);
      case 'snapshot':
        return this.#snapshot(step.keep, now);
      default:
        return step satisfies never;
    }
  }

  #add(decision: Decision, id: number, arrivedAt: number): void {
    const now = this.clock.now();
    this.ledger.apply({ kind: 'decision-added', decision, id }, now, arrivedAt);
    this.model.add(decision, id, arrivedAt, now);
  }

  #live(filter: LedgerFilter, now: number): void {
    const expected = this.model.live(filter, now);
    const isOrdered =
      filter.network === undefined || filter.contains === false || 'limit' in filter || 'offset' in filter;
    const text = joined(this.ledger.live(filter, now));
    const found = JSON.parse(text) as { id: number }[] | null;
    this.told += expected.length;
    if (expected.length === 0) equal(text, 'null');
    equal(
      isOrdered ? found : found?.toSorted((a, b) => a.id - b.id),
      expected.length === 0 ? (isOrdered ? null : undefined) : expected,
    );
    const entries = [...this.ledger.active(filter, now)].toSorted((a, b) => a.id - b.id);
    equal(
      entries.map(({ id, value }) => [id, value]),
      expected.map(({ id, value }) => [id, value]),
    );
  }

  #stream({ bouncer, startup, dedup, filter }: Extract<Step, { kind: 'stream' }>, now: number): void {
    const lastPull = startup ? null : (this.lastPulls[bouncer] ?? null);
    const question = { filter, startup, lastPull: this.lastPulls[bouncer] ?? null, askedAt: now, now, dedup };
    const text = joined(this.ledger.stream(question));
    const found = JSON.parse(text) as Answer;
    const expected = this.model.stream(filter, lastPull, now, dedup);
    equal(Object.keys(found), ['new', 'deleted']);
    for (const part of ['new', 'deleted'] as const) {
      equal(
        found[part].map(({ id }) => id),
        expected[part].map(({ id }) => id),
      );
      this.told += expected[part].length;
      equal(found[part].toSorted(byIdAndText), expected[part].toSorted(byIdAndText));
    }
    this.lastPulls[bouncer] = now;
    for (const alert of ['alert-0', 'alert-1', 'alert-2']) {
      equal(this.ledger.hasActive(alert, now), this.model.hasActive(alert, now));
    }
    const counts = Array.from(this.ledger.countsBy(now), (each): [string, number] => [
      `${each.origin} ${each.scenario} ${each.type}`,
      each.count,
    ]);
    equal(
      Object.fromEntries(counts.toSorted(byName)),
      Object.fromEntries([...this.model.counts(now)].toSorted(byName)),
    );
  }

  #snapshot(keep: readonly boolean[], now: number): void {
    const kept = this.model.rows.filter((row, at) => !row.deleted && row.until > now && keep[at % keep.length]);
    this.model.markStale();
    for (const _ of this.ledger.markStale());
    for (const { decision, id } of kept.map((row) => ({ ...row }))) this.#add(decision, id, now);
    this.model.dropStale(now);
    for (const _ of this.ledger.dropStale());
  }
}

interface Answer {
  readonly new: ModelElement[];
  readonly deleted: ModelElement[];
}

const byName = ([one]: readonly [string, number], [other]: readonly [string, number]): number => (one < other ? -1 : 1);

/** A number that came to stand for another decision is there twice. */
function byIdAndText(one: ModelElement, other: ModelElement): number {
  return one.id - other.id || (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
}

function joined(pieces: Iterable<Uint8Array>): string {
  return Buffer.concat([...pieces]).toString('utf8');
}

function equal(found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`found    ${one}\nexpected ${other}`);
}

t.test('whatever happens, the ledger answers as the model does', async (t) => {
  let told = 0;
  fc.assert(
    fc.property(fc.array(stepOf, { minLength: 20, maxLength: 60, size: 'max' }), (steps) => {
      const world = new World();
      for (const step of steps) {
        world.run(step);
      }
      told += world.told;
    }),
    { seed: 20_260_101, numRuns: 600 },
  );
  t.ok(told > 3_000, `${told} decisions were told`);
});
