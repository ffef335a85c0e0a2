import t from 'tap';
import { createLog } from '../../core/log.ts';
import { createSystemRandom } from '../../core/random.ts';
import { loadDataFiles } from '../../detectors/documents/data-files.ts';
import { loadItems } from '../../detectors/engine/load-items.ts';
import { createScenarioDetector, type ScenarioDetector } from '../../detectors/scenarios/detector.ts';
import type { ScenarioSpec } from '../../detectors/scenarios/scenario-document.ts';
import { accessEvent, scenarioExpressions } from '../detectors/scenarios/support.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { suitePath } from '../support/suites.ts';

/** Whether a document is one of those that web access events feed. */
function readsWebAccess({ filter }: ScenarioSpec): boolean {
  return /http_access-log|evt\.Meta\.http_(?:path|status)|evt\.Meta\.service == 'http'/.test(filter);
}

/** A detector of nothing but `documents`, whose data files are below `listsPath`. */
async function detectorOf(documents: readonly ScenarioSpec[], listsPath: string): Promise<ScenarioDetector> {
  const clock = createManualClock();
  const { files, faults } = await loadDataFiles(documents, [listsPath]);
  const [fault] = faults;
  if (fault !== undefined) throw fault;
  const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  return createScenarioDetector(
    { documents, ipv6Prefix: 128 },
    { ...runtime, expressions: scenarioExpressions(clock, files), files },
  );
}

t.test('every document of the hub is read, and the web ones load and know their phase', async (t) => {
  const [scenariosPath, listsPath] = [suitePath(t, 'hub/scenarios'), suitePath(t, 'sec-lists/web')];
  if (scenariosPath === null || listsPath === null) return;
  const { scenarios: documents, faults } = await loadItems([scenariosPath]);
  t.strictSame(faults, []);
  t.equal(documents.length, 846);
  const web = documents.filter(readsWebAccess);
  t.equal(web.length, 62);
  const detector = await detectorOf(web, listsPath);
  t.teardown(() => detector.close());
  t.strictSame(
    detector.faults.map(({ error }) => error.message),
    [],
  );
  const count = (phase: string, type: string): number =>
    detector.scenarios.filter((scenario) => scenario.phase === phase && scenario.type === type).length;
  t.strictSame(
    {
      request: [count('request', 'trigger'), count('request', 'leaky')],
      response: [count('response', 'trigger'), count('response', 'leaky')],
    },
    { request: [28, 15], response: [7, 12] },
    '43 need the request only, 19 the response',
  );
});

t.test('all documents of the hub compile', async (t) => {
  const scenariosPath = suitePath(t, 'hub/scenarios');
  if (scenariosPath === null) return;
  const { scenarios: documents } = await loadItems([scenariosPath]);
  const detector = await detectorOf(
    documents.filter(({ data }) => data.length === 0),
    '',
  );
  t.teardown(() => detector.close());
  t.strictSame(
    detector.faults.map(({ error }) => error.message),
    [],
  );
  t.ok(detector.scenarios.length > 800);
});

t.test('ordinary visitors raise no alert', async (t) => {
  const [scenariosPath, listsPath] = [suitePath(t, 'hub/scenarios'), suitePath(t, 'sec-lists/web')];
  if (scenariosPath === null || listsPath === null) return;
  const { scenarios: documents } = await loadItems([scenariosPath]);
  const detector = await detectorOf(documents.filter(readsWebAccess), listsPath);
  t.teardown(() => detector.close());
  const targets = ['/', '/about', '/app.css', '/logo.png', '/search?q=two+words', '/api/items/42', '/contact'];
  for (const [index, target] of targets.entries()) {
    const event = accessEvent({
      target,
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    });
    t.strictSame([...detector.pourRequest(event), ...detector.pourResponse(event)], [], `${index} ${target}`);
  }
  t.equal(detector.counters.filterErrors, 0);
});
