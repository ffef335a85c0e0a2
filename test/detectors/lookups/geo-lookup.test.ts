import { join } from 'node:path';
import t from 'tap';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { createExpressionCompiler } from '../../../detectors/expr/compile.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { eventEnvironment } from '../../../detectors/expr/environment.ts';
import { createGeoLookup } from '../../../detectors/lookups/geo-lookup.ts';
import { openGeoDatabases } from '../../../detectors/lookups/geoip.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { writeMmdb } from '../../support/mmdb-writer.ts';

const clock = createManualClock();
const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };

const city = writeMmdb({
  databaseType: 'GeoLite2-City',
  ipVersion: 6,
  networks: {
    '198.51.100.0/24': {
      city: { geoname_id: 2_988_507, names: { en: 'Paris' } },
      country: { iso_code: 'FR', is_in_european_union: true },
      location: { latitude: 48.8582, longitude: 2.3387, time_zone: 'Europe/Paris' },
    },
  },
});
const asn = writeMmdb({
  databaseType: 'GeoLite2-ASN',
  ipVersion: 4,
  networks: { '198.51.100.0/25': { autonomous_system_number: 64_500, autonomous_system_organization: 'Example' } },
});

t.test('expressions read MaxMind records by their Go names', async (t) => {
  const folder = t.testdir({ 'city.mmdb': city, 'asn.mmdb': asn });
  const geo = await openGeoDatabases({ city: join(folder, 'city.mmdb'), asn: join(folder, 'asn.mmdb') }, runtime);
  t.teardown(() => geo.close());
  const helpers = {
    clock,
    files: noDataFiles,
    regex: (pattern: string) => new RegExp(pattern),
    geo: createGeoLookup(geo),
  };
  const compiler = createExpressionCompiler({ environment: eventEnvironment, helpers });
  const cases: readonly (readonly [expression: string, value: unknown])[] = [
    ['GeoIPEnrich("198.51.100.1").Country.IsoCode', 'FR'],
    ['GeoIPEnrich("198.51.100.1").Country.IsInEuropeanUnion', true],
    ['GeoIPEnrich("198.51.100.1").City.Names.en', 'Paris'],
    ['GeoIPEnrich("198.51.100.1").City.GeoNameID', 2_988_507n],
    ['GeoIPEnrich("198.51.100.1").Location.TimeZone', 'Europe/Paris'],
    ['GeoIPEnrich("198.51.100.1").Location.MetroCode', 0n],
    ['GeoIPEnrich("198.51.100.1").RegisteredCountry.IsoCode', ''],
    ['GeoIPEnrich("192.0.2.1") == nil', true],
    ['GeoIPASNEnrich("198.51.100.1").AutonomousSystemNumber', 64_500n],
    ['GeoIPASNEnrich("198.51.100.1").AutonomousSystemOrganization', 'Example'],
    ['GeoIPASNEnrich("198.51.100.200")', null],
    ['GeoIPRangeEnrich("198.51.100.1")', '198.51.100.0/25'],
    ['IPToCountry("198.51.100.1")', 'FR'],
    ['IPToCountry("192.0.2.1")', ''],
  ];
  for (const [expression, value] of cases) {
    t.strictSame(compiler.compile(expression, 'any').evaluate({}), value, expression);
  }
  t.equal(cases.length, 14);
});
