import * as fc from 'fast-check';
import t from 'tap';
import { createFilterIndex } from '../../../detectors/documents/filter-index.ts';
import { loadItems } from '../../../detectors/engine/load-items.ts';
import { type Event, FieldMap, type StringMap } from '../../../detectors/event.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { createKindIndex } from '../../../detectors/scenarios/kind-index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { suitePath } from '../../support/suites.ts';
import { accessEvent, scenarioExpressions } from './support.ts';

const { event: compiler } = scenarioExpressions(createManualClock());

function eventWith(meta: Readonly<Record<string, string>>, parsed: Readonly<Record<string, string>> = {}): Event {
  const mapOf = (fields: Readonly<Record<string, string>>): StringMap => Object.assign(new FieldMap(), fields);
  return { ...accessEvent(), Meta: mapOf(meta), Parsed: mapOf(parsed) };
}

/** 300 filters of 30 services; every tenth asks for none, every seventh for a log type instead. */
const filters = Array.from({ length: 300 }, (_, number) => {
  const tail = `evt.Meta.http_path contains 'word${number % 40}'`;
  if (number % 10 === 0) return tail;
  const head =
    number % 7 === 0 ? `evt.Meta.log_type in ['t${number % 5}', 't9']` : `evt.Meta.service == 's${number % 30}'`;
  return `${head} && ${tail}`;
}).map((source) => compiler.compile(source, 'bool'));

const ascending = (positions: readonly number[]): boolean =>
  positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? -1));

t.test('no filter that would be true is left out, and the order is kept', async (t) => {
  const index = createKindIndex(filters, new Set(), noDataFiles);
  const field = (prefix: string, most: number): fc.Arbitrary<string> =>
    fc.oneof(
      fc.constantFrom('', 'unheard'),
      fc.nat({ max: most }).map((number) => `${prefix}${number}`),
    );
  let candidates = 0;
  let held = 0;
  fc.assert(
    fc.property(field('s', 30), field('t', 9), fc.nat({ max: 40 }), (service, type, word) => {
      const event = eventWith({ service, log_type: type, http_path: `/a/word${word}` });
      const found = [...index.candidates(event)];
      const isTrue = filters.flatMap((filter, position) =>
        filter.evaluate({ evt: event }) === true ? [position] : [],
      );
      candidates += found.length;
      held += isTrue.length;
      return ascending(found) && isTrue.every((position) => found.includes(position));
    }),
    { seed: 20_261_101, numRuns: 1_000 },
  );
  t.ok(held > 1_000, `${held} true`);
  t.ok(candidates < 3 * held, `${candidates} candidates for ${held} that are true`);
});

t.test('a field that filters write is not trusted', async (t) => {
  const index = createKindIndex(filters, new Set(['evt.Meta.service']), noDataFiles);
  const event = eventWith({ service: 'other', log_type: 't1', http_path: '/word1' });
  t.ok(index.candidates(event).includes(1), 'another filter may set the service to s1 before this one is asked');
});

t.test('more kinds than it makes indexes for lose nothing', async (t) => {
  const many = Array.from({ length: 600 }, (_, number) =>
    compiler.compile(`evt.Meta.service == 's${number}' && evt.Meta.http_path contains 'x'`, 'bool'),
  );
  const index = createKindIndex(many, new Set(), noDataFiles);
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 600; number++) {
      const found = index.candidates(eventWith({ service: `s${number}`, http_path: '/x' }));
      if (found.length !== 1 || found[0] !== number) t.fail(`s${number}: ${found.join()}`);
    }
  }
  t.strictSame(index.candidates(eventWith({ service: 'none', http_path: '/x' })), []);
});

t.test('for the hub it finds what the plain index finds', async (t) => {
  const folder = suitePath(t, 'hub/scenarios');
  if (folder === null) return;
  const { scenarios } = await loadItems([folder]);
  const compiled = scenarios.map(({ filter }) => compiler.compile(filter, 'bool'));
  const written = new Set(compiled.flatMap(({ writes }) => [...writes]));
  const plain = createFilterIndex(compiled, written, noDataFiles);
  const byKind = createKindIndex(compiled, written, noDataFiles);
  const events = [
    accessEvent({ target: '/wp-login.php', verb: 'POST', status: '404' }),
    accessEvent({ target: '/?x=%2e%2e/', userAgent: 'sqlmap' }),
    eventWith({ service: 'ssh', log_type: 'ssh_failed-auth', source_ip: '192.0.2.1' }),
    eventWith(
      { service: 'sysmon' },
      { EventID: '1', Image: 'C:\\Windows\\System32\\whoami.exe', CommandLine: 'whoami /all' },
    ),
    eventWith({ log_type: 'execve', exe: '/usr/bin/wget' }),
    eventWith({}),
  ];
  for (const event of events) {
    const found = byKind.candidates(event);
    const isTrue = compiled.flatMap((filter, position) => {
      try {
        return filter.evaluate({ evt: event }) === true ? [position] : [];
      } catch {
        return [];
      }
    });
    t.ok(
      isTrue.every((position) => found.includes(position)),
      `${event.Meta.service} ${event.Meta.log_type}`,
    );
    t.ok(
      found.every((position) => plain.candidates(event).includes(position)),
      'and no more than the plain one',
    );
  }
  t.equal(compiled.length, 846);
});
