/**
 * What of CrowdSec's documents and decisions the gateway does not do yet: it says so by name, does the rest, and takes
 * nothing for something weaker. `docs/compatibility.md` lists the same; a case leaves this file when it works.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DecisionAdded } from '../../gateway/admin/models.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { temporaryFolder } from '../support/servers/process.ts';
import { controlOf, createVisitor } from './visitors.ts';

const head = (name: string, type: string, filter: string): string[] => [
  `type: ${type}`,
  `name: example/${name}`,
  'description: An example',
  `filter: ${JSON.stringify(filter)}`,
  'groupby: evt.Meta.source_ip',
  'labels: { service: http, remediation: true }',
];
/** Calls of helpers that no scenario can make: those that ask other servers, and those whose dependency is not there yet. */
const helpers: readonly string[] = [
  `len(LookupHost('x')) > 0`,
  `MatchKnownBot('1.2.3.4', 'ua', '/', 'bots') != nil`,
  `HTTPGet('http://x') != nil`,
  `HTTPHead('http://x') != nil`,
  `HTTPPost('http://x', 'text/plain', '') != nil`,
  `HTTPRequest('GET', 'http://x', {}, '') != nil`,
  `CrowdsecCTI('1.2.3.4') != nil`,
  `LibInjectionIsSQLI('x')`,
  `LibInjectionIsXSS('x')`,
  `SendAlert() == nil`,
];

async function startWith(t: Test, documents: Readonly<Record<string, readonly string[]>>) {
  const folder = await temporaryFolder(t, 'scenarios');
  for (const [name, lines] of Object.entries(documents)) writeFileSync(join(folder, `${name}.yaml`), lines.join('\n'));
  const origin = await startNodeOrigin(t);
  const tested = await startTestGateway(t, {
    origin: origin.origin,
    detection: { builtin: false, folders: [folder] },
  });
  const faults = tested.log.flatMap(({ code, msg }) => (code === 'SCENARIO_INVALID' ? [String(msg)] : []));
  return { tested, faults, control: controlOf(tested.gateway.controlSocket) };
}

const good = [...head('teapot', 'trigger', "evt.Parsed.request == '/teapot'")];

t.test('helpers: a scenario that calls one is refused by its name', async (t) => {
  const documents = helpers.map((filter, index) => [`helper-${index}`, head(`helper-${index}`, 'trigger', filter)]);
  const { tested, faults, control } = await startWith(t, { ...Object.fromEntries(documents), good });
  for (const [index, filter] of helpers.entries()) {
    const name = /([A-Z]\w+)\(/.exec(filter)?.[1] ?? '';
    const told = faults.filter((fault) => fault.includes(`example/helper-${index}:`));
    t.equal(told.length, 1, filter);
    t.match(told[0], `${name} cannot be used here`, name);
  }
  t.equal(faults.length, 10);
  t.match(await control.ask('GET', '/v1/status'), { state: 'degraded', scenarios: { loaded: 1, faults: 10 } });
  t.equal((await createVisitor(t, tested.port, '198.51.100.1').ask('/teapot')).status, 403, 'the other documents run');
});

t.test('decisions: captcha and unknown words are bans, and a scope of your own reaches no request', async (t) => {
  const { tested, control } = await startWith(t, { good });
  const statusOf = async (address: string): Promise<number> =>
    (await createVisitor(t, tested.port, address).ask('/', { headers: { cookie: 'session=abc' } })).status;
  await control.ban('Ip', '198.51.100.2', { type: 'captcha' });
  t.equal(await statusOf('198.51.100.2'), 403);
  t.equal(await statusOf('198.51.100.2'), 403);
  const notices = tested.log.filter(({ msg }) => String(msg).startsWith('captcha decisions are enforced as bans'));
  t.equal(notices.length, 1, 'said once');

  const body = { scope: 'Ip', value: '198.51.100.3', type: 'tarpit', duration: '1h' };
  const added = await control.ask<DecisionAdded>('POST', '/v1/decisions', {}, body);
  t.match(added.warnings.join(), /"tarpit" is no remediation that is known: it is enforced as a ban/);
  t.equal(await statusOf('198.51.100.3'), 403);

  await control.ban('session', 'abc');
  t.match(await control.decisions({ scope: 'session' }), [{ scope: 'session', value: 'abc', active: true }]);
  t.equal(await statusOf('198.51.100.4'), 200);
});
