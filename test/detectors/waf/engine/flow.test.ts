/** Which rule is next, and what ends a transaction. */
import t from 'tap';
import { ids, world } from './world.ts';

t.test('skipping', async (t) => {
  t.test('skipAfter goes on behind the marker, in its own phase only', async (t) => {
    const { run } = world(`
SecRule ARGS:skip "@eq 1" "id:1,phase:1,pass,nolog,skipAfter:END"
SecAction "id:2,phase:1,pass,log"
SecAction "id:3,phase:2,pass,log"
SecMarker END
SecAction "id:4,phase:1,pass,log"
SecAction "id:5,phase:2,pass,log"`);
    t.same(ids(run({ target: '/?skip=1' })), [4, 3, 5]);
    t.same(ids(run({ target: '/?skip=0' })), [2, 4, 3, 5]);
  });

  t.test('of two markers with one name the next one counts', async (t) => {
    const { run } = world(`
SecMarker M
SecAction "id:1,phase:1,pass,log,skipAfter:M"
SecAction "id:2,phase:1,pass,log"
SecMarker M
SecAction "id:3,phase:1,pass,log"
SecMarker M`);
    t.same(ids(run()), [1, 3]);
  });

  t.test('behind the last rule there is nothing', async (t) => {
    const { run } = world(`
SecMarker M
SecAction "id:1,phase:1,pass,log,skipAfter:M"
SecAction "id:2,phase:1,pass,log"
SecAction "id:3,phase:2,pass,log,skip:1000"
SecAction "id:4,phase:2,pass,log"`);
    t.same(ids(run()), [1, 3]);
  });

  t.test('skip counts a chain as one rule', async (t) => {
    const { run } = world(`
SecAction "id:1,phase:1,pass,log,skip:2"
SecRule REQUEST_METHOD "@streq GET" "id:2,phase:1,pass,log,chain"
  SecRule REQUEST_METHOD "@streq GET"
SecAction "id:3,phase:1,pass,log"
SecAction "id:4,phase:1,pass,log"`);
    t.same(ids(run()), [1, 4]);
  });

  t.test('a chain that does not match skips nothing', async (t) => {
    const { run } = world(`
SecRule REQUEST_METHOD "@streq GET" "id:1,phase:1,pass,nolog,skip:1,chain"
  SecRule ARGS:x "@eq 1"
SecAction "id:2,phase:1,pass,log"`);
    t.same(ids(run()), [2]);
    t.same(ids(run({ target: '/?x=1' })), []);
  });

  t.test('rules that sleep are skipped over like others', async (t) => {
    const { run } = world(`
SecAction "id:1,phase:1,pass,nolog,skip:2"
SecRule ARGS "@rx never-there" "id:2,phase:1,pass,log"
SecRule ARGS "@rx here" "id:3,phase:1,pass,log"
SecRule ARGS "@rx here" "id:4,phase:1,pass,log"`);
    t.same(ids(run({ target: '/?x=here' })), [4]);
  });
});

t.test('disruptive actions', async (t) => {
  t.test('deny ends the phase and the transaction, but for phase 5', async (t) => {
    const { run } = world(`
SecRule ARGS "@contains bad" "id:1,phase:1,deny,status:406,log"
SecAction "id:2,phase:1,pass,log"
SecAction "id:3,phase:2,pass,log"
SecAction "id:4,phase:5,pass,log"`);
    const transaction = run({ target: '/?a=bad' });
    t.same(transaction.verdict, { action: 'deny', ruleId: 1, phase: 1, status: 406, url: '' });
    t.same(ids(transaction), [1, 4]);
    t.ok(transaction.matches[0]?.disruptive);
    t.equal(run().verdict, null);
  });

  t.test('deny without a status is 403; a redirect has its address', async (t) => {
    const { run } = world(`
SecRule ARGS:a "@eq 1" "id:1,phase:1,deny,log"
SecRule ARGS:a "@eq 2" "id:2,phase:1,redirect:'https://example.org/%{ARGS.to}',log"
SecRule ARGS:a "@eq 3" "id:3,phase:1,drop,log"`);
    t.match(run({ target: '/?a=1' }).verdict, { action: 'deny', status: 403 });
    t.match(run({ target: '/?a=2&to=x' }).verdict, { action: 'redirect', status: 302, url: 'https://example.org/x' });
    t.match(run({ target: '/?a=3' }).verdict, { action: 'drop' });
  });

  t.test('block is what the default action of the phase says', async (t) => {
    const rules = `SecRule ARGS "@contains bad" "id:1,phase:2,block,log"`;
    t.equal(world(rules).run({ target: '/?a=bad' }).verdict?.ruleId ?? 0, 0, 'pass where nothing is said');
    const denying = world(`SecDefaultAction "phase:2,log,deny,status:418"\n${rules}`);
    t.match(denying.run({ target: '/?a=bad' }).verdict, { ruleId: 1, status: 418 });
  });

  t.test('detection only: nothing is enforced, markers and controls work', async (t) => {
    const { run } = world(
      `
SecAction "id:1,phase:1,deny,log,skipAfter:M"
SecAction "id:2,phase:1,pass,log"
SecMarker M
SecAction "id:3,phase:1,pass,log,ctl:ruleRemoveById=4"
SecAction "id:4,phase:2,deny,log"
SecAction "id:5,phase:2,deny,log"`,
      { mode: 'detection-only' },
    );
    const transaction = run();
    t.same(ids(transaction), [1, 3, 5]);
    t.equal(transaction.verdict, null);
    t.ok(transaction.matches[0]?.disruptive, 'what would have happened is told');
  });

  t.test('off runs nothing', async (t) => {
    const { run } = world('SecAction "id:1,phase:1,deny,log"', { mode: 'off' });
    const transaction = run();
    t.same(ids(transaction), []);
    t.notOk(transaction.wantsRequestBody);
  });
});

t.test('allow', async (t) => {
  const rules = (scope: string): string => `
SecRule ARGS "@contains friend" "id:1,phase:1,${scope},log"
SecAction "id:2,phase:1,pass,log"
SecAction "id:3,phase:2,pass,log"
SecAction "id:4,phase:3,pass,log"
SecAction "id:5,phase:5,pass,log"`;
  const request = { target: '/?a=friend', response: { status: 200, protocol: 'HTTP/1.1', headers: [] } };
  t.same(ids(world(rules('allow')).run(request)), [1, 5], 'everything but the last phase');
  t.same(ids(world(rules('allow:request')).run(request)), [1, 4, 5], 'the phases of the request');
  t.same(ids(world(rules('allow:phase')).run(request)), [1, 3, 4, 5], 'this phase');
  t.same(ids(world(rules('allow')).run()), [2, 3, 5], 'not this request');
});

t.test('early blocking, as the Core Rule Set has it', async (t) => {
  const { run } = world(`
SecRule &ARGS:early "@eq 1" "id:1,phase:1,pass,nolog,setvar:tx.early_blocking=1"
SecRule ARGS "@contains bad" "id:2,phase:1,pass,log,setvar:tx.inbound_anomaly_score_pl1=+5"
SecAction "id:3,phase:1,pass,nolog,setvar:tx.blocking=+%{tx.inbound_anomaly_score_pl1}"
SecRule TX:blocking "@ge 5" "id:4,phase:1,deny,log,chain"
  SecRule TX:early_blocking "@eq 1"
SecAction "id:5,phase:2,pass,nolog,setvar:tx.blocking=0"
SecRule ARGS "@contains bad" "id:6,phase:2,pass,log,setvar:tx.inbound_anomaly_score_pl1=+5"
SecAction "id:7,phase:2,pass,nolog,setvar:tx.blocking=+%{tx.inbound_anomaly_score_pl1}"
SecRule TX:blocking "@ge 5" "id:8,phase:2,deny,log,msg:'%{tx.blocking}'"`);
  t.match(run({ target: '/?a=bad&early' }).verdict, { ruleId: 4, phase: 1 });
  const late = run({ target: '/?a=bad' });
  t.match(late.verdict, { ruleId: 8, phase: 2 });
  t.equal(late.matches.at(-1)?.msg, '10', 'the sum is made anew of both phases');
  t.equal(run({ target: '/?a=good' }).verdict, null);
});

t.test('sampling, as the Core Rule Set has it', async (t) => {
  const { run } = world(`
SecRule UNIQUE_ID "@rx ^[a-f]*([0-9])[a-f]*([0-9])" "id:1,phase:1,pass,capture,t:sha1,t:hexEncode,nolog,setvar:'tx.rnd=%{TX.1}%{TX.2}'"
SecRule TX:rnd "!@lt 50" "id:2,phase:1,pass,log,ctl:ruleRemoveByTag=CRS"
SecAction "id:3,phase:1,pass,log,tag:'CRS'"`);
  let sampled = 0;
  for (let number = 0; number < 200; number++) {
    const fired = ids(run({ id: `request-${number}` }));
    t.equal(fired.length, 1, 'one or the other');
    if (fired[0] === 3) sampled++;
  }
  t.ok(sampled > 60 && sampled < 140, `${sampled} of 200 were looked at`);
});
