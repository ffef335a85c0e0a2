/** What one rule and one chain do with values. */
import t from 'tap';
import { ids, world } from './world.ts';

t.test('targets and values', async (t) => {
  t.test('a negated operator matches no absent header, but an unset scalar', async (t) => {
    const { run } = world(`
SecRule REQUEST_HEADERS:X-Token "!@rx ^ok$" "id:1,phase:1,pass,log"
SecRule AUTH_TYPE "!@rx ^Basic$" "id:2,phase:1,pass,log"`);
    t.same(ids(run()), [2]);
    t.same(ids(run({ headers: ['X-Token', 'no'] })), [1, 2]);
    t.same(ids(run({ headers: ['x-token', 'ok', 'Authorization', 'Basic YTpi'] })), []);
  });

  t.test('a count is one value, also when it is 0', async (t) => {
    const { run } = world(`
SecRule &ARGS:a "@eq 0" "id:1,phase:1,pass,log"
SecRule &ARGS "@eq 3" "id:2,phase:1,pass,log,logdata:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'"
SecRule &TX:nothing "@eq 0" "id:3,phase:1,pass,log"
SecRule &ARGS:/^[ab]$/ "@eq 2" "id:4,phase:1,pass,log"`);
    t.same(ids(run()), [1, 3]);
    const three = run({ target: '/?a=1&B=2&c=3' });
    t.same(ids(three), [2, 3, 4]);
    t.equal(three.matches[0]?.logdata, '&ARGS=3');
  });

  t.test('names compare without regard to case and keep their spelling', async (t) => {
    const { run } = world(`SecRule ARGS:user "@streq x" "id:1,phase:1,pass,log,logdata:'%{MATCHED_VAR_NAME}'"`);
    t.equal(run({ target: '/?USER=x' }).matches[0]?.logdata, 'ARGS:USER');
  });

  t.test('what is excluded is not looked at', async (t) => {
    const { run } = world(`
SecRule ARGS|!ARGS:a|!ARGS:/^x_/ "@streq bad" "id:1,phase:1,pass,log"
SecRule REQUEST_HEADERS|!REQUEST_HEADERS:Cookie "@contains bad" "id:2,phase:1,pass,log"`);
    t.same(ids(run({ target: '/?a=bad&X_1=bad', headers: ['Cookie', 'bad'] })), []);
    t.same(ids(run({ target: '/?b=bad', headers: ['Cookies', 'bad'] })), [1, 2]);
  });

  t.test('arguments are those of the query, then those of the body', async (t) => {
    const { run } = world(
      `SecRule ARGS "@unconditionalMatch" "id:1,phase:2,pass,log,setvar:'tx.seen=%{tx.seen}%{MATCHED_VAR},'"`,
    );
    const transaction = run({
      target: '/?q=1&q=2',
      headers: ['Content-Type', 'application/x-www-form-urlencoded'],
      body: 'p=3&q=4',
    });
    t.equal(transaction.variable('TX', 'seen'), '1,2,3,4,');
  });

  t.test('parts of the request line', async (t) => {
    const { run } = world('');
    const transaction = run({ method: 'GET', target: 'http://example.org/a%20b/c%2fd?x=1%201#frag' });
    const values = {
      REQUEST_URI: '/a%20b/c%2fd?x=1%201',
      REQUEST_URI_RAW: 'http://example.org/a%20b/c%2fd?x=1%201#frag',
      REQUEST_FILENAME: '/a b/c/d',
      REQUEST_BASENAME: 'd',
      QUERY_STRING: 'x=1%201',
      REQUEST_LINE: 'GET http://example.org/a%20b/c%2fd?x=1%201#frag HTTP/1.1',
    } as const;
    for (const [name, value] of Object.entries(values))
      t.equal(transaction.variable(name as 'REQUEST_URI'), value, name);
  });
});

t.test('transformations', async (t) => {
  t.test('multiMatch looks at the value and after each step that changed it', async (t) => {
    const { run } = world(`
SecRule ARGS "@unconditionalMatch" "id:1,phase:1,pass,log,t:lowercase,t:trim,t:removeNulls,multiMatch,setvar:tx.looks=+1"
SecRule ARGS "@rx ^A b $" "id:2,phase:1,pass,log,t:lowercase,t:trim,multiMatch"
SecRule ARGS "@rx ^A b $" "id:3,phase:1,pass,log,t:lowercase,t:trim"`);
    const transaction = run({ target: '/?x=A+b+' });
    t.equal(transaction.variable('TX', 'looks'), '3', 'as it is, in lower case, trimmed');
    t.same(ids(transaction), [1, 2]);
  });

  t.test('MATCHED_VAR is the value as the operator saw it', async (t) => {
    const { run } = world(`SecRule ARGS "@streq abc" "id:1,phase:1,pass,log,t:lowercase,logdata:'%{MATCHED_VAR}'"`);
    t.equal(run({ target: '/?x=ABC' }).matches[0]?.logdata, 'abc');
  });
});

t.test('setvar', async (t) => {
  t.test('runs for each value that matches', async (t) => {
    const { run } = world(`SecRule ARGS "@contains bad" "id:1,phase:1,pass,log,setvar:tx.score=+5"`);
    t.equal(run({ target: '/?a=bad&b=good&c=bad' }).variable('TX', 'score'), '10');
  });

  t.test('runs before the chain is decided', async (t) => {
    const { run } = world(`
SecRule ARGS "@contains bad" "id:1,phase:1,pass,log,setvar:tx.head=+1,chain"
  SecRule REQUEST_METHOD "@streq POST" "setvar:tx.link=1"`);
    const transaction = run({ target: '/?a=bad&b=bad' });
    t.equal(transaction.variable('TX', 'head'), '2');
    t.equal(transaction.variable('TX', 'link'), '');
    t.same(ids(transaction), []);
  });

  t.test('sets, adds, subtracts, unsets, and makes names of values', async (t) => {
    const { run } = world(`
SecAction "id:1,phase:1,pass,nolog,setvar:tx.A=3,setvar:'tx.a=+%{tx.a}',setvar:tx.b=-2,setvar:tx.c,setvar:tx.d=x,setvar:!tx.d"
SecAction "id:2,phase:1,pass,nolog,setvar:'tx.of_%{REQUEST_METHOD}=yes',setvar:'tx.number=%{tx.a}%{tx.c}',setvar:tx.number=+1"`);
    const transaction = run();
    const values = { a: '6', b: '-2', c: '1', d: '', of_get: 'yes', number: '62' };
    for (const [key, value] of Object.entries(values)) t.equal(transaction.variable('TX', key), value, key);
  });

  t.test('what is no number counts as 0', async (t) => {
    const { run } = world(`SecAction "id:1,phase:1,pass,nolog,setvar:tx.a=word,setvar:tx.a=+2"`);
    t.equal(run().variable('TX', 'a'), '2');
  });
});

t.test('chains', async (t) => {
  t.test('match when all links do; the log tells the last value', async (t) => {
    const { run } = world(`
SecRule ARGS "@rx ^(\\w+)=" "id:1,phase:1,pass,log,capture,msg:'%{tx.1}',logdata:'%{MATCHED_VAR_NAME}',chain"
  SecRule REQUEST_HEADERS:Host "@endsWith .org" "chain"
    SecRule REQUEST_PROTOCOL "@streq HTTP/1.1"`);
    const match = run({ target: '/?a=b%3dc', headers: ['Host', 'example.org'] }).matches[0];
    t.match(match, { ruleId: 1, msg: 'b', logdata: 'REQUEST_PROTOCOL' });
    t.same(
      match?.values.map(({ variable }) => variable),
      ['ARGS:a', 'REQUEST_HEADERS:Host', 'REQUEST_PROTOCOL'],
    );
    t.same(ids(run({ target: '/?a=b%3dc', headers: ['Host', 'example.com'] })), []);
  });

  t.test('links see what the links before them matched, under its name', async (t) => {
    const { run } = world(`
SecRule ARGS "@contains /" "id:1,phase:2,pass,log,logdata:'%{MATCHED_VAR_NAME}: %{MATCHED_VAR}',chain"
  SecRule MATCHED_VARS "@contains bad" "setvar:tx.n=+1,chain"
    SecRule &MATCHED_VARS "@eq 2"`);
    const transaction = run({ target: '/?a=/bad&b=/good&c=bad' });
    t.equal(transaction.variable('TX', 'n'), '1');
    t.same(ids(transaction), [1]);
    t.same(
      transaction.matches[0]?.values.map(({ variable, value }) => `${variable}=${value}`),
      ['ARGS:a=/bad', 'ARGS:b=/good'],
    );
  });

  t.test('MATCHED_VAR is the last value, and MATCHED_VARS begins anew with each rule', async (t) => {
    const { run } = world(`
SecRule ARGS "@contains x" "id:1,phase:2,pass,log,chain"
  SecRule MATCHED_VAR "@streq x2" "setvar:'tx.name=%{MATCHED_VAR_NAME}'"
SecRule &MATCHED_VARS "@eq 0" "id:2,phase:2,pass,log"`);
    const transaction = run({ target: '/?a=x1&b=x2' });
    t.equal(transaction.variable('TX', 'name'), 'ARGS:b');
    t.same(ids(transaction), [1, 2]);
  });
});

t.test('captures', async (t) => {
  t.test('stay for chained rules and later ones', async (t) => {
    const { run } = world(`
SecRule ARGS:a "@rx (\\w)(\\d)?-(\\w)" "id:1,phase:1,pass,nolog,capture,chain"
  SecRule TX:3 "@streq z" "setvar:'tx.found=%{tx.0}|%{tx.1}|%{tx.2}|%{tx.3}'"
SecRule ARGS:b "@rx (.)" "id:2,phase:1,pass,log,capture,logdata:'%{tx.0}|%{tx.1}|%{tx.3}'"
SecRule ARGS:b "@rx c" "id:3,phase:1,pass,log,logdata:'%{tx.0}'"`);
    const transaction = run({ target: '/?a=x-z&b=c' });
    t.equal(transaction.variable('TX', 'found'), 'x-z|x||z', 'a group that took no part is empty');
    t.equal(transaction.matches[0]?.logdata, 'c|c|z', 'the third group is still of the rule before');
    t.equal(transaction.matches[1]?.logdata, 'c', 'a rule that does not capture leaves them');
  });

  t.test('a phrase that was found is TX.0', async (t) => {
    const { run } = world(`SecRule ARGS "@pm foo barbaz" "id:1,phase:1,pass,log,capture,logdata:'%{tx.0}'"`);
    t.equal(run({ target: '/?a=xxBarBazxx' }).matches[0]?.logdata.toLowerCase(), 'barbaz');
  });
});

t.test('TX', async (t) => {
  t.test('a pattern finds names of rules and names made at run time', async (t) => {
    const { run } = world(`
SecAction "id:1,phase:1,pass,nolog,setvar:tx.note_a=1,setvar:'tx.note_%{REQUEST_METHOD}=2',setvar:tx.other=3"
SecRule TX:/^NOTE_/ "@unconditionalMatch" "id:2,phase:1,pass,log,setvar:tx.sum=+1,logdata:'%{MATCHED_VAR_NAME}'"`);
    const transaction = run();
    t.equal(transaction.variable('TX', 'sum'), '2');
    t.equal(transaction.matches[0]?.logdata, 'TX:note_get');
  });

  t.test('operators compare with what has been set', async (t) => {
    const { run } = world(`
SecAction "id:1,phase:1,pass,nolog,setvar:tx.limit=3,setvar:'tx.methods=GET HEAD'"
SecRule &ARGS "@gt %{tx.limit}" "id:2,phase:1,pass,log"
SecRule REQUEST_METHOD "!@within %{tx.methods}" "id:3,phase:1,pass,log"`);
    t.same(ids(run({ target: '/?a&b&c' })), []);
    t.same(ids(run({ target: '/?a&b&c&d', method: 'PUT' })), [2, 3]);
  });
});

t.test('what is logged', async (t) => {
  t.test('nolog matches silently, and HIGHEST_SEVERITY hears of it', async (t) => {
    const { run } = world(`
SecAction "id:1,phase:1,pass,nolog,severity:'WARNING'"
SecAction "id:2,phase:1,pass,log,severity:'NOTICE',msg:'%{HIGHEST_SEVERITY} %{rule.id}',tag:'a/%{REQUEST_METHOD}',ver:'x/1'"`);
    const { matches } = run();
    t.match(matches, [
      { ruleId: 2, severity: 5, msg: '4 2', tags: ['a/GET'], ver: 'x/1', phase: 1, disruptive: false },
    ]);
    t.equal(matches.length, 1);
  });

  t.test('points are those of the counters of the Core Rule Set', async (t) => {
    const { run } = world(`
SecRule ARGS "@contains bad" "id:1,phase:1,pass,log,setvar:tx.inbound_anomaly_score_pl2=+5,setvar:tx.sql_injection_score=+5"
SecAction "id:2,phase:1,pass,log,setvar:tx.blocking_inbound_anomaly_score=+%{tx.inbound_anomaly_score_pl2}"`);
    const transaction = run({ target: '/?a=bad&b=bad' });
    t.same(
      transaction.matches.map(({ score }) => score),
      [10, 0],
    );
    t.equal(transaction.score, 10);
  });

  t.test('texts are cut', async (t) => {
    const { run } = world(`SecRule ARGS "@rx a" "id:1,phase:1,pass,log,logdata:'%{MATCHED_VAR}'"`);
    const match = run({ target: `/?x=${'a'.repeat(9_000)}` }).matches[0];
    t.equal(match?.logdata.length, 2_048);
    t.equal(match?.values[0]?.value.length, 512);
  });
});
