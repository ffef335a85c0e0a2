/** IPv6 clients own whole prefixes: what is spread over one /64 is one client, to the scenarios and to the decision. */
import t, { type Test } from 'tap';
import { startTestGateway } from '../support/gateway.ts';
import { type NodeOrigin, startNodeOrigin } from '../support/servers/node-origin.ts';
import { type Control, controlOf, createVisitor } from './visitors.ts';

const secrets = ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd'];

interface Place {
  readonly origin: NodeOrigin;
  readonly control: Control;
  readonly statusOf: (address: string, target?: string) => Promise<number>;
}

async function openPlace(t: Test, client: object = {}): Promise<Place> {
  const origin = await startNodeOrigin(t);
  const { gateway, port } = await startTestGateway(t, {
    origin: origin.origin,
    client: { trustedProxies: ['loopback'], ...client },
  });
  return {
    origin,
    control: controlOf(gateway.controlSocket),
    statusOf: async (address, target = '/') => (await createVisitor(t, port, address).ask(target)).status,
  };
}

async function attackFrom({ statusOf }: Place, addressOf: (index: number) => string): Promise<number[]> {
  const statuses: number[] = [];
  for (const [index, target] of secrets.entries()) statuses.push(await statusOf(addressOf(index), target));
  return statuses;
}

t.test('an attack spread over one /64 is one client, and the whole /64 is refused', async (t) => {
  const place = await openPlace(t);
  const statuses = await attackFrom(place, (index) => `2001:db8:1:1:${index}:${index}::${index + 1}`);
  t.same(statuses, [200, 200, 200, 200, 403]);
  t.match(await place.control.decisions(), [{ scope: 'Range', value: '2001:db8:1:1::/64', type: 'ban' }]);
  t.equal((await place.control.decisions()).length, 1);
  t.match(
    await place.control.alerts(),
    [{ source: { scope: 'Ip', value: '2001:db8:1:1:4:4:0:5' } }],
    'it names the address',
  );
  t.equal((await place.control.alerts()).length, 1);

  const seen = place.origin.requests.length;
  for (const address of ['2001:db8:1:1::', '2001:db8:1:1:ffff:ffff:ffff:ffff', '2001:0DB8:0001:0001::abcd']) {
    t.equal(await place.statusOf(address), 403, address);
  }
  t.equal(place.origin.requests.length, seen);
  for (const address of ['2001:db8:1:0:ffff:ffff:ffff:ffff', '2001:db8:1:2::', '2001:db8:1::1', '198.51.100.1']) {
    t.equal(await place.statusOf(address), 200, `${address}, a neighbour`);
  }
  t.equal(await place.control.lift({ ip: '2001:db8:1:1::77' }), 1, 'lifted by any address in it');
  t.equal(await place.statusOf('2001:db8:1:1::1'), 200);
});

t.test('an attack spread over many /64 is many clients', async (t) => {
  const place = await openPlace(t);
  t.same(await attackFrom(place, (index) => `2001:db8:2:${index}::1`), [200, 200, 200, 200, 200]);
  t.same(await place.control.decisions(), []);
});

t.test('with a prefix of 56 the same attack is one client; with 128 each address is', async (t) => {
  const wide = await openPlace(t, { ipv6Prefix: 56 });
  t.same(await attackFrom(wide, (index) => `2001:db8:3:${index}::1`), [200, 200, 200, 200, 403]);
  t.match(await wide.control.decisions(), [{ scope: 'Range', value: '2001:db8:3::/56' }]);

  const narrow = await openPlace(t, { ipv6Prefix: 128 });
  t.same(await attackFrom(narrow, (index) => `2001:db8:4::${index + 1}`), [200, 200, 200, 200, 200]);
  t.same(await attackFrom(narrow, () => '2001:db8:4::9'), [200, 200, 200, 200, 403]);
  t.match(await narrow.control.decisions(), [{ scope: 'Ip', value: '2001:db8:4::9' }]);
  t.equal(await narrow.statusOf('2001:db8:4::a'), 200);
});

t.test('a mapped address is the IPv4 client that it maps', async (t) => {
  const place = await openPlace(t);
  const spellings = ['::ffff:198.51.100.9', '198.51.100.9', '::ffff:c633:6409', '0:0:0:0:0:FFFF:198.51.100.9'];
  const statuses = await attackFrom(place, (index) => spellings[index % spellings.length] ?? '');
  t.same(statuses, [200, 200, 200, 200, 403]);
  t.match(await place.control.decisions(), [{ scope: 'Ip', value: '198.51.100.9' }]);
  for (const address of spellings) t.equal(await place.statusOf(address), 403, address);
  t.equal(await place.statusOf('::ffff:198.51.100.10'), 200, 'not everybody who is mapped');
});

t.test('a decision by hand about one IPv6 address is about that address', async (t) => {
  const place = await openPlace(t);
  await place.control.ban('Ip', '2001:DB8:5::0001');
  t.equal(await place.statusOf('2001:db8:5::1'), 403);
  t.equal(await place.statusOf('2001:db8:5::2'), 200);
});
