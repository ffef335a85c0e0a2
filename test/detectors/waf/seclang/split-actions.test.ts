import t from 'tap';
import { splitActions } from '../../../../detectors/waf/seclang/split-actions.ts';

const cases: readonly (readonly [string, readonly (readonly [string, string | null])[]])[] = [
  ['', []],
  ['pass', [['pass', null]]],
  [
    'id:1, phase:2 ,PASS',
    [
      ['id', '1'],
      ['phase', '2'],
      ['pass', null],
    ],
  ],
  ["id:'200000'", [['id', '200000']]],
  [
    "msg:'a, b',pass",
    [
      ['msg', 'a, b'],
      ['pass', null],
    ],
  ],
  [
    "msg:'it\\'s, so',pass",
    [
      ['msg', "it's, so"],
      ['pass', null],
    ],
  ],
  [
    "msg:'it's so',pass",
    [
      ['msg', "it's so"],
      ['pass', null],
    ],
  ],
  [
    "msg:it's,pass",
    [
      ['msg', "it's"],
      ['pass', null],
    ],
  ],
  [
    "msg: 'a' , pass",
    [
      ['msg', 'a'],
      ['pass', null],
    ],
  ],
  ["msg:''", [['msg', '']]],
  ['msg:', [['msg', '']]],
  [
    'pass,,nolog,',
    [
      ['pass', null],
      ['nolog', null],
    ],
  ],
  ["setvar:'tx.a=%{tx.b}, c'", [['setvar', 'tx.a=%{tx.b}, c']]],
  ['setvar:tx.a=b:c', [['setvar', 'tx.a=b:c']]],
  [
    "ctl:ruleRemoveTargetById=1;ARGS:'a,b',pass",
    [
      ['ctl', "ruleRemoveTargetById=1;ARGS:'a,b'"],
      ['pass', null],
    ],
  ],
  [
    "setvar:tx.a='b,pass",
    [
      ['setvar', "tx.a='b"],
      ['pass', null],
    ],
  ],
  [
    "logdata:a: it's,pass",
    [
      ['logdata', "a: it's"],
      ['pass', null],
    ],
  ],
  [
    "msg:'\\\\',pass",
    [
      ['msg', '\\\\'],
      ['pass', null],
    ],
  ],
];

t.test('actions are split at commas outside of single quotes', async (t) => {
  t.equal(cases.length, 18);
  for (const [text, actions] of cases) {
    const expected = actions.map(([name, value]) => ({ name, value }));
    t.same(splitActions(text), { kind: 'actions', actions: expected }, text);
  }
});

t.test('a quote around a value has to be closed', async (t) => {
  for (const text of ["msg:'a", "id:1,msg:'a,pass", "msg:'a\\'", "msg:'a'b"]) {
    t.match(splitActions(text), { kind: 'fault', reason: /not closed/ }, text);
  }
});
