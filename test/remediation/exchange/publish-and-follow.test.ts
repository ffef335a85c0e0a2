import t from 'tap';
import { createSystemRandom } from '../../../core/random.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { createDecisionIndex } from '../../../remediation/index/decision-index.ts';
import { followStore } from '../../../remediation/exchange/follow.ts';
import { createPublisher } from '../../../remediation/exchange/publish.ts';
import { createMemoryStore } from '../../../remediation/store/memory.ts';
import { storeOptions } from '../../../remediation/store/options.ts';
import type { Store } from '../../../remediation/store/store.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { alertOf, collectedLog, decisionOf, ip, settle } from '../support.ts';

/** One gateway: index, history, publisher and follower on a store that it shares. */
async function startGateway(store: Store, clock: ManualClock) {
  const random = createSystemRandom();
  const { log } = collectedLog();
  const index = createDecisionIndex({ clock, random, log });
  const history = createDecisionHistory({ clock });
  const asOf = clock.now();
  history.seed(await store.decisionCounts(0, 1_000), asOf);
  const publisher = createPublisher({ clock, random, log, index, history, store });
  const pending = () => publisher.pendingDecisions();
  const follower = followStore({ clock, random, log, index, history, store, pending });
  await follower.ready;
  const finds = (text: string): boolean => index.lookup({ address: ip(text) }, clock.now()) !== null;
  return { index, history, publisher, follower, finds };
}

t.test('two gateways on one store enforce and lift the same decisions, and a third learns all of it', async (t) => {
  const clock = createManualClock();
  const runtime = { clock, random: createSystemRandom(), log: collectedLog().log };
  const store = createMemoryStore(storeOptions.parse({ type: 'memory' }), runtime);
  const first = await startGateway(store, clock);
  const second = await startGateway(store, clock);

  const alert = alertOf();
  const decision = decisionOf({ value: '198.51.100.7', createdAt: clock.now() + 1, alertUuid: alert.uuid });
  clock.advance(1);
  first.publisher.publish({ alert, decisions: [decision], matched: [] });
  t.ok(first.finds('198.51.100.7'), 'at once where it was made');
  await settle();
  t.ok(second.finds('198.51.100.7'), 'soon elsewhere');
  t.same([first.history.total('198.51.100.7'), second.history.total('198.51.100.7')], [1, 1], 'an echo counts once');
  t.equal(first.index.size.total, 1);

  await second.publisher.allow({
    list: 'default',
    value: '192.0.2.0/24',
    comment: '',
    createdAt: clock.now(),
    until: null,
  });
  await second.publisher.remove([decision]);
  await settle();
  t.notOk(first.finds('198.51.100.7'));
  t.ok(first.index.isAllowed(ip('192.0.2.77')));

  await first.publisher.add([
    decisionOf({ value: '203.0.113.1' }),
    decisionOf({ scope: 'Range', value: '2001:db8::/64' }),
  ]);
  clock.advance(1);
  const third = await startGateway(store, clock);
  t.ok(third.finds('203.0.113.1') && third.finds('2001:db8::1') && third.index.isAllowed(ip('192.0.2.1')));
  t.notOk(third.finds('198.51.100.7'));
  t.equal(third.history.total('198.51.100.7'), 1, 'a lifted decision still counts for escalation');
  t.equal(third.history.total('2001:db8::9'), 1);

  for (const gateway of [first, second, third]) {
    await gateway.publisher.close();
    await gateway.follower.close();
  }
  await store.close();
});
