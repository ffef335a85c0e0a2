import t from 'tap';
import type { Answer } from '../../core/answer-cache.ts';
import type { DnsResolver } from '../../core/dns-resolver.ts';
import { createHostResolver, noHosts } from '../../core/host-resolver.ts';
import { createManualClock } from '../support/manual-clock.ts';

async function answerOf(ask: () => Answer<readonly string[]>): Promise<readonly string[]> {
  const found = ask();
  if (found.kind === 'known') return found.value;
  await found.ready;
  const settled = ask();
  return settled.kind === 'known' ? settled.value : ['still asked'];
}

function hostsOf(forward: DnsResolver['forward'], reverse: DnsResolver['reverse'] = async () => []) {
  return createHostResolver({ clock: createManualClock(), resolver: { forward, reverse } });
}

t.test('a name has the addresses of both families, IPv4 first', async (t) => {
  const asked: string[] = [];
  const hosts = hostsOf(async (name, version) => {
    asked.push(`${name} ${version}`);
    return version === 4 ? ['192.0.2.1'] : ['2001:db8::1'];
  });
  t.strictSame(await answerOf(() => hosts.addresses('Www.Example.org')), ['192.0.2.1', '2001:db8::1']);
  t.strictSame(await answerOf(() => hosts.addresses('www.example.org')), ['192.0.2.1', '2001:db8::1']);
  t.strictSame(asked, ['www.example.org 4', 'www.example.org 6'], 'case makes no other name');
});

t.test('one family that fails does not spoil the other; both failing is no address', async (t) => {
  const half = hostsOf(async (_name, version) => {
    if (version === 6) throw new Error('SERVFAIL');
    return ['192.0.2.1'];
  });
  t.strictSame(await answerOf(() => half.addresses('a.example')), ['192.0.2.1']);
  const none = hostsOf(async () => {
    throw new Error('SERVFAIL');
  });
  t.strictSame(await answerOf(() => none.addresses('a.example')), []);
});

t.test('addresses are their own, and what is no name is not asked for', async (t) => {
  let asked = 0;
  const hosts = hostsOf(async () => {
    asked++;
    return [];
  });
  t.strictSame(hosts.addresses('::FFFF:192.0.2.1'), { kind: 'known', value: ['192.0.2.1'] });
  const hostile = ['', '.', 'a..b', 'a b', 'a/../b', 'x\n', '-'.repeat(300), 'ümlaut.example', '%00', 'a.'.repeat(200)];
  for (const text of hostile) t.strictSame(hosts.addresses(text), { kind: 'known', value: [] }, JSON.stringify(text));
  t.equal(asked, 0);
});

t.test('of thousands of records a few are kept', async (t) => {
  const many = Array.from({ length: 5_000 }, (_, index) => `host-${index}.example`);
  const hosts = hostsOf(
    async () => many,
    async () => many,
  );
  t.equal((await answerOf(() => hosts.names('192.0.2.1'))).length, 16);
  t.equal((await answerOf(() => hosts.addresses('many.example'))).length, 16);
});

t.test('without a DNS nothing has a name, at once', async (t) => {
  t.strictSame(noHosts.names('192.0.2.1'), { kind: 'known', value: [] });
  t.strictSame(noHosts.addresses('example.org'), { kind: 'known', value: [] });
});
