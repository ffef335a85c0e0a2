/**
 * The hub's scenarios beyond those of SigmaHQ (`sigma.test.ts`): events made out of each one's own filter, as many and as
 * different as its bucket wants, are poured until it overflows. What the filters hold against real log lines, the hub's own
 * tests tell (`hubtest.test.ts`); this reaches the scenarios that those leave out.
 */
import { join } from 'node:path';
import t from 'tap';
import { createLog } from '../../core/log.ts';
import { createSystemRandom } from '../../core/random.ts';
import type { Alert } from '../../detectors/alert.ts';
import { readDataText } from '../../detectors/documents/find-data-file.ts';
import { assembleEngine, loadEngineData } from '../../detectors/engine/assemble-engine.ts';
import { createLineEvent } from '../../detectors/engine/line-event.ts';
import { loadItems } from '../../detectors/engine/load-items.ts';
import { type Event, FieldMap } from '../../detectors/event.ts';
import type { ScenarioDetector } from '../../detectors/scenarios/detector.ts';
import type { Overflow } from '../../detectors/scenarios/overflow.ts';
import type { ScenarioSpec } from '../../detectors/scenarios/scenario-document.ts';
import { type FilterFields, fieldsFor, readFilter } from '../support/filter-fields.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { noGeo } from '../support/no-geo.ts';
import { suitePath } from '../support/suites.ts';
import { type Fraction, seeded } from '../support/seeded.ts';

type LinesOf = (file: string) => readonly string[];

/** Series of events per scenario, each drawn anew. */
const mostSeries = 12;
/** Events of a series where the bucket has no capacity of its own, and more than enough of them where it has. */
const usualEvents = 40;
const mostEvents = 1_100;
/** Between two series: longer than the silence of any scenario after an overflow. */
const seriesMs = 2 * 86_400_000;

/**
 * Of the suite's 325, those that are not reached ask for more than fields with texts: several kinds of event in one queue
 * (three), the WAF's own events (two), places on the map (two), lists of objects and keys with dots (three), the rows of a
 * lookup file (one).
 */
const leastReached = 314;

/** Overflows of other scenarios are what these are made of: nothing to be found in events of the first hand. */
function readsEvents({ filter, file }: ScenarioSpec): boolean {
  return !/GetType\(\)|evt\.Overflow/.test(filter) && !file.includes('sigmahq');
}

/** The fields of an event that an expression reads: `Meta.source_ip`. */
function fieldsIn(expression: string): readonly string[] {
  return Array.from(expression.matchAll(/\bevt\.((?:Meta|Parsed|Enriched)\.\w+)/g), ([, field]) => field ?? '');
}

/** Sets a field by its dotted path below `evt`; those of the line itself stay as they are. */
function setField(event: Event, path: string, text: string): void {
  const [map, ...names] = path.split('.');
  const last = names.pop();
  if (last === undefined) return;
  if (map === 'Meta' || map === 'Parsed' || map === 'Enriched') event[map][last] = text;
  if (map !== 'Unmarshaled') return;
  let place: Record<string, unknown> = event.Unmarshaled;
  for (const name of names) {
    place[name] ??= {};
    place = place[name] as Record<string, unknown>;
  }
  // These come of JSON, where numbers and truth values are no texts.
  place[last] = /^(?:\d+|true|false)$/.test(text) ? (JSON.parse(text) as unknown) : text;
}

/** How the events of a series come to differ in what the bucket tells apart: by their number, or by being drawn one by one. */
type Variety = 'number after' | 'number before' | 'drawn';
const varieties: readonly Variety[] = ['number after', 'number before', 'drawn'];

/** The text of a `distinct` field in event `index` of its series. */
function distinctText(field: string, text: string, index: number, variety: Variety): string {
  if (field === 'Meta.source_ip') return `192.0.2.${index % 256}`;
  if (variety === 'drawn') return text;
  return variety === 'number after' ? `${text}${index}` : `${index}${text}`;
}

/** Event `index` of a series: one source, what the bucket groups by the same in all, what it tells apart different in each. */
function eventFor(
  document: ScenarioSpec,
  wishes: FilterFields,
  { index, at, variety }: { readonly index: number; readonly at: number; readonly variety: Variety },
): Event {
  const line = { Raw: '', Src: 'test', Time: at, Labels: new FieldMap(), Process: true, Module: 'file' };
  const event = createLineEvent(line, 1, at);
  event.MarshaledTime = new Date(at).toISOString();
  event.Meta.source_ip = '192.0.2.7';
  event.Meta.timestamp = event.MarshaledTime;
  for (const field of fieldsIn(`${document.scopeExpression} ${document.groupby}`)) {
    if (field !== 'Meta.source_ip') setField(event, field, 'one');
  }
  for (const [field, text] of wishes) setField(event, field, text);
  for (const field of fieldsIn(document.distinct)) {
    setField(event, field, distinctText(field, wishes.get(field) ?? '', index, variety));
  }
  return event;
}

/** What `document` overflows with in a series that begins at `start` (epoch milliseconds). */
function pourSeries(
  detector: ScenarioDetector,
  document: ScenarioSpec,
  start: number,
  draw: { readonly wishes: () => FilterFields | null; readonly variety: Variety; readonly stepMs: number },
): Overflow | undefined {
  const count = document.capacity > 0 ? Math.min(document.capacity + 3, mostEvents) : usualEvents;
  const isOurs = ({ scenario }: Overflow): boolean => scenario.name === document.name;
  let wishes = draw.wishes();
  for (let index = 0; index < count; index++) {
    if (draw.variety === 'drawn') wishes = draw.wishes();
    if (wishes === null) continue;
    const event = eventFor(document, wishes, { index, at: start + index * draw.stepMs, variety: draw.variety });
    const found = detector.pour(event).find(isOurs);
    if (found !== undefined) return found;
  }
  return detector.endReplay().find(isOurs);
}

/** The first overflow of `document` in some series. */
function reach(
  detector: ScenarioDetector,
  document: ScenarioSpec,
  linesOf: LinesOf,
  seed: number,
): Overflow | undefined {
  const fraction: Fraction = seeded(seed);
  const filter = readFilter(document.filter);
  const wishes = (): FilterFields | null => fieldsFor(filter, fraction, linesOf);
  for (let series = 0; series < mostSeries; series++) {
    const start = Date.UTC(2024, 0, 1) + (seed * mostSeries + series) * seriesMs;
    // Some conditions ask how regularly the events came; buckets without conditions get them too fast to leak.
    const stepMs = document.type === 'conditional' && series % 2 === 1 ? document.leakMs / 2 : 1;
    const variety = varieties[series % varieties.length] ?? 'drawn';
    const found = pourSeries(detector, document, start, { wishes, variety, stepMs });
    detector.endReplay();
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether an alert names a source and counts as many events as its bucket takes to overflow. */
function fits({ source, eventsCount }: Alert, { type, capacity }: ScenarioSpec): boolean {
  if (source.value === '') return false;
  if (type === 'trigger') return eventsCount === 1;
  return type !== 'leaky' || eventsCount === capacity + 1;
}

/** The lines of data files as they are written, patterns too. */
async function linesOfData(documents: readonly ScenarioSpec[], folder: string): Promise<LinesOf> {
  const lines = new Map<string, readonly string[]>();
  for (const spec of documents.flatMap(({ data }) => data)) {
    const text = (await readDataText(spec, [folder])) ?? '';
    lines.set(
      spec.destFile,
      text.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    );
  }
  return (file) => lines.get(file) ?? [];
}

t.test('scenarios overflow on events made of their filters', async (t) => {
  const [hub, lists] = [suitePath(t, 'hub'), suitePath(t, 'sec-lists')];
  if (hub === null || lists === null) return;
  const items = await loadItems([join(hub, 'scenarios')]);
  const scenarios = items.scenarios.filter(readsEvents);
  const data = await loadEngineData({ ...items, scenarios }, [lists]);
  const runtime = { clock: createManualClock(), random: createSystemRandom(), log: createLog('silent') };
  const options = { forRequests: false, ipv6Prefix: 128 };
  const assembly = assembleEngine({ ...items, scenarios }, data, options, { ...runtime, geo: noGeo, hosts: null });
  t.teardown(() => assembly.close());
  const linesOf = await linesOfData(scenarios, lists);
  const unreached: string[] = [];
  const misshapen: unknown[] = [];
  for (const [index, document] of scenarios.entries()) {
    const overflow = reach(assembly.detector, document, linesOf, index);
    if (overflow === undefined) unreached.push(document.name);
    else misshapen.push(...overflow.alerts.filter((alert) => !fits(alert, overflow.scenario)));
  }
  t.strictSame(misshapen, []);
  t.ok(scenarios.length >= 325, `${scenarios.length} scenarios`);
  const reached = scenarios.length - unreached.length;
  t.ok(reached >= leastReached, `${reached} of them reached, but not ${unreached.join(' ')}`);
});
