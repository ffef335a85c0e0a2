import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { createLog } from '../../core/log.ts';
import { createSystemRandom } from '../../core/random.ts';
import type { Alert } from '../../detectors/alert.ts';
import { loadDataFiles } from '../../detectors/documents/data-files.ts';
import { createScenarioDetector, type ScenarioDetector } from '../../detectors/scenarios/detector.ts';
import { alertsIn } from '../../detectors/scenarios/overflow.ts';
import { loadScenarioFolder } from '../../detectors/scenarios/load-scenarios.ts';
import type { ScenarioSpec } from '../../detectors/scenarios/scenario-document.ts';
import { accessEvent, accessEventOfLine, readsWebAccess, scenarioExpressions } from '../detectors/scenarios/support.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { suitePath } from '../support/suites.ts';

/** The path of a suite; null, with a skip counted (a failure under CI), when it is absent. */
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
  const { documents, faults } = await loadScenarioFolder(scenariosPath);
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
  const { documents } = await loadScenarioFolder(scenariosPath);
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
  const { documents } = await loadScenarioFolder(scenariosPath);
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

/** What one folder of `.tests` says. */
interface HubTest {
  readonly scenarios?: readonly string[];
  readonly postoverflows?: readonly string[];
  readonly log_file: string;
  readonly log_type: string;
}

/** `results[0].Overflow.….Events[1].GetMeta("http_path") == "/x"`, and the other shapes that matter here. */
const assertions = {
  results: /^len\(results\) == (\d+)$/,
  source: /^"([^"]+)" in results\[(\d+)\]\.Overflow\.GetSources\(\)$/,
  scenario: /^results\[(\d+)\]\.Overflow\.Alert\.GetScenario\(\) == "([^"]+)"$/,
  count: /^results\[(\d+)\]\.Overflow\.Alert\.GetEventsCount\(\) == (\d+)$/,
  remediation: /^results\[(\d+)\]\.Overflow\.Alert\.Remediation == (true|false)$/,
  value: /^results\[(\d+)\]\.Overflow\.Sources\["[^"]+"\]\.GetValue\(\) == "([^"]+)"$/,
  scope: /^results\[(\d+)\]\.Overflow\.Sources\["[^"]+"\]\.GetScope\(\) == "([^"]+)"$/,
  meta: /^results\[(\d+)\]\.Overflow\.Alert\.Events\[(\d+)\]\.GetMeta\("([^"]+)"\) == (".*")$/,
};

/** True or false as the line says, null when it is of a shape that is not looked at. */
function holds(line: string, results: readonly Alert[]): boolean | null {
  const found = (shape: keyof typeof assertions): readonly string[] | undefined =>
    assertions[shape].exec(line)?.slice(1);
  const result = (index: string | undefined): Alert | undefined => results[Number(index)];
  let parts = found('results');
  if (parts) return results.length === Number(parts[0]);
  parts = found('source');
  if (parts) return result(parts[1])?.source.value === parts[0];
  parts = found('scenario');
  if (parts) return result(parts[0])?.scenario === parts[1];
  parts = found('count');
  if (parts) return result(parts[0])?.eventsCount === Number(parts[1]);
  parts = found('remediation');
  if (parts) return String(result(parts[0])?.remediation) === parts[1];
  parts = found('value');
  if (parts) return result(parts[0])?.source.value === parts[1];
  parts = found('scope');
  if (parts) return result(parts[0])?.source.scope === parts[1];
  parts = found('meta');
  if (!parts) return null;
  const [index, event, key, expected = ''] = parts;
  const meta = result(index)?.events[Number(event)]?.meta;
  return (meta?.find((each) => each.key === key)?.value ?? '') === JSON.parse(expected);
}

/** As hubtest sorts: descending by scenario and sources. */
function sorted(alerts: readonly Alert[]): readonly Alert[] {
  const key = ({ scenario, source }: Alert): string => `${scenario}${source.value}`;
  return alerts.toSorted((a, b) => (key(a) > key(b) ? -1 : Number(key(a) < key(b))));
}

t.test("the hub's own tests hold on lines in the common and combined formats", async (t) => {
  const [scenariosPath, listsPath] = [suitePath(t, 'hub/scenarios'), suitePath(t, 'sec-lists/web')];
  const testsPath = suitePath(t, 'hub/.tests');
  if (scenariosPath === null || listsPath === null || testsPath === null) return;
  const { documents } = await loadScenarioFolder(scenariosPath);
  const web = documents.filter(readsWebAccess);
  let [folders, lines, checked] = [0, 0, 0];
  const leftOut: string[] = [];
  for (const name of readdirSync(testsPath).sort()) {
    const folder = join(testsPath, name);
    if (!existsSync(join(folder, 'config.yaml'))) continue;
    const config = parse(readFileSync(join(folder, 'config.yaml'), 'utf8')) as HubTest;
    const wanted = (config.scenarios ?? []).filter((path) => path !== '');
    const used = web.filter(({ file }) =>
      wanted.some((path) => file.includes(`${path.replace('./scenarios/', '').replace(/\.yaml$/, '')}.yaml`)),
    );
    if (used.length === 0) continue;
    const events = readFileSync(join(folder, config.log_file), 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => accessEventOfLine(line));
    const other = events.includes(null) || (config.postoverflows ?? []).some((path) => path !== '');
    if (other) {
      leftOut.push(name);
      continue;
    }
    const detector = await detectorOf(used, listsPath);
    const results = sorted(
      events.flatMap((event) => {
        if (event === null) return [];
        Object.assign(event.Meta, { datasource_path: config.log_file, datasource_type: 'file' });
        return alertsIn(detector.pour(event));
      }),
    );
    detector.close();
    folders++;
    lines += events.length;
    for (const line of readFileSync(join(folder, 'scenario.assert'), 'utf8').split('\n')) {
      const held = holds(line.trim(), results);
      if (held === null) continue;
      checked++;
      if (!held) t.fail(`${name}: ${line}`);
    }
  }
  t.equal(leftOut.length, 8, `left to the tests of parsers and postoverflows: ${leftOut.join(', ')}`);
  t.strictSame({ folders, lines, checked }, { folders: 38, lines: 374, checked: 2_202 });
});
