/** Collections that outlive a transaction. */
import t from 'tap';
import { PersistentStore } from '../../../../detectors/waf/engine/persistent-store.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { ids, world } from './world.ts';

t.test('values of a client are there in its next request', async (t) => {
  const { run } = world(`
SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.hits=+1"
SecRule IP:hits "@gt 2" "id:2,phase:1,pass,log,logdata:'%{ip.hits}'"`);
  t.same(ids(run()), []);
  t.same(ids(run({ client: '192.0.2.9' })), []);
  t.same(ids(run()), []);
  t.equal(run().matches[0]?.logdata, '3');
  t.same(ids(run({ client: '192.0.2.9' })), []);
});

t.test('without initcol there is no collection', async (t) => {
  const { run } = world(`
SecAction "id:1,phase:1,pass,nolog,setvar:ip.hits=+1"
SecRule &IP "@eq 0" "id:2,phase:1,pass,log"`);
  t.same(ids(run()), [2]);
  t.same(ids(run()), [2]);
});

t.test('expirevar ends a block', async (t) => {
  const { run, clock } = world(`
SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}"
SecRule IP:reput_block_flag "@eq 1" "id:2,phase:1,deny,log"
SecRule ARGS "@contains bad" "id:3,phase:1,pass,log,setvar:ip.reput_block_flag=1,expirevar:ip.reput_block_flag=300"`);
  t.same(ids(run({ target: '/?a=bad' })), [3]);
  t.equal(run().verdict?.ruleId, 2);
  clock.advance(299_000);
  t.equal(run().verdict?.ruleId, 2);
  clock.advance(1_000);
  t.equal(run().verdict, null);
});

t.test('a collection is forgotten when nothing changes it for its timeout', async (t) => {
  const { run, clock } = world(
    `
SecAction "id:1,phase:1,pass,nolog,initcol:global=all"
SecRule ARGS:set "@eq 1" "id:2,phase:1,pass,nolog,setvar:global.known=1"
SecRule GLOBAL:known "@eq 1" "id:3,phase:1,pass,log"`,
    { collectionTimeout: 60 },
  );
  t.same(ids(run({ target: '/?set=1' })), [3]);
  clock.advance(59_000);
  t.same(ids(run()), [3]);
  clock.advance(1_000);
  t.same(ids(run()), []);
});

t.test('the store is bounded: records used longest ago go first', async (t) => {
  const store = new PersistentStore(createManualClock(), 2);
  const open = (key: string): string | null => {
    const record = store.open('IP', key, 60);
    const before = record.get('seen');
    record.set('seen', '1');
    return before;
  };
  t.same(['a', 'b', 'a', 'c', 'a', 'b'].map(open), [null, null, '1', null, '1', null]);
  t.equal(store.size, 2);
});
