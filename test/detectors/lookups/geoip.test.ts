import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { openGeoDatabases } from '../../../detectors/lookups/geoip.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { writeMmdb } from '../../support/mmdb-writer.ts';

const runtime = { clock: createManualClock(), random: createSystemRandom(), log: createLog('silent') };

const asn = writeMmdb({
  databaseType: 'GeoLite2-ASN',
  ipVersion: 6,
  networks: {
    '203.0.113.0/24': { autonomous_system_number: 64_500, autonomous_system_organization: 'Example Networks' },
    '203.0.113.128/25': { autonomous_system_number: 64_501, autonomous_system_organization: 'Half of Example' },
    '2001:db8::/32': { autonomous_system_number: 64_502, autonomous_system_organization: 'A'.repeat(300) },
  },
});

const city = writeMmdb({
  databaseType: 'GeoLite2-City',
  ipVersion: 6,
  networks: {
    '198.51.100.0/24': {
      country: { iso_code: 'FR', is_in_european_union: true },
      location: { latitude: 48.8582, longitude: 2.3387 },
    },
    '192.0.2.0/24': { registered_country: { iso_code: 'BR' }, location: { latitude: -23.5, longitude: -46.6 } },
    '192.0.3.0/24': { represented_country: { iso_code: 'US' } },
    '192.0.4.0/24': { location: { latitude: 1.5, longitude: 1.5 } },
  },
});

t.test('addresses are found with the network of their record', async (t) => {
  const path = join(t.testdir({ 'asn.mmdb': asn }), 'asn.mmdb');
  const geo = await openGeoDatabases({ asn: path }, runtime);
  t.teardown(() => geo.close());
  t.strictSame(geo.asn('203.0.113.7'), { number: 64_500, organisation: 'Example Networks', range: '203.0.113.0/25' });
  t.strictSame(geo.asn('203.0.113.200'), {
    number: 64_501,
    organisation: 'Half of Example',
    range: '203.0.113.128/25',
  });
  t.equal(geo.asn('2001:db8:1::1')?.number, 64_502);
  t.equal(geo.asn('2001:db8:1::1')?.range, '2001:db8::/32');
  t.equal(geo.asn('2001:db8:1::1')?.organisation.length, 300);
  t.equal(geo.asn('::ffff:203.0.113.7')?.number, 64_500, 'a mapped address is the IPv4 address');
  for (const unknown of ['203.0.114.1', '2001:db9::1', '', 'nobody', '203.0.113']) t.equal(geo.asn(unknown), null);
});

t.test('the country is the own, else the registered, else the represented one', async (t) => {
  const path = join(t.testdir({ 'city.mmdb': city }), 'city.mmdb');
  const geo = await openGeoDatabases({ city: path }, runtime);
  t.teardown(() => geo.close());
  t.equal(geo.country('198.51.100.1'), 'FR');
  t.equal(geo.country('192.0.2.1'), 'BR');
  t.equal(geo.country('192.0.3.1'), 'US');
  t.equal(geo.country('192.0.4.1'), '');
  t.equal(geo.country('192.0.5.1'), '');
  t.strictSame(geo.city('198.51.100.1'), {
    country: 'FR',
    inEuropeanUnion: true,
    latitude: 48.8582,
    longitude: 2.3387,
  });
  t.strictSame(geo.city('192.0.2.9'), { country: 'BR', inEuropeanUnion: false, latitude: -23.5, longitude: -46.6 });
  t.equal(geo.city('192.0.5.1'), null);
  t.equal(geo.asn('198.51.100.1'), null, 'no ASN database, no ASN');
});

t.test('an IPv4 database knows no IPv6 address', async (t) => {
  const country = writeMmdb({
    databaseType: 'GeoLite2-Country',
    ipVersion: 4,
    networks: { '32.0.0.0/3': { country: { iso_code: 'XX' } } },
  });
  const path = join(t.testdir({ 'country.mmdb': country }), 'country.mmdb');
  const geo = await openGeoDatabases({ country: path }, runtime);
  t.teardown(() => geo.close());
  t.equal(geo.country('33.1.2.3'), 'XX');
  t.equal(geo.country('2001:db8::1'), '', 'whose first bits are those of 32.0.0.0/3');
});

t.test('without any database nothing is found', async (t) => {
  const geo = await openGeoDatabases({}, runtime);
  t.equal(geo.country('192.0.2.1'), '');
  t.equal(geo.city('192.0.2.1'), null);
  t.equal(geo.asn('192.0.2.1'), null);
  t.strictSame(await geo.refresh(), []);
  geo.close();
});

t.test('a file that is absent or no database is refused by its path', async (t) => {
  const folder = t.testdir({ 'text.mmdb': 'no database at all' });
  for (const name of ['absent.mmdb', 'text.mmdb']) {
    const path = join(folder, name);
    await t.rejects(openGeoDatabases({ country: path }, runtime), { code: 'GEOIP_UNREADABLE', message: path });
    await openGeoDatabases({ country: path }, runtime).catch((error: unknown) => t.ok(error instanceof GatewayError));
  }
});

t.test('a changed file is read anew, and a damaged one leaves the last good one in use', async (t) => {
  const path = join(t.testdir({ 'asn.mmdb': asn }), 'asn.mmdb');
  const geo = await openGeoDatabases({ asn: path }, runtime);
  t.teardown(() => geo.close());
  t.strictSame(await geo.refresh(), [], 'unchanged');

  const networks = { '203.0.113.0/24': { autonomous_system_number: 65_000, autonomous_system_organization: 'Moved' } };
  await writeFile(path, writeMmdb({ databaseType: 'GeoLite2-ASN', ipVersion: 6, networks }));
  t.strictSame(await geo.refresh(), [path]);
  t.equal(geo.asn('203.0.113.7')?.number, 65_000);

  await writeFile(path, 'half a download');
  t.strictSame(await geo.refresh(), []);
  t.equal(geo.asn('203.0.113.7')?.number, 65_000);

  await rm(path);
  t.strictSame(await geo.refresh(), []);
  t.equal(geo.asn('203.0.113.7')?.number, 65_000);
});
