/** Bodies: who reads them, how much of them, and what is said about the rest. */
import t from 'tap';
import { defaultEngineOptions } from '../../../../detectors/waf/engine/engine-options.ts';
import { ids, transactionRequest, world } from './world.ts';

const form = ['Content-Type', 'application/x-www-form-urlencoded'];

t.test('the content type selects a processor before phase 1', async (t) => {
  const { run } = world(`SecRule REQBODY_PROCESSOR "@streq MULTIPART" "id:1,phase:1,pass,log"`);
  t.same(ids(run({ headers: ['content-type', 'Multipart/Form-Data; boundary=x'] })), [1]);
  t.equal(run({ headers: form }).variable('REQBODY_PROCESSOR'), 'URLENCODED');
  t.equal(run({ headers: ['Content-Type', 'application/json'] }).variable('REQBODY_PROCESSOR'), '');
});

t.test('JSON is read where a rule of phase 1 says so; one of phase 2 comes too late', async (t) => {
  const rules = (phase: number): string => `
SecRule REQUEST_HEADERS:Content-Type "@beginsWith application/json" "id:1,phase:${phase},pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule ARGS:json.a.0 "@streq 1e2" "id:2,phase:2,pass,log"
SecRule REQUEST_BODY "@rx ." "id:3,phase:2,pass,log"`;
  const request = { headers: ['Content-Type', 'application/json'], body: '{"a":[1e2]}' };
  t.same(ids(world(rules(1)).run(request)), [2]);
  t.same(ids(world(rules(2)).run(request)), []);
});

t.test('REQUEST_BODY', async (t) => {
  const { run } = world(`
SecRule REQUEST_HEADERS:X-Force "@eq 1" "id:1,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
SecRule REQUEST_BODY "@contains bad" "id:2,phase:2,pass,log"
SecRule REQUEST_BODY_LENGTH "@gt 0" "id:3,phase:2,pass,log"
SecRule RAW_REQUEST_BODY "@contains bad" "id:4,phase:2,pass,log"`);
  t.same(ids(run({ headers: form, body: 'a=bad' })), [2, 3, 4]);
  t.same(ids(run({ body: 'a=bad' })), [3, 4], 'nobody reads it');
  const forced = run({ headers: ['X-Force', '1'], body: 'a=bad' });
  t.same(ids(forced), [2, 3, 4]);
  t.equal(forced.variable('ARGS_POST', 'a'), 'bad');
  t.same(ids(run({ headers: form })), []);
});

t.test('a body that cannot be read is an error, and what was read of it is there', async (t) => {
  const { run } = world(`
SecAction "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:2,phase:2,deny,status:400,log,msg:'%{REQBODY_ERROR_MSG}'"`);
  const transaction = run({ body: '{"a": "first", "b": ' });
  t.match(transaction.verdict, { ruleId: 2, status: 400 });
  t.not(transaction.matches[0]?.msg, '');
  t.equal(transaction.variable('ARGS', 'json.a'), 'first');
  t.equal(run({ body: '{}' }).verdict, null);
});

t.test('limits', async (t) => {
  const requestBody = { ...defaultEngineOptions.requestBody, limit: 10 };
  const rules = `
SecRule INBOUND_DATA_ERROR "@eq 1" "id:1,phase:2,pass,log"
SecRule ARGS_POST "@contains end" "id:2,phase:2,pass,log"`;
  const large = { headers: form, body: 'a=0123456789end' };
  t.test('a longer body is judged by its beginning', async (t) => {
    t.same(ids(world(rules, { requestBody }).run(large)), [1]);
    t.same(ids(world(rules).run(large)), [2]);
  });
  t.test('or refused', async (t) => {
    const refusing = world(rules, { requestBody: { ...requestBody, over: 'reject' } });
    t.match(refusing.run(large).verdict, { action: 'deny', ruleId: 0, phase: 2, status: 413 });
    t.equal(refusing.run({ headers: form, body: 'a=012' }).verdict, null);
    const observing = world(rules, { requestBody: { ...requestBody, over: 'reject' }, mode: 'detection-only' });
    t.same(ids(observing.run(large)), [1], 'where nothing is enforced it is judged by its beginning');
  });
  t.test('of one value the beginning is looked at', async (t) => {
    const { run } = world(`SecRule ARGS "@contains end" "id:1,phase:2,pass,log"`, { valueBytes: 300 });
    t.same(ids(run({ target: `/?a=${'x'.repeat(297)}end` })), [1]);
    t.same(ids(run({ target: `/?a=${'x'.repeat(298)}end` })), []);
  });
  t.test('sizes are those of the whole values', async (t) => {
    const { run } = world('', { valueBytes: 300 });
    t.equal(run({ target: `/?ab=${'x'.repeat(1_000)}&c=1` }).variable('ARGS_COMBINED_SIZE'), '1004');
  });
  t.test('no body is wanted where access is off', async (t) => {
    const { rules: set } = world(`SecRule ARGS:no "@eq 1" "id:1,phase:1,pass,nolog,ctl:requestBodyAccess=Off"`);
    const begin = (target: string): boolean => {
      const transaction = set.begin(transactionRequest({ target, headers: form }));
      transaction.processRequestHeaders();
      return transaction.wantsRequestBody;
    };
    t.ok(begin('/'));
    t.notOk(begin('/?no=1'));
  });
});

t.test('responses', async (t) => {
  const text = `
SecRule RESPONSE_STATUS "@rx ^5" "id:1,phase:3,pass,log"
SecRule RESPONSE_HEADERS:X-Powered-By "@contains PHP" "id:2,phase:3,pass,log"
SecRule RESPONSE_BODY "@contains ORA-" "id:3,phase:4,deny,log"
SecRule OUTBOUND_DATA_ERROR "@eq 1" "id:4,phase:4,pass,log"`;
  const responseBody = { ...defaultEngineOptions.responseBody, access: true, limit: 20 };
  const { run } = world(text, { responseBody });
  const response = {
    status: 500,
    protocol: 'HTTP/1.1',
    headers: ['X-Powered-By', 'PHP/5', 'Content-Type', 'Text/HTML; charset=x'],
  };
  t.same(ids(run({ response: { ...response, body: 'ORA-0001' } })), [1, 2, 3]);
  t.same(ids(run({ response: { ...response, body: `${' '.repeat(30)}ORA-0001` } })), [1, 2, 4], 'behind the limit');
  const image = { status: 200, protocol: 'HTTP/1.1', headers: ['Content-Type', 'image/png'], body: 'ORA-0001' };
  t.same(ids(run({ response: image })), [], 'a type that is not inspected');
  t.same(ids(world(text).run({ response: { ...response, body: 'ORA-0001' } })), [1, 2], 'no access to bodies');
});
