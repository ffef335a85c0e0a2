import t from 'tap';
import { readAppSecConfigs } from '../../../../detectors/waf/appsec/config-document.ts';
import { mergeConfigs } from '../../../../detectors/waf/appsec/merged-config.ts';

const whole = `name: me/config
inband_rules: [me/base, me/vpatch-*]
outofband_rules: [me/experimental-*]
default_remediation: captcha
default_pass_action: go
blocked_http_code: 418
passed_http_code: 201
user_blocked_http_code: 451
user_passed_http_code: 202
inband_options: {disable_body_inspection: true}
outofband_options: {request_body_in_memory_limit: 1000}
variables_tracking: ['TX\\..*']
log_level: debug
on_load:
  - apply: [RemoveInBandRuleByID(1)]
pre_eval:
  - {filter: IsInBand == true, apply: SetRemediation("captcha"), on_success: break}
inband:
  rules: [me/more]
  variables_tracking: [ARGS]
  on_match:
    - {apply: [CancelAlert()], on_success: continue}
outofband:
  options: {disable_body_inspection: true}
`;

t.test('a document with everything in it', async (t) => {
  const { documents, faults } = readAppSecConfigs(whole, 'config.yaml');
  t.same(faults, []);
  t.match(documents, [
    {
      name: 'me/config',
      rules: { in: ['me/base', 'me/vpatch-*', 'me/more'], out: ['me/experimental-*'] },
      options: {
        in: { disableBodyInspection: true, bodyInMemoryLimit: null },
        out: { disableBodyInspection: true, bodyInMemoryLimit: null },
      },
      defaultRemediation: 'captcha',
      defaultPassAction: 'go',
      blockedHttpCode: 418,
      passedHttpCode: 201,
      userBlockedHttpCode: 451,
      userPassedHttpCode: 202,
      variablesTracking: { in: ['TX\\..*', 'ARGS'], out: ['TX\\..*'] },
      hooks: [
        { stage: 'on_load', band: null, filter: '', apply: ['RemoveInBandRuleByID(1)'], breaks: false },
        { stage: 'pre_eval', filter: 'IsInBand == true', apply: ['SetRemediation("captcha")'], breaks: true },
        { stage: 'on_match', band: 'in', apply: ['CancelAlert()'], breaks: false },
      ],
    },
  ]);
});

t.test('rules and hooks add up, single values are those of the last, even where it says nothing', async (t) => {
  const second = 'name: me/second\ninband_rules: [me/base, me/other]\non_match: [{apply: [SendAlert()]}]\n';
  const documents = [whole, second].flatMap((text) => readAppSecConfigs(text, 'x').documents);
  const merged = mergeConfigs(documents);
  t.match(merged, {
    names: ['me/config', 'me/second'],
    rules: { in: ['me/base', 'me/vpatch-*', 'me/more', 'me/other'], out: ['me/experimental-*'] },
    options: { in: { disableBodyInspection: null }, out: { disableBodyInspection: null } },
    defaultRemediation: 'ban',
    defaultPassAction: 'allow',
    blockedHttpCode: 403,
    passedHttpCode: 200,
    userBlockedHttpCode: 403,
    userPassedHttpCode: 200,
  });
  t.same(
    merged.hooks.map(({ stage }) => stage),
    ['on_load', 'pre_eval', 'on_match', 'on_match'],
  );
  t.equal(mergeConfigs(documents.toReversed()).blockedHttpCode, 418);
});

t.test('no configuration at all is the defaults', async (t) => {
  t.match(mergeConfigs([]), { defaultRemediation: 'ban', rules: { in: [], out: [] }, hooks: [] });
});

const mistakes: readonly (readonly [yaml: string, reason: RegExp])[] = [
  ['inband_rules: []\n', /needs a name/],
  ['name: x\ninband_rule: []\n', /unknown key inband_rule/],
  ['name: x\nblocked_http_code: 1000\n', /1000 is no HTTP status/],
  ['name: x\non_match: [{apply: [x], on_succes: break}]\n', /unknown key on_succes/],
  [
    'name: x\non_match: [{apply: [x], on_success: brake}]\n',
    /on_success brake is unknown; there are continue and break/,
  ],
  ['name: x\ninband: {rulez: []}\n', /unknown key rulez/],
];

t.test('mistakes have a place and a reason, and the document is not used', async (t) => {
  for (const [yaml, reason] of mistakes) {
    const { documents, faults } = readAppSecConfigs(yaml, 'config.yaml');
    t.same(documents, [], yaml);
    t.match(faults[0]?.error.message, reason);
  }
  t.equal(mistakes.length, 6);
});

t.test('challenges are refused by name, and the rest of the document is used', async (t) => {
  const challenges = 'name: x\nchallenge: {difficulty: 3}\non_challenge: [{apply: [ExemptFromChallenge()]}]\n';
  const { documents, faults } = readAppSecConfigs(`${challenges}inband_rules: [a]\n`, 'x');
  t.match(documents, [{ rules: { in: ['a'] }, hooks: [] }]);
  t.match(
    faults.map(({ reason }) => reason),
    [/^challenge: challenge pages are not there yet/, /^on_challenge: challenge pages/],
  );
});
