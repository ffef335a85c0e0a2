/** `ctl`: what one transaction changes for itself. */
import t from 'tap';
import { ids, world } from './world.ts';

t.test('rules are removed by id, range, tag and message, for one transaction', async (t) => {
  const { run } = world(`
SecRule ARGS:go "@streq id" "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=11"
SecRule ARGS:go "@streq range" "id:2,phase:1,pass,nolog,ctl:ruleRemoveById=11-12"
SecRule ARGS:go "@streq tag" "id:3,phase:1,pass,nolog,ctl:ruleRemoveByTag=attack-sqli"
SecRule ARGS:go "@streq msg" "id:4,phase:1,pass,nolog,ctl:ruleRemoveByMsg=Twelve"
SecAction "id:11,phase:1,pass,log,tag:'attack-sqli'"
SecAction "id:12,phase:1,pass,log,msg:'Number Twelve'"
SecAction "id:13,phase:2,pass,log,tag:'attack-sqli'"`);
  t.same(ids(run({ target: '/?go=id' })), [12, 13]);
  t.same(ids(run({ target: '/?go=range' })), [13]);
  t.same(ids(run({ target: '/?go=tag' })), [12]);
  t.same(ids(run({ target: '/?go=msg' })), [11, 13]);
  t.same(ids(run()), [11, 12, 13], 'the next request has them again');
});

t.test('targets are removed from rules and from the rest of their chains', async (t) => {
  const { run } = world(`
SecRule ARGS:go "@streq one" "id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=11;ARGS:token"
SecRule ARGS:go "@streq many" "id:2,phase:1,pass,nolog,ctl:ruleRemoveTargetByTag=sqli;ARGS:/^t/"
SecRule ARGS:go "@streq all" "id:3,phase:1,pass,nolog,ctl:ruleRemoveTargetById=11-12;REQUEST_HEADERS"
SecRule ARGS|REQUEST_HEADERS "@contains bad" "id:11,phase:1,pass,log,tag:'sqli'"
SecRule REQUEST_METHOD "@streq GET" "id:12,phase:1,pass,log,tag:'sqli',chain"
  SecRule ARGS|REQUEST_HEADERS "@contains bad"`);
  t.same(ids(run({ target: '/?token=bad' })), [11, 12]);
  t.same(ids(run({ target: '/?go=one&TOKEN=bad' })), [12]);
  t.same(ids(run({ target: '/?go=one&token=bad&other=bad' })), [11, 12]);
  t.same(ids(run({ target: '/?go=many&token=bad' })), []);
  t.same(ids(run({ target: '/?go=all', headers: ['X-A', 'bad'] })), []);
  t.same(ids(run({ target: '/?go=all&a=bad' })), [11, 12]);
});

t.test('a value that was removed from a rule is looked at again in the next request', async (t) => {
  const { run } = world(`
SecRule ARGS:go "@eq 1" "id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=2;ARGS:x"
SecRule ARGS "@contains bad" "id:2,phase:1,pass,log"`);
  t.same(ids(run({ target: '/?go=1&x=bad' })), []);
  t.same(ids(run({ target: '/?go=0&x=bad' })), [2]);
});

t.test('the engine is turned down or off from there on', async (t) => {
  const { run } = world(`
SecRule ARGS:go "@streq off" "id:1,phase:1,pass,nolog,ctl:ruleEngine=Off"
SecRule ARGS:go "@streq detect" "id:2,phase:1,pass,nolog,ctl:ruleEngine=DetectionOnly"
SecAction "id:3,phase:1,pass,log"
SecAction "id:4,phase:2,deny,log"
SecAction "id:5,phase:5,pass,log"`);
  t.same(ids(run({ target: '/?go=off' })), []);
  const detecting = run({ target: '/?go=detect' });
  t.same(ids(detecting), [3, 4, 5]);
  t.equal(detecting.verdict, null);
  t.equal(run().verdict?.ruleId, 4);
});

t.test('rule sets and transactions are changed from outside', async (t) => {
  const text = `
SecAction "id:1,phase:1,pass,log,tag:'a.b',msg:'One'"
SecAction "id:2,phase:1,pass,log,tag:'axb',msg:'Two'"
SecAction "id:3,phase:1,pass,log,msg:'Three'"`;
  const { rules, run, clock } = world(text);
  t.equal(rules.removeByTag('a.b'), 1, 'the tag as it is, not as a pattern');
  t.equal(rules.removeById(9), 0);
  t.same(ids(run()), [2, 3]);
  t.equal(rules.removeByMsg('Three'), 1);
  t.same(ids(run()), [2]);
  const transaction = rules.begin({
    id: '',
    clientAddress: '192.0.2.1',
    clientPort: 1,
    serverAddress: '',
    serverPort: 80,
    method: 'GET',
    target: '/',
    protocol: 'HTTP/1.1',
    headers: [],
    startedAt: clock.now(),
  });
  transaction.removeById(2);
  transaction.processRequestHeaders();
  t.same(ids(transaction), []);
  transaction.interrupt({ action: 'deny', ruleId: 7, phase: 1, status: 403, url: '' });
  t.equal(transaction.processRequestBody(null, true)?.ruleId, 7);
});
