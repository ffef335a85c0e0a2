import t from 'tap';
import { loadProgram } from '../../../../detectors/waf/seclang/load-program.ts';
import { faultsOf, filesOf, linksOf, loadText, rulesOf } from './loading.ts';

const ids = (text: string): readonly number[] => rulesOf(loadText(text)).map(({ id }) => id);

t.test('a rule has what its directive says, and defaults for the rest', async (t) => {
  const program = loadText('SecRule ARGS "@rx a" "id:1,phase:1,t:lowercase,msg:\'x\'"\nSecRule ARGS b id:2');
  t.same(program.faults, []);
  t.match(rulesOf(program), [
    {
      kind: 'rule',
      id: 1,
      place: { file: 'test', line: 1 },
      phase: 1,
      operator: { name: 'rx', folder: '/rules' },
      transformations: ['lowercase'],
      disruptive: { kind: 'pass' },
      flow: { kind: 'next' },
      log: true,
      auditLog: true,
      severity: null,
      chained: null,
    },
    { id: 2, phase: 2, operator: { name: 'rx', argument: { source: 'b' } }, transformations: [] },
  ]);
});

t.test('directives are found without regard to case', async (t) => {
  t.same(ids('Secrule ARGS a id:1\nSECACTION id:2'), [1, 2]);
});

t.test('SecAction has no operator and looks at nothing', async (t) => {
  t.match(rulesOf(loadText('SecAction "id:1,phase:1,nolog,pass"')), [
    { id: 1, operator: null, targets: [], excluded: [], log: false, auditLog: false },
  ]);
});

t.test('default actions', async (t) => {
  const disruptive = (text: string) => rulesOf(loadText(text)).map((rule) => rule.disruptive);

  t.test('give what block means, for their phase, to the rules below them', async (t) => {
    const text = [
      'SecAction id:1,phase:1,block',
      'SecDefaultAction phase:1,log,deny,status:429',
      'SecAction id:2,phase:1,block',
      'SecAction id:3,phase:2,block',
      'SecAction id:4,phase:1',
      'SecAction id:5,phase:1,pass',
      'SecAction id:6,phase:1,deny,status:500',
      'SecDefaultAction phase:1,pass',
      'SecAction id:7,phase:1,block',
    ].join('\n');
    const pass = { kind: 'pass' };
    const denied = { kind: 'deny', status: 429 };
    t.same(disruptive(text), [pass, denied, pass, denied, pass, { kind: 'deny', status: 500 }, pass]);
  });

  t.test('hold for phase 2 when they name none', async (t) => {
    t.same(disruptive('SecDefaultAction drop\nSecAction id:1,block\nSecAction id:2,phase:1,block'), [
      { kind: 'drop' },
      { kind: 'pass' },
    ]);
  });

  t.test('give transformations, which t:none clears, and logging', async (t) => {
    const rules = rulesOf(
      loadText(
        'SecDefaultAction nolog,t:lowercase,pass\nSecRule ARGS a id:1,t:trim\nSecRule ARGS a id:2,t:none,t:trim,log',
      ),
    );
    t.same(
      rules.map(({ transformations, log }) => [transformations, log]),
      [
        [['lowercase', 'trim'], false],
        [['trim'], true],
      ],
    );
  });

  t.test('give transformations to chained rules, whose first rule does not', async (t) => {
    const [head] = rulesOf(
      loadText('SecDefaultAction deny,t:lowercase,setvar:tx.a=1\nSecRule ARGS a id:1,t:trim,chain\nSecRule ARGS b'),
    );
    t.same(head?.chained?.transformations, ['lowercase']);
    t.same(head?.chained?.disruptive, { kind: 'pass' }, 'the chain has one verdict');
    t.same(head?.chained?.effects, [], 'and what the default does happens once');
    t.match(head, { effects: [{ kind: 'setvar' }], disruptive: { kind: 'deny' } });
  });

  t.test('cannot hold what belongs to one rule', async (t) => {
    for (const text of ['id:1,pass', 'chain,pass', 'msg:x,pass', 'skipAfter:x,pass', 'block']) {
      t.match(loadText(`SecDefaultAction ${text}`).faults, [{ level: 'error', reason: /cannot be a default/ }], text);
    }
  });
});

t.test('statuses of verdicts', async (t) => {
  const disruptive = (actions: string) => rulesOf(loadText(`SecAction "id:1,${actions}"`))[0]?.disruptive;
  t.same(disruptive('deny'), { kind: 'deny', status: 403 });
  t.same(disruptive('status:406,deny'), { kind: 'deny', status: 406 });
  t.match(disruptive('redirect:/a'), { kind: 'redirect', status: 302 });
  t.match(disruptive('redirect:/a,status:307'), { kind: 'redirect', status: 307 });
  t.match(disruptive('redirect:/a,status:403'), { kind: 'redirect', status: 302 }, 'no redirection');
  t.same(disruptive('deny,allow:request'), { kind: 'allow', scope: 'request' }, 'the last one holds');
});

t.test('chains', async (t) => {
  t.test('have the id and the phase of their first rule', async (t) => {
    const program = loadText(
      'SecRule ARGS a id:7,phase:4,chain\nSecRule ARGS b chain,phase:1\nSecAction t:none\nSecAction id:8',
    );
    t.same(program.faults, []);
    const [head, next] = rulesOf(program);
    t.same(head === undefined ? [] : linksOf(head).map(({ id, phase, place }) => [id, phase, place.line]), [
      [7, 4, 1],
      [0, 4, 2],
      [0, 4, 3],
    ]);
    t.equal(next?.id, 8);
  });

  t.test('go on over other directives, and not over a marker or the end', async (t) => {
    const over = loadText('SecRule ARGS a id:1,chain\nSecRuleEngine On\nSecRule ARGS b');
    t.ok(rulesOf(over)[0]?.chained);
    t.same(faultsOf(over), []);
    for (const text of ['SecAction id:1,chain\nSecMarker a', 'SecAction id:1,chain']) {
      const program = loadText(text);
      t.same(rulesOf(program), []);
      t.same(faultsOf(program), ['test:1 error: The chain has no further rule: its last one must not say "chain".']);
    }
  });

  t.test('are not used at all when one of their rules has a mistake', async (t) => {
    for (const text of [
      'SecRule ARG a id:1,chain\nSecRule ARGS b chain\nSecRule ARGS c\nSecAction id:2',
      'SecRule ARGS a id:1,chain\nSecRule ARGS b chain,pas\nSecRule ARGS c\nSecAction id:2',
      'SecRule ARGS a id:1,chain\nSecRule ARGS b chain\nSecRule ARGS @x\nSecAction id:2',
      'SecRule ARGS a "id:1,chain\nSecRule ARGS b chain\nSecRule ARGS c\nSecAction id:2',
      'SecRule ARGS a "id:1,chain\nSecRule ARGS "b" "chain"\nSecRule ARGS c\nSecAction id:2',
    ]) {
      const program = loadText(text);
      t.same(
        rulesOf(program).map(({ id }) => id),
        [2],
        text,
      );
      t.ok(program.faults.length >= 1, text);
      t.notOk(
        program.faults.some(({ reason }) => reason.includes('no id')),
        'no fault that follows from another',
      );
    }
  });

  t.test('warn of what only their first rule can say', async (t) => {
    const program = loadText('SecRule ARGS a id:1,chain,deny\nSecRule ARGS b drop,id:2');
    t.match(rulesOf(program), [{ disruptive: { kind: 'deny' }, chained: { id: 0, disruptive: { kind: 'pass' } } }]);
    t.same(
      program.faults.map(({ level }) => level),
      ['warning', 'warning'],
    );
  });

  t.test('end somewhere', async (t) => {
    const program = loadText(`SecAction id:1,chain\n${'SecAction chain\n'.repeat(150)}SecAction pass\nSecAction id:2`);
    t.same(
      rulesOf(program).map(({ id }) => id),
      [2],
    );
    t.match(program.faults[0]?.reason, /A chain can have 100 rules at most/);
  });
});

t.test('ids', async (t) => {
  t.match(loadText('SecRule ARGS a pass').faults, [{ level: 'error', reason: /has no id/ }]);
  const twice = loadText('SecAction id:5\n\nSecRule ARGS a id:5');
  t.same(faultsOf(twice), ['test:3 error: Rule 5 is there already: test:1.']);
  t.equal(rulesOf(twice)[0]?.operator, null, 'the first is used');
  t.same(ids('SecAction id:5\nSecRuleRemoveById 5\nSecRule ARGS a id:5'), [5], 'the id of a removed rule is free');
});

t.test('markers', async (t) => {
  t.same(loadText('SecMarker "a b"').entries, [{ kind: 'marker', name: 'a b', place: { file: 'test', line: 1 } }]);
  t.same(faultsOf(loadText('SecAction id:1,skipAfter:a\nSecMarker a\nSecAction id:2,skipAfter:3\nSecAction id:3')), []);
  t.match(faultsOf(loadText('SecMarker a\nSecAction id:1,skipAfter:a')), [/^test:2 warning: No marker .* called "a"/]);
});

const five = [1, 2, 3, 4, 5].map((id) => `SecRule ARGS a "id:${id},tag:'t/${id}',msg:'m ${id}'"`).join('\n');

t.test('removals', async (t) => {
  const left = (removal: string) => ids(`${five}\n${removal}`);
  t.same(left('SecRuleRemoveById 2'), [1, 3, 4, 5]);
  t.same(left('SecRuleRemoveById 2 4-5'), [1, 3]);
  t.same(left('SecRuleRemoveById "1,3"'), [2, 4, 5]);
  t.same(left('SecRuleRemoveById "2-3" 9'), [1, 4, 5]);
  t.same(left('SecRuleRemoveByTag ^t/[12]$'), [3, 4, 5]);
  t.same(left('SecRuleRemoveByTag "/"'), []);
  t.same(left('SecRuleRemoveByMsg "m 3"'), [1, 2, 4, 5]);
  t.same(left('SecRuleRemoveByTag T/1'), [1, 2, 3, 4, 5], 'case matters');
  t.same(ids('SecAction id:1,chain\nSecRule ARGS a\nSecRuleRemoveById 1\nSecAction id:2'), [2], 'whole chains');
});

t.test('removals and updates that reach no rule give a warning', async (t) => {
  for (const directive of [
    'SecRuleRemoveById 9',
    'SecRuleRemoveById 6-9',
    'SecRuleRemoveByTag x',
    'SecRuleRemoveByMsg x',
    'SecRuleUpdateTargetById 9 !ARGS:a',
    'SecRuleUpdateTargetByTag x !ARGS:a',
    'SecRuleUpdateTargetByMsg x !ARGS:a',
    'SecRuleUpdateActionById 9 pass',
  ]) {
    const program = loadText(`${directive}\n${five}`);
    t.match(faultsOf(program), [/^test:1 warning: No rule above has/], directive);
    t.equal(rulesOf(program).length, 5);
  }
});

t.test('updates of variables', async (t) => {
  const after = (update: string) => {
    const program = loadText(`SecRule ARGS|TX:a @rx "id:1,tag:x,msg:'m'"\n${update}`);
    t.same(program.faults, [], update);
    const [rule] = rulesOf(program);
    return [rule?.targets.map(({ variable }) => variable), rule?.excluded.map(({ variable }) => variable)];
  };
  t.same(after('SecRuleUpdateTargetById 1 !ARGS:a'), [['ARGS', 'TX'], ['ARGS']]);
  t.same(after('SecRuleUpdateTargetById 1-3 "!ARGS:a|!ARGS_NAMES:b"'), [
    ['ARGS', 'TX'],
    ['ARGS', 'ARGS_NAMES'],
  ]);
  t.same(after('SecRuleUpdateTargetByTag x "!ARGS:a,!ARGS:b"'), [
    ['ARGS', 'TX'],
    ['ARGS', 'ARGS'],
  ]);
  t.same(after('SecRuleUpdateTargetByMsg m REQUEST_URI'), [['ARGS', 'TX', 'REQUEST_URI'], []]);
  t.same(after('SecRuleUpdateTargetById 1 REQUEST_URI ARGS'), [['TX', 'REQUEST_URI'], []], 'in its place');
  t.same(after('SecRuleUpdateTargetById 1 ARGS'), [['ARGS', 'TX'], []], 'once is enough');
  t.same(after('SecRuleUpdateTargetById 1 !ARGS:a\nSecRuleUpdateTargetById 1 !ARGS:A'), [['ARGS', 'TX'], ['ARGS']]);
});

t.test('an excluded variable is excluded from chained rules too, an added one is not added there', async (t) => {
  const program = loadText(
    'SecRule ARGS a id:1,chain\nSecRule TX:a b chain\nSecAction t:none\nSecRuleUpdateTargetById 1 "!ARGS:a|REQUEST_URI"',
  );
  const links = rulesOf(program).flatMap(linksOf);
  t.same(
    links.map(({ targets, excluded }) => [targets.length, excluded.length]),
    [
      [2, 1],
      [1, 1],
      [0, 0],
    ],
  );
});

t.test('updates of actions', async (t) => {
  const base =
    'SecDefaultAction phase:2,deny,status:401\nSecRule ARGS a "id:1,pass,t:trim,msg:\'m\',tag:x,chain"\nSecRule ARGS b t:trim';
  const after = (update: string) => rulesOf(loadText(`${base}\nSecRuleUpdateActionById ${update}`))[0];
  t.match(after('1 "block,nolog"'), { disruptive: { kind: 'deny', status: 401 }, log: false, msg: { source: 'm' } });
  t.match(after('1 "msg:\'n\',tag:y,t:none,t:lowercase"'), {
    msg: { source: 'n' },
    tags: [{ source: 'x' }, { source: 'y' }],
    transformations: ['lowercase'],
    disruptive: { kind: 'pass' },
  });
  t.match(after('1:1 t:none'), { transformations: ['trim'], chained: { transformations: [] } });
  for (const [update, reason] of [
    ['1:2 pass', /no chained rule "2"/],
    ['1 id:2', /id of a rule cannot be changed/],
    ['1 phase:1', /phase of a rule cannot be changed/],
    ['1 chain', /chain of a rule cannot be changed/],
    ['x pass', /no rule id/],
    ['1 pas', /There is no action/],
    ['1', /takes a rule and actions/],
  ] as const) {
    t.match(loadText(`${base}\nSecRuleUpdateActionById ${update}`).faults, [{ level: 'error', reason }], update);
  }
});

t.test('the same text can be loaded in several sources, in their order', async (t) => {
  const program = loadProgram(
    [
      { kind: 'text', name: 'one', text: 'SecDefaultAction phase:1,deny\nSecAction id:1,phase:1,chain', folder: '/' },
      { kind: 'file', path: '/two.conf' },
      { kind: 'file', path: '/three.conf' },
    ],
    filesOf({ '/two.conf': 'SecAction setvar:tx.a=1\nSecAction id:2,phase:1,block' }),
  );
  t.same(
    rulesOf(program).map(({ id, disruptive }) => [id, disruptive.kind]),
    [
      [1, 'deny'],
      [2, 'deny'],
    ],
  );
  t.same(program.files, ['/two.conf']);
  t.same(faultsOf(program), ['/three.conf:1 error: The file cannot be read: /three.conf does not exist.']);
});

t.test('engine directives', async (t) => {
  const { directives, faults } = loadText(`
    SecRuleEngine DetectionOnly
    SecRequestBodyAccess On
    SecRequestBodyLimit 13107200
    SecRequestBodyNoFilesLimit 131072
    SecRequestBodyLimitAction Reject
    SecRequestBodyJsonDepthLimit 512
    SecArgumentsLimit 1000
    SecArgumentSeparator ;
    SecUploadFileLimit 10
    SecResponseBodyAccess Off
    SecResponseBodyLimit 524288
    SecResponseBodyLimitAction ProcessPartial
    SecResponseBodyMimeType text/plain text/HTML
    SecResponseBodyMimeType text/html text/xml
    SecCollectionTimeout 600
    SecUnicodeMapFile unicode.mapping 20127
    SecWebAppId "shop"
    SecRuleEngine On`);
  t.same(faults, []);
  t.same(directives, {
    ruleEngine: 'on',
    requestBodyAccess: true,
    requestBodyLimit: 13107200,
    requestBodyNoFilesLimit: 131072,
    requestBodyLimitAction: 'reject',
    requestBodyJsonDepthLimit: 512,
    argumentsLimit: 1000,
    argumentSeparator: ';',
    uploadFileLimit: 10,
    responseBodyAccess: false,
    responseBodyLimit: 524288,
    responseBodyLimitAction: 'process-partial',
    responseBodyMimeTypes: ['text/plain', 'text/html', 'text/xml'],
    collectionTimeout: 600,
    unicodeMapFile: 'unicode.mapping',
    webAppId: 'shop',
  });
  t.same(loadText('SecResponseBodyMimeType a/b\nSecResponseBodyMimeTypesClear').directives.responseBodyMimeTypes, []);
});

t.test('what other engines are configured with is known and has no effect', async (t) => {
  // The directives of ModSecurity's and of Coraza's recommended configuration that are not engine directives here.
  const lines = [
    'SecRequestBodyInMemoryLimit 131072',
    'SecPcreMatchLimit 100000',
    'SecPcreMatchLimitRecursion 100000',
    'SecTmpDir /tmp/',
    'SecDataDir /tmp/',
    'SecUploadDir /opt/upload/',
    'SecUploadKeepFiles RelevantOnly',
    'SecUploadFileMode 0600',
    'SecDebugLog /opt/debug.log',
    'SecDebugLogLevel 3',
    'SecAuditEngine RelevantOnly',
    'SecAuditLogRelevantStatus "^(?:5|4(?!04))"',
    'SecAuditLogParts ABDEFHIJZ',
    'SecAuditLogType Serial',
    'SecAuditLogFormat JSON',
    'SecAuditLog /var/log/modsec_audit.log',
    'SecAuditLogStorageDir /opt/audit/',
    'SecAuditLogDir /opt/audit/',
    'SecCookieFormat 0',
    'SecStatusEngine Off',
    'SecComponentSignature "rules/1.0"',
    'SecXmlExternalEntity Off',
    'SecParseXmlIntoArgs Off',
  ];
  for (const line of lines) t.same(loadText(line), loadText(''), line);
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ['SecRul ARGS a id:1', /^test:1 error: There is no directive "SecRul"\. Did you mean SecRule\?/],
  ['\n\nSecRuleEngin On', /^test:3 error: .* Did you mean SecRuleEngine\?/],
  ['SecRule ARGS', /error: SecRule takes variables, an operator and actions, and here are 1 arguments/],
  ['SecRule ARGS "a" "id:1" "x"', /here are 4 arguments/],
  ['SecRule ARGS "@rx "a"" "id:1"', /Text follows the closing quote/],
  ['SecRule ARGS "a" "id:1', /The quote " of the argument is not closed/],
  ['SecAction', /SecAction takes one argument/],
  ['SecAction a b', /SecAction takes one argument/],
  ['SecMarker', /SecMarker takes one argument/],
  ['SecDefaultAction', /SecDefaultAction takes one argument/],
  ['SecRuleRemoveById x', /"x" is no rule id and no range/],
  ['SecRuleRemoveById', /is no rule id/],
  ['SecRuleRemoveByTag', /takes one argument/],
  ['SecRuleRemoveByTag (', /./],
  ['SecRuleUpdateTargetById 1', /takes rules and variables/],
  ['SecRuleUpdateTargetById 1 !ARG:a', /There is no variable "ARG"/],
  ['SecRuleEngine Maybe', /none of On, Off and DetectionOnly/],
  ['SecRuleEngine', /takes one argument/],
  ['SecRequestBodyLimit 12MB', /"12MB" is no whole number/],
  ['SecRequestBodyLimit 99999999999999999', /is no whole number/],
  ['SecRequestBodyLimitAction Drop', /neither Reject nor ProcessPartial/],
  ['SecArgumentSeparator &&', /no single character/],
  ['SecResponseBodyMimeType', /needs media types/],
  ['SecRemoteRules key https://rules.example/', /not fetched from the network/],
  ['SecRuleScript /a.lua id:1', /cannot run Lua scripts/],
  ['SecDataset a `\nx\n`', /Data sets are not available/],
  ['<Location /a>', /Sections of Apache such as <Location> are not available/],
  ['Include', /takes one path/],
  ['Include a b', /takes one path/],
];

t.test('mistakes are said with their place and the nearest name', async (t) => {
  t.equal(mistakes.length, 29);
  for (const [text, expected] of mistakes) {
    const program = loadText(text);
    t.equal(program.faults.length, 1, text);
    t.equal(program.faults[0]?.level, 'error', text);
    t.match(faultsOf(program)[0], expected, text);
    t.same(program.entries, [], text);
  }
});

t.test('a mistake costs its own directive and no other', async (t) => {
  t.same(ids('SecAction id:1\nSecAction id:x\nSecAction id:2\nNonsense\nSecAction id:3'), [1, 2, 3]);
});

t.test('a file of mistakes is not read to its end', async (t) => {
  const { faults } = loadText('Nonsense\n'.repeat(5_000));
  t.equal(faults.length, 1_001);
  t.match(faults.at(-1)?.reason, /too many mistakes: nothing is read from here on/);
});

t.test('warnings are listed up to a bound, and everything is read', async (t) => {
  const program = loadText(`${'SecRuleRemoveById 9\n'.repeat(1_500)}SecAction id:1`);
  t.equal(program.faults.length, 1_001);
  t.match(program.faults.at(-1)?.reason, /more to say/);
  t.equal(rulesOf(program).length, 1);
});

t.test('rules do not grow without end', async (t) => {
  const many = (line: (index: number) => string): string =>
    Array.from({ length: 2_500 }, (_, index) => line(index)).join('\n');
  const targets = loadText(`SecRule ARGS a id:1\n${many((index) => `SecRuleUpdateTargetById 1 !ARGS:a${index}`)}`);
  t.equal(rulesOf(targets)[0]?.excluded.length, 1_999);
  t.match(targets.faults[0]?.reason, /Rule 1 would name more than 2000 variables/);
  const actions = loadText(`SecAction id:1\n${many((index) => `SecRuleUpdateActionById 1 tag:${index}`)}`);
  t.equal(rulesOf(actions)[0]?.tags.length, 1_999);
  t.match(actions.faults[0]?.reason, /The rule would have more than 2000 actions/);
  t.match(loadText(`SecDefaultAction ${'t:none,'.repeat(101)}`).faults[0]?.reason, /100 default actions at most/);
  t.match(
    loadText(many((index) => `SecResponseBodyMimeType a/${index}`)).faults[0]?.reason,
    /1000 media types at most/,
  );
});

t.test('what updates look at is bounded', async (t) => {
  const rules = Array.from({ length: 5_000 }, (_, index) => `SecAction id:${index + 1}`).join('\n');
  const { faults } = loadText(
    `${rules}\nSecRuleUpdateTargetById 1-2 !ARGS:a\nSecRuleRemoveById ${'1-2 '.repeat(2_000)}`,
  );
  t.match(faults, [{ place: { line: 5_002 }, reason: /look at too many rules/ }]);
});
