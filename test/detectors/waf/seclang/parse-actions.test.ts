import t from 'tap';
import type { Action } from '../../../../detectors/waf/seclang/action.ts';
import type { Control, Effect } from '../../../../detectors/waf/seclang/definition.ts';
import { parseActions } from '../../../../detectors/waf/seclang/parse-actions.ts';

function parse(text: string) {
  const reasons: string[] = [];
  const { actions, chains, valid } = parseActions(text, (level, reason) => reasons.push(`${level}: ${reason}`));
  return { actions, chains, valid, reasons };
}

const plain = (source: string) => ({ source, parts: source === '' ? [] : [source] });

const single: readonly (readonly [string, Action])[] = [
  ['id:942100', { kind: 'id', id: 942100 }],
  ['id:4294967295', { kind: 'id', id: 4294967295 }],
  ['phase:request', { kind: 'phase', phase: 2 }],
  ['phase:Response', { kind: 'phase', phase: 4 }],
  ['phase:logging', { kind: 'phase', phase: 5 }],
  ["severity:'CRITICAL'", { kind: 'severity', severity: 2 }],
  ['severity:7', { kind: 'severity', severity: 7 }],
  ['t:none', { kind: 'transformation', name: 'none' }],
  ['t:normalisePath', { kind: 'transformation', name: 'normalizePath' }],
  ['t:URLDECODEUNI', { kind: 'transformation', name: 'urlDecodeUni' }],
  ["msg:'x'", { kind: 'msg', text: plain('x') }],
  ["logdata:''", { kind: 'logdata', text: plain('') }],
  ['tag:a/b', { kind: 'tag', text: plain('a/b') }],
  ["ver:'OWASP_CRS/4'", { kind: 'ver', text: 'OWASP_CRS/4' }],
  ['status:429', { kind: 'status', status: 429 }],
  ['deny', { kind: 'disruptive', verdict: { kind: 'deny' } }],
  ['block', { kind: 'disruptive', verdict: { kind: 'block' } }],
  ['allow', { kind: 'disruptive', verdict: { kind: 'allow', scope: 'all' } }],
  ['allow:phase', { kind: 'disruptive', verdict: { kind: 'allow', scope: 'phase' } }],
  ['redirect:/x', { kind: 'disruptive', verdict: { kind: 'redirect', url: plain('/x') } }],
  ['skip:2', { kind: 'skip', rules: 2 }],
  ['skipAfter:END', { kind: 'skip-after', marker: 'END' }],
  ['nolog', { kind: 'log', log: false, auditLog: false }],
  ['log', { kind: 'log', log: true, auditLog: true }],
  ['noauditlog', { kind: 'log', log: null, auditLog: false }],
  ['multimatch', { kind: 'multi-match' }],
  ['capture', { kind: 'capture' }],
];

t.test('each action', async (t) => {
  t.equal(single.length, 27);
  for (const [text, action] of single) {
    t.same(parse(text), { actions: [action], chains: false, valid: true, reasons: [] }, text);
  }
});

const effects: readonly (readonly [string, Effect])[] = [
  ['setvar:tx.a=1', { kind: 'setvar', collection: 'TX', key: plain('a'), arithmetic: 'set', value: plain('1') }],
  ['setvar:TX.A', { kind: 'setvar', collection: 'TX', key: plain('A'), arithmetic: 'set', value: plain('1') }],
  ['setvar:tx.a=+5', { kind: 'setvar', collection: 'TX', key: plain('a'), arithmetic: 'add', value: plain('5') }],
  ['setvar:ip.a=-5', { kind: 'setvar', collection: 'IP', key: plain('a'), arithmetic: 'subtract', value: plain('5') }],
  ['setvar:!ip.a', { kind: 'setvar', collection: 'IP', key: plain('a'), arithmetic: 'unset', value: plain('') }],
  ['setvar:tx.a=', { kind: 'setvar', collection: 'TX', key: plain('a'), arithmetic: 'set', value: plain('') }],
  ["setvar:'tx.a=b=c'", { kind: 'setvar', collection: 'TX', key: plain('a'), arithmetic: 'set', value: plain('b=c') }],
  [
    "setvar:'tx.a_%{matched_var}=%{tx.0}'",
    {
      kind: 'setvar',
      collection: 'TX',
      key: { source: 'a_%{matched_var}', parts: ['a_', { variable: 'MATCHED_VAR', key: null }] },
      arithmetic: 'set',
      value: { source: '%{tx.0}', parts: [{ variable: 'TX', key: '0' }] },
    },
  ],
  ['expirevar:ip.a=60', { kind: 'expirevar', collection: 'IP', key: plain('a'), seconds: plain('60') }],
  ['expirevar:session.a', { kind: 'expirevar', collection: 'SESSION', key: plain('a'), seconds: plain('3600') }],
  ['initcol:global=all', { kind: 'initcol', collection: 'GLOBAL', key: plain('all') }],
  ['setuid:ann', { kind: 'initcol', collection: 'USER', key: plain('ann') }],
  ['setsid:s1', { kind: 'initcol', collection: 'SESSION', key: plain('s1') }],
  ['setrsc:/a', { kind: 'initcol', collection: 'RESOURCE', key: plain('/a') }],
  ['setenv:a=b', { kind: 'setenv', key: plain('a'), value: plain('b') }],
  ['setenv:!a', { kind: 'setenv', key: plain('a'), value: plain('') }],
];

t.test('each action that changes a variable', async (t) => {
  t.equal(effects.length, 16);
  for (const [text, effect] of effects) {
    t.same(parse(text), { actions: [{ kind: 'effect', effect }], chains: false, valid: true, reasons: [] }, text);
  }
});

const argument = { variable: 'ARGS', selector: { kind: 'key', key: 'a', written: 'a' }, count: false } as const;
const whole = { variable: 'REQUEST_FILENAME', selector: { kind: 'all' }, count: false } as const;

const controls: readonly (readonly [string, Control])[] = [
  ['ruleEngine=DetectionOnly', { kind: 'rule-engine', mode: 'detection-only' }],
  ['ruleRemoveById=5', { kind: 'remove-by-id', ids: [{ first: 5, last: 5 }] }],
  ['ruleRemoveById=5-9', { kind: 'remove-by-id', ids: [{ first: 5, last: 9 }] }],
  ['ruleRemoveByTag=attack-.*', { kind: 'remove-by-tag', pattern: 'attack-.*' }],
  ['ruleRemoveByMsg=x', { kind: 'remove-by-msg', pattern: 'x' }],
  ['ruleRemoveTargetById=5-9;ARGS:a', { kind: 'remove-target-by-id', ids: [{ first: 5, last: 9 }], target: argument }],
  ['ruleRemoveTargetById=5;!ARGS:a', { kind: 'remove-target-by-id', ids: [{ first: 5, last: 5 }], target: argument }],
  ['ruleRemoveTargetByTag=x;REQUEST_FILENAME', { kind: 'remove-target-by-tag', pattern: 'x', target: whole }],
  ['ruleRemoveTargetByMsg=x;ARGS:a', { kind: 'remove-target-by-msg', pattern: 'x', target: argument }],
  ['requestBodyProcessor=json', { kind: 'request-body-processor', processor: 'JSON' }],
  ['responseBodyProcessor=XML', { kind: 'response-body-processor', processor: 'XML' }],
  ['forceRequestBodyVariable=On', { kind: 'force-request-body-variable', on: true }],
  ['forceResponseBodyVariable=Off', { kind: 'force-response-body-variable', on: false }],
  ['requestBodyAccess=Off', { kind: 'request-body-access', on: false }],
  ['responseBodyAccess=on', { kind: 'response-body-access', on: true }],
  ['requestBodyLimit=1073741824', { kind: 'request-body-limit', bytes: 1073741824 }],
  ['responseBodyLimit=0', { kind: 'response-body-limit', bytes: 0 }],
  ['auditLogParts=+E', { kind: 'audit', name: 'auditLogParts', value: '+E' }],
  ['AUDITENGINE=Off', { kind: 'audit', name: 'auditEngine', value: 'Off' }],
];

t.test('each control', async (t) => {
  t.equal(controls.length, 19);
  for (const [text, control] of controls) {
    const { actions, reasons } = parse(`ctl:${text}`);
    t.same(actions, [{ kind: 'effect', effect: { kind: 'control', control } }], text);
    t.same(reasons, [], text);
  }
});

t.test('actions of the audit log are accepted in silence, others that are not done give a warning', async (t) => {
  t.same(parse("id:1,accuracy:'8',maturity:9"), {
    actions: [{ kind: 'id', id: 1 }],
    chains: false,
    valid: true,
    reasons: [],
  });
  const warned = ['exec:/bin/true', 'pause:100', 'append:x', 'sanitiseArg:password', 'sanitizeMatched', 'xmlns:a=b'];
  for (const text of warned)
    t.match(parse(text), { actions: [], valid: true, reasons: [/^warning: .*no effect/] }, text);
  t.match(parse('proxy:http://honeypot/'), {
    actions: [{ kind: 'disruptive', verdict: { kind: 'deny' } }],
    reasons: [/^warning: proxy is not available/],
  });
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ['pas', /There is no action "pas"\. Did you mean pass\?/],
  ['id:0', /"0" is no rule id/],
  ['id:a', /"a" is no rule id/],
  ['id:4294967296', /is no rule id/],
  ['phase:6', /"6" is no phase/],
  ['severity:9', /"9" is no severity/],
  ['severity:critcal', /Did you mean critical\?/],
  ['t:urlDecodeUnicode', /There is no transformation .* Did you mean urlDecodeUni\?/],
  ['status:99', /is no status/],
  ['skip:0', /is no number of rules/],
  ['allow:all-of-it', /nothing that can be allowed/],
  ['deny:403', /deny takes no value/],
  ['msg', /msg needs a value/],
  ['tag:', /tag needs a value/],
  ['setvar:score=1', /setvar needs a collection and a name/],
  ['setvar:tz.score=1', /but not "tz"\. Did you mean TX\?/],
  ['setvar:ARGS.a=1', /setvar can change TX/],
  ['setvar:tx.=1', /setvar needs a collection and a name/],
  ['initcol:ips=1', /Did you mean IP\?/],
  ['initcol:ip', /initcol:ip needs a key/],
  ['setenv:=1', /setenv names no variable/],
  ['ctl:ruleRemoveByIds=1', /There is no ctl .* Did you mean ruleRemoveById\?/],
  ['ctl:ruleEngine=Maybe', /none of On, Off and DetectionOnly/],
  ['ctl:ruleRemoveById', /needs a value/],
  ['ctl:ruleRemoveById=9-5', /is no rule id and no range/],
  ['ctl:ruleRemoveByTag=(', /./],
  ['ctl:ruleRemoveTargetById=5', /names no variable/],
  ['ctl:ruleRemoveTargetById=5;ARG', /There is no variable "ARG"/],
  ['ctl:requestBodyProcessor=JSOM', /There is no body processor "JSOM"\. Did you mean JSON\?/],
  ['ctl:requestBodyLimit=1KB', /is no whole number/],
  ['ctl:requestBodyAccess=Yes', /neither On nor Off/],
];

t.test('what cannot be understood is said', async (t) => {
  t.equal(mistakes.length, 31);
  for (const [text, reason] of mistakes) {
    const { valid, reasons } = parse(text);
    t.equal(valid, false, text);
    t.equal(reasons.length, 1, text);
    t.match(reasons[0], reason, text);
  }
});

t.test('every mistake of a list is told at once', async (t) => {
  t.equal(parse('id:x,phase:x,pas').reasons.length, 3);
});

t.test('a list that cannot be used still says whether it chains', async (t) => {
  t.match(parse('id:x,chain'), { chains: true, valid: false });
  t.match(parse("id:1,msg:'a,chain"), { chains: true, valid: false });
});

t.test('names of macros that are no variables stay as they are, with a warning', async (t) => {
  const { actions, reasons } = parse("msg:'a %{argz.x} b'");
  t.same(actions, [{ kind: 'msg', text: plain('a %{argz.x} b') }]);
  t.match(reasons, [/^warning: %\{argz\.x\} names no variable/]);
});
