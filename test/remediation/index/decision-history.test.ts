import t from 'tap';
import { mirroredPrefix } from '../../../remediation/decision.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { decisionOf } from '../support.ts';

const hour = 3_600_000;

t.test('decisions count once each, simulated and foreign ones not', async (t) => {
  const clock = createManualClock();
  const history = createDecisionHistory({ clock });
  const decision = decisionOf();
  history.record(decision);
  history.record(decision);
  history.record(decisionOf({ simulated: true }));
  history.record(decisionOf({ origin: 'CAPI' }));
  history.record(decisionOf({ uuid: `${mirroredPrefix}upstream/12` }));
  history.record(decisionOf({ origin: 'crowdsec/own' }));
  t.equal(history.total('192.0.2.1'), 2);
  t.equal(history.total('192.0.2.2'), 0);
});

t.test('an IPv6 client is counted by its prefix, whichever way it is named', async (t) => {
  const clock = createManualClock();
  const history = createDecisionHistory({ clock });
  history.record(decisionOf({ scope: 'Range', value: '2001:db8::/64' }));
  t.equal(history.total('2001:db8::5'), 1);
  t.equal(history.total('2001:db8::/64'), 1);
  t.equal(history.total('2001:db8:0:1::5'), 0);
  const literal = createDecisionHistory({ clock, ipv6Prefix: 128 });
  literal.record(decisionOf({ value: '2001:db8::5' }));
  t.same([literal.total('2001:db8::5'), literal.total('2001:db8::6')], [1, 0]);
});

t.test('active decisions end by expiry or by being lifted, and go on to count', async (t) => {
  const clock = createManualClock();
  const history = createDecisionHistory({ clock });
  const short = decisionOf({ until: clock.now() + hour });
  const long = decisionOf({ until: clock.now() + 4 * hour });
  history.record(short);
  history.record(long);
  t.same([history.active('192.0.2.1'), history.activeTimeLeftMs('192.0.2.1')], [2, 4 * hour]);
  history.lift(long);
  t.same([history.active('192.0.2.1'), history.activeTimeLeftMs('192.0.2.1')], [1, hour]);
  clock.advance(hour);
  t.same([history.active('192.0.2.1'), history.activeTimeLeftMs('192.0.2.1')], [0, 0]);
  t.equal(history.total('192.0.2.1'), 2);
});

t.test('what the store counted is not counted again when the snapshot brings it', async (t) => {
  const clock = createManualClock();
  const history = createDecisionHistory({ clock });
  const earlier = decisionOf({ createdAt: clock.now() - hour });
  history.seed([{ value: '192.0.2.1', count: 3 }], clock.now());
  history.record(earlier);
  t.equal(history.total('192.0.2.1'), 3);
  t.equal(history.active('192.0.2.1'), 1);
  clock.advance(1);
  history.record(decisionOf({ createdAt: clock.now() }));
  t.equal(history.total('192.0.2.1'), 4);
});

t.test('counts since a time', async (t) => {
  const clock = createManualClock();
  const history = createDecisionHistory({ clock });
  for (const ago of [5, 3, 1]) history.record(decisionOf({ createdAt: clock.now() - ago * hour }));
  t.equal(history.since('192.0.2.1', clock.now() - 3 * hour), 2);
  t.equal(history.since('192.0.2.9', 0), 0);
});

t.test(
  'bounded: the values offended with longest ago go first, of one value old decisions become a number',
  async (t) => {
    const clock = createManualClock();
    const history = createDecisionHistory({ clock, maxValues: 3 });
    history.seed(
      [
        { value: 'new', count: 1 },
        { value: 'old', count: 1 },
      ],
      clock.now() - 1,
    );
    for (const value of ['a', 'b']) history.record(decisionOf({ value }));
    t.equal(history.size, 3);
    t.same([history.total('old'), history.total('new'), history.total('b')], [0, 1, 1]);
    for (let n = 0; n < 100; n++) history.record(decisionOf({ value: 'b' }));
    t.equal(history.total('b'), 101);
    t.equal(history.active('b'), 32);
  },
);
