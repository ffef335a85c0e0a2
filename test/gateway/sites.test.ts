/** Which site a Host is for. */
import t from 'tap';
import { createSiteTable, hostName, type Site } from '../../gateway/sites.ts';

const site = (name: string, hosts: readonly string[]): Site =>
  ({ name, hosts, origin: 'http://o', mode: 'block' }) as unknown as Site;

t.test('exact names win over wildcards, longer wildcards over shorter', async (t) => {
  const table = createSiteTable(
    [
      site('wide', ['*.example.com']),
      site('deep', ['*.shop.example.com']),
      site('exact', ['a.shop.example.com', 'example.com']),
    ],
    site('default', []),
  );
  const expected = {
    'example.com': 'exact',
    'EXAMPLE.com:8080': 'exact',
    'example.com.': 'exact',
    'a.shop.example.com': 'exact',
    'b.shop.example.com': 'deep',
    'www.example.com': 'wide',
    'badexample.com': 'default',
    '': 'default',
  };
  for (const [host, name] of Object.entries(expected)) {
    t.equal(table.find(host)?.name, name, host);
    t.equal(table.find(host)?.name, name, `${host}, remembered`);
  }
});

t.test('without a default an unknown name has no site, however often it is asked', async (t) => {
  const table = createSiteTable([site('a', ['a'])], null);
  for (let index = 0; index < 5_000; index++) t.equal(table.find(`x${index}`) ?? null, null);
  t.equal(table.find('a')?.name, 'a');
});

t.test('the name in a Host header', async (t) => {
  t.equal(hostName('[2001:DB8::1]:80'), '[2001:db8::1]');
  t.equal(hostName('Example.COM.'), 'example.com');
});
