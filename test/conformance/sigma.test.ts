/**
 * The hub's SigmaHQ scenarios, which no test of the hub covers: for each one, Sysmon events made out of its own filter go
 * through the hub's parsers as Windows writes them, until one makes it overflow.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLog } from '../../core/log.ts';
import { createSystemRandom } from '../../core/random.ts';
import { assembleEngine, type EngineAssembly } from '../../detectors/engine/assemble-engine.ts';
import { loadItems } from '../../detectors/engine/load-items.ts';
import { type Event, FieldMap, type Line } from '../../detectors/event.ts';
import { noDataFiles } from '../../detectors/expr/data-files.ts';
import type { Overflow } from '../../detectors/scenarios/overflow.ts';
import type { ScenarioSpec } from '../../detectors/scenarios/scenario-document.ts';
import { type FilterFields, fieldsFor, readFilter } from '../support/filter-fields.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { noGeo } from '../support/no-geo.ts';
import { suitePath } from '../support/suites.ts';
import { seeded } from '../support/seeded.ts';

/** Draws per scenario. With these seeds most need one, and those that can be reached 26 at most. */
const mostDraws = 100;

/** Between two events: longer than the silence of any of these scenarios after an overflow. */
const stepMs = 5 * 60_000;

/** It reads `Parsed.Product`, which the hub's Sysmon parser does not fill: no log line can make it overflow. */
const withoutItsField = 'sigmahq/proc_creation_win_renamed_sysinternals_debugview';

interface Sysmon extends EngineAssembly {
  readonly documents: readonly ScenarioSpec[];
}

/** The Sysmon scenarios behind the parsers that read their events. Null, with the skip counted, without the suite. */
async function assembleSysmon(t: Test): Promise<Sysmon | null> {
  const hub = suitePath(t, 'hub');
  if (hub === null) return null;
  const parsers = ['s00-raw/crowdsecurity/windows-logs', 's01-parse/crowdsecurity/sysmon-logs'];
  const enrichers = ['s02-enrich/crowdsecurity/dateparse-enrich'];
  const paths = [...parsers, ...enrichers].map((name) => join(hub, 'parsers', `${name}.yaml`));
  const items = await loadItems([...paths, join(hub, 'scenarios', 'sigmahq')]);
  t.strictSame(items.faults, []);
  const runtime = { clock: createManualClock(), random: createSystemRandom(), log: createLog('silent') };
  const data = { files: noDataFiles, faults: [] };
  const options = { forRequests: false, ipv6Prefix: 128 };
  const assembly = assembleEngine(items, data, options, { ...runtime, geo: noGeo, hosts: null });
  t.teardown(() => assembly.close());
  t.strictSame(assembly.faults, []);
  return { ...assembly, documents: items.scenarios.filter(({ filter }) => filter.includes("service == 'sysmon'")) };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Event number `count` of the test, of Sysmon, as Windows' event log renders it. */
function sysmonLine(count: number, eventId: string, data: Readonly<Record<string, string>>): Line {
  const fields = Object.entries(data).map(([name, text]) => `<Data Name="${name}">${escaped(text)}</Data>`);
  const system = [
    '<Provider Name="Microsoft-Windows-Sysmon"/>',
    `<EventID>${eventId}</EventID>`,
    `<TimeCreated SystemTime="${new Date(Date.UTC(2024, 0, 1) + count * stepMs).toISOString()}"/>`,
    '<Channel>Microsoft-Windows-Sysmon/Operational</Channel>',
    '<Computer>host.example</Computer>',
  ];
  const raw = `<Event><System>${system.join('')}</System><EventData>${fields.join('')}</EventData></Event>`;
  const labels = Object.assign(new FieldMap(), { type: 'eventlog' });
  return { Raw: raw, Src: 'test', Time: 0, Labels: labels, Process: true, Module: 'wineventlog' };
}

interface Answer {
  readonly event: Event | null;
  readonly overflows: readonly Overflow[];
}

async function feed({ engine }: Sysmon, line: Line): Promise<Answer> {
  let event: Event | null = null;
  const poured = (arrived: Event): void => {
    event = arrived;
  };
  const { overflows } = await engine.feed(line, 1, { poured });
  return { event, overflows: overflows.map(({ overflow }) => overflow) };
}

/** The process creation that the wishes describe; what they leave open is as dull as can be. */
function processFields(wishes: FilterFields, parent: string, image: string): Record<string, string> {
  const fields = { Image: image, CommandLine: 'run', ParentImage: 'C:\\parent.exe', ParentProcessId: parent };
  const wished = Array.from(wishes, ([field, text]): [string, string] => [field.replace('Parsed.', ''), text]);
  return { ...fields, ...Object.fromEntries(wished.filter(([name]) => name !== 'EventID' && !name.includes('.'))) };
}

/** What `document` overflowed with, and the parent process of the event that caused it; null when no draw did. */
async function reach(sysmon: Sysmon, document: ScenarioSpec, firstCount: number) {
  const fraction = seeded(firstCount);
  const filter = readFilter(document.filter);
  for (let count = firstCount; count < firstCount + mostDraws; count++) {
    const wishes = fieldsFor(filter, fraction);
    if (wishes === null) continue;
    const fields = processFields(wishes, String(count), fraction() < 0.5 ? 'C:\\dull.exe' : 'dull');
    const { overflows } = await feed(sysmon, sysmonLine(count, wishes.get('Parsed.EventID') ?? '1', fields));
    const overflow = overflows.find(({ scenario }) => scenario === document);
    if (overflow !== undefined) return { overflow, parent: String(count) };
  }
  return null;
}

t.test('every scenario overflows on an event made of its filter, and names the parent process', async (t) => {
  const sysmon = await assembleSysmon(t);
  if (sysmon === null) return;
  const { documents } = sysmon;
  const unreached: string[] = [];
  const misnamed: unknown[] = [];
  for (const [index, document] of documents.entries()) {
    const reached = await reach(sysmon, document, index * mostDraws);
    if (reached === null) {
      unreached.push(document.name);
      continue;
    }
    const sources = reached.overflow.alerts.map(({ source: { scope, value } }) => `${scope} ${value}`);
    if (sources.join() !== `ParentProcessId ${reached.parent}`) misnamed.push([document.name, reached.parent, sources]);
  }
  t.ok(documents.length >= 520, `${documents.length} scenarios`);
  t.ok(
    documents.length - unreached.length >= 519,
    `of which ${unreached.length} were not reached: ${unreached.join(' ')}`,
  );
  t.strictSame(misnamed, []);
});

t.test('a scenario that reads what no parser fills is reached with that field in its place', async (t) => {
  const sysmon = await assembleSysmon(t);
  if (sysmon === null) return;
  const document = sysmon.documents.find(({ name }) => name === withoutItsField);
  if (document === undefined) throw new Error(`${withoutItsField} is not in the suite`);
  const wishes = fieldsFor(readFilter(document.filter), seeded(1));
  const product = wishes?.get('Parsed.Product') ?? '';
  t.equal(product, 'Sysinternals DebugView');
  const { event, overflows } = await feed(
    sysmon,
    sysmonLine(0, '1', processFields(wishes ?? new Map(), '7', 'C:\\x.exe')),
  );
  if (event === null) throw new Error('the event was discarded');
  t.equal(event.Meta.service, 'sysmon');
  t.notOk(Object.hasOwn(event.Parsed, 'Product'));
  t.notOk(overflows.some(({ scenario }) => scenario === document));
  event.Parsed.Product = product;
  t.ok(sysmon.detector.pour(event).some(({ scenario }) => scenario === document));
});

t.test('ordinary processes make no scenario overflow', async (t) => {
  const sysmon = await assembleSysmon(t);
  if (sysmon === null) return;
  const ordinary = [
    ['C:\\Windows\\System32\\notepad.exe', '"C:\\Windows\\System32\\notepad.exe" C:\\Users\\ann\\Documents\\list.txt'],
    ['C:\\Program Files\\Mozilla Firefox\\firefox.exe', '"C:\\Program Files\\Mozilla Firefox\\firefox.exe"'],
    ['C:\\Windows\\System32\\calc.exe', 'C:\\Windows\\System32\\calc.exe'],
  ] as const;
  for (const [count, [image, command]] of ordinary.entries()) {
    const fields = {
      Image: image,
      CommandLine: command,
      ParentImage: 'C:\\Windows\\explorer.exe',
      ParentProcessId: '7',
    };
    const { event, overflows } = await feed(sysmon, sysmonLine(count, '1', fields));
    t.equal(event?.Meta.service, 'sysmon', image);
    t.strictSame(
      overflows.map(({ scenario }) => scenario.name),
      [],
    );
  }
  t.equal(sysmon.detector.counters.filterErrors, 0);
});
