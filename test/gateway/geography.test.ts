/** Decisions about countries and networks, with MaxMind files; and where alerts say that an attack came from. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../cli/run.ts';
import { startTestGateway } from '../support/gateway.ts';
import { writeMmdb } from '../support/mmdb-writer.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { askAll, type Control, controlOf, createVisitor } from './visitors.ts';

function writeDatabases(t: Test): { country: string; asn: string } {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-mmdb-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const country = (isoCode: string) => ({ country: { iso_code: isoCode } });
  const system = (number: number, name: string) => ({
    autonomous_system_number: number,
    autonomous_system_organization: name,
  });
  const files = {
    country: writeMmdb({
      databaseType: 'GeoLite2-Country',
      ipVersion: 6,
      networks: {
        '198.51.100.0/25': country('DE'),
        '198.51.100.128/25': country('FR'),
        '2001:db8:de::/48': country('DE'),
      },
    }),
    asn: writeMmdb({
      databaseType: 'GeoLite2-ASN',
      ipVersion: 6,
      networks: {
        '198.51.100.0/26': system(64_500, 'Example Hosting'),
        '198.51.100.128/26': system(64_500, 'Example Hosting'),
        '203.0.113.0/24': system(64_501, 'Example Access'),
      },
    }),
  };
  const paths = { country: join(folder, 'country.mmdb'), asn: join(folder, 'asn.mmdb') };
  writeFileSync(paths.country, files.country);
  writeFileSync(paths.asn, files.asn);
  return paths;
}

interface Place {
  readonly control: Control;
  readonly socket: string;
  readonly statusOf: (address: string) => Promise<number>;
  readonly attack: (address: string) => Promise<number[]>;
}

async function openPlace(t: Test): Promise<Place> {
  const origin = await startNodeOrigin(t);
  const { gateway, port } = await startTestGateway(t, { origin: origin.origin, geoip: writeDatabases(t) });
  const secrets = ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd'];
  return {
    control: controlOf(gateway.controlSocket),
    socket: gateway.controlSocket,
    statusOf: async (address) => (await createVisitor(t, port, address).ask('/')).status,
    attack: async (address) =>
      (
        await askAll(
          createVisitor(t, port, address),
          secrets.map((target) => ({ target })),
        )
      ).map(({ status }) => status),
  };
}

/** In DE and FR, of AS 64500 and others, over IPv4 and IPv6, and one that no database knows. */
const german = '198.51.100.70';
const germanHosted = '198.51.100.7';
const frenchHosted = '198.51.100.130';
const french = '198.51.100.250';
const germanSix = '2001:db8:de::1';
const access = '203.0.113.7';
const unknown = '192.0.2.77';
const everybody = [german, germanHosted, frenchHosted, french, germanSix, access, unknown];

t.test('a decision about a country refuses its clients and no others', async (t) => {
  const { socket, statusOf } = await openPlace(t);
  for (const address of everybody) t.equal(await statusOf(address), 200, `${address} before`);
  const added = await run(['decisions', 'add', '--scope', 'Country', '--value', 'de', '--socket', socket]);
  t.equal(added.status, 0, added.stderr);
  for (const address of everybody) {
    const refused = [german, germanHosted, germanSix].includes(address);
    t.equal(await statusOf(address), refused ? 403 : 200, address);
  }
  const why = await run(['why', german, '--socket', socket]);
  t.match(why.stdout, /Country[^]*DE/);
  const lifted = await run(['decisions', 'delete', '--scope', 'Country', '--value', 'DE', '--socket', socket]);
  t.equal(lifted.status, 0, lifted.stderr);
  for (const address of everybody) t.equal(await statusOf(address), 200, `${address} after`);
});

t.test('a decision about a network refuses its clients, whatever their country', async (t) => {
  const { socket, statusOf } = await openPlace(t);
  const added = await run(['decisions', 'add', '--scope', 'AS', '--value', 'AS64500', '--socket', socket]);
  t.equal(added.status, 0, added.stderr);
  for (const address of everybody) {
    const refused = [germanHosted, frenchHosted].includes(address);
    t.equal(await statusOf(address), refused ? 403 : 200, address);
  }
});

t.test('the allowlist wins over a decision about a country', async (t) => {
  const { control, statusOf } = await openPlace(t);
  await control.ban('Country', 'DE');
  await control.allow(german);
  t.equal(await statusOf(german), 200);
  t.equal(await statusOf(germanHosted), 403);
});

t.test('an alert says from which country and network the attack came', async (t) => {
  const { control, socket, attack } = await openPlace(t);
  t.equal((await attack(germanHosted)).at(-1), 403);
  t.equal((await attack(access)).at(-1), 403);
  t.equal((await attack(unknown)).at(-1), 403);
  t.match(await control.alerts({ ip: germanHosted }), [
    { source: { cn: 'DE', as_number: '64500', as_name: 'Example Hosting' } },
  ]);
  t.match(await control.alerts({ ip: access }), [
    { source: { cn: '', as_number: '64501', as_name: 'Example Access' } },
  ]);
  t.match(await control.alerts({ ip: unknown }), [{ source: { cn: '', as_number: '', as_name: '' } }]);
  t.match(await control.decisions({ ip: germanHosted }), [{ scope: 'Ip', country: 'DE', as: '64500 Example Hosting' }]);
  const listed = await run(['alerts', 'list', '--socket', socket], { columns: 200 });
  t.match(listed.stdout, / 198\.51\.100\.7 [^\n]* DE /);
});
