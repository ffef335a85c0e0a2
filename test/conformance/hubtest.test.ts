import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { createSystemRandom } from '../../core/random.ts';
import { createHubTester, type HubTestResult } from '../../detectors/hubtest/hub-tester.ts';
import { writeMmdb } from '../support/mmdb-writer.ts';
import { suitePath } from '../support/suites.ts';

/** Of the hub's tests, those that assert what MaxMind databases say. */
const geographic = [
  'geoip-enrich',
  'magento-ccs-by-as',
  'sshd-impossible-travel',
  'sshd-impossible-travel-user',
  'teleport-impossible-travel',
];

function describe({ name, reason, failures }: HubTestResult): string {
  const shown = failures.slice(0, 5).map(({ file, line, assertion, found, reason: why }) => {
    const value = JSON.stringify(found, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
    return `\n  ${file}:${line} ${assertion} ${why}, found ${value}`;
  });
  return `${name} ${reason}${shown.join('')}${failures.length > 5 ? `\n  and ${failures.length - 5} more` : ''}`;
}

async function runAll(
  folders: { readonly hub: string; readonly dataFolders: readonly string[] },
  chosen?: readonly string[],
): Promise<readonly HubTestResult[]> {
  // Two of the tests have the year of their logs, which do not tell it, in their assertions.
  const clock = { ...systemClock, now: () => Date.UTC(2026, 7, 22) };
  const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  const tester = await createHubTester({ ...folders, tests: join(folders.hub, '.tests') }, runtime);
  const results: HubTestResult[] = [];
  try {
    for (const name of chosen ?? tester.names) results.push(await tester.run(name));
  } finally {
    tester.close();
  }
  return results;
}

function named(results: readonly HubTestResult[], outcome: HubTestResult['outcome']): readonly string[] {
  return results.filter((result) => result.outcome === outcome).map(({ name }) => name);
}

t.test("the hub's own tests pass, those that need MaxMind databases apart", async (t) => {
  const [hub, lists] = [suitePath(t, 'hub'), suitePath(t, 'sec-lists')];
  if (hub === null || lists === null) return;
  const results = await runAll({ hub, dataFolders: [lists] });
  t.strictSame(results.filter(({ outcome }) => outcome === 'failed').map(describe), []);
  t.strictSame(named(results, 'skipped'), geographic);
  t.equal(named(results, 'passed').length, 226);
  t.equal(
    results.reduce((sum, { assertions }) => sum + assertions, 0),
    56_787,
  );
});

/** Records with nothing more in them than the tests assert. The published ones for tests bear "Test" in their names. */
const databases = {
  'GeoLite2-Test-City.mmdb': {
    databaseType: 'GeoLite2-City',
    networks: { '1.2.3.0/24': place('FR', true, 46.000_000_1, 2.000_000_1) },
  },
  'GeoLite2-Test-ASN.mmdb': {
    databaseType: 'GeoLite2-ASN',
    networks: { '1.2.3.0/24': { autonomous_system_number: 4242, autonomous_system_organization: 'Crowdsec' } },
  },
  'GeoLite2-City.mmdb': {
    databaseType: 'GeoLite2-City',
    networks: {
      '1.2.3.0/24': place('AU', false, -33.49, 143.21),
      '9.0.0.0/8': place('US', false, 37.75, -97.82),
    },
  },
  'GeoLite2-ASN.mmdb': {
    databaseType: 'GeoLite2-ASN',
    networks: { '192.0.2.0/24': { autonomous_system_number: 64_496, autonomous_system_organization: 'Example' } },
  },
} as const;

function place(iso_code: string, is_in_european_union: boolean, latitude: number, longitude: number) {
  return { country: { iso_code, is_in_european_union }, location: { latitude, longitude } };
}

t.test('with small databases in their place, those pass too', async (t) => {
  const [hub, lists] = [suitePath(t, 'hub'), suitePath(t, 'sec-lists')];
  if (hub === null || lists === null) return;
  const files = Object.entries(databases).map(([name, options]) => [name, writeMmdb({ ipVersion: 6, ...options })]);
  const folder = t.testdir(Object.fromEntries(files) as Record<string, Buffer>);
  const results = await runAll({ hub, dataFolders: [folder, lists] }, geographic);
  t.strictSame(results.filter(({ outcome }) => outcome !== 'passed').map(describe), []);
  t.equal(
    results.reduce((sum, { assertions }) => sum + assertions, 0),
    514,
  );
});

t.test('docs/compatibility.md names the tests that need databases', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'compatibility.md'), 'utf8');
  for (const name of geographic) t.ok(page.includes(`\`${name}\``), name);
});
