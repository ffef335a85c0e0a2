import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createSystemRandom } from '../../../core/random.ts';
import { createExpressionCompiler } from '../../../detectors/expr/compile.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { alertView } from '../../../detectors/expr/environment/alert-view.ts';
import { profileEnvironment } from '../../../detectors/expr/environment.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { createDecisionHistory } from '../../../remediation/index/decision-history.ts';
import { parseProfiles } from '../../../remediation/decider/profile-documents.ts';
import { createProfiles } from '../../../remediation/decider/profiles.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { alertOf, collectedLog, decisionOf } from '../support.ts';

const hour = 3_600_000;
const shipped = readFileSync(
  join(import.meta.dirname, '..', '..', '..', 'remediation', 'decider', 'default-profiles.yaml'),
  'utf8',
);

function setUp(text: string) {
  const clock = createManualClock();
  const history = createDecisionHistory({ clock });
  const { log, lines } = collectedLog();
  const compiler = createExpressionCompiler({
    environment: profileEnvironment,
    helpers: {
      clock,
      random: createSystemRandom(),
      files: noDataFiles,
      regex: (pattern) => compilePattern(pattern),
      decisionCounts: history,
    },
  });
  const documents = parseProfiles(text, 'profiles.yaml');
  return { history, lines, profiles: createProfiles({ documents, compiler, view: (alert) => alertView(alert), log }) };
}

function profile(name: string, lines: readonly string[]): string {
  return [`name: ${name}`, ...lines, '---'].join('\n');
}

const ban = 'decisions: [{type: ban, duration: 1h}]';
const captcha = 'decisions: [{type: captcha, duration: 2h}]';
const yes = 'filters: ["true"]';
const no = 'filters: ["false"]';
const raises = `filters: ['int("") == 1']`;

t.test('by default addresses and ranges are banned, four hours longer each time, a week at most', async (t) => {
  const { profiles, history } = setUp(shipped);
  const hours = (): number | undefined => {
    const durationMs = profiles.evaluate(alertOf()).drafts[0]?.durationMs;
    return durationMs === undefined ? undefined : durationMs / hour;
  };
  t.match(profiles.evaluate(alertOf()), {
    drafts: [{ type: 'ban', scope: 'Ip', origin: 'crowdsec', durationMs: 4 * hour, simulated: false }],
    matched: [{ profile: 'ban-addresses' }],
    rejected: null,
  });
  history.record(decisionOf({ value: '198.51.100.7' }));
  t.equal(hours(), 8);
  history.record(decisionOf({ value: '198.51.100.7' }));
  t.equal(hours(), 12);
  for (let n = 0; n < 100; n++) history.record(decisionOf({ value: '198.51.100.7' }));
  t.equal(hours(), 168);
  const range = alertOf({ source: { scope: 'Range', value: '198.51.100.0/24' } });
  t.match(profiles.evaluate(range).drafts, [{ scope: 'Range', durationMs: 4 * hour }]);
  t.same(profiles.evaluate(alertOf({ remediation: false })).drafts, []);
  t.same(profiles.evaluate(alertOf({ source: { scope: 'Country', value: 'DE' } })).drafts, []);
});

t.test('an IPv6 client that comes back from another address of its prefix is a repeat offender', async (t) => {
  const { profiles, history } = setUp(shipped);
  history.record(decisionOf({ scope: 'Range', value: '2001:db8::/64' }));
  t.equal(profiles.evaluate(alertOf({ ip: '2001:db8::99' })).drafts[0]?.durationMs, 8 * hour);
});

t.test('filters are OR-ed and each that holds emits the decisions once more', async (t) => {
  const { profiles } = setUp(profile('a', ['filters: ["true", "false", "true"]', ban]));
  t.equal(profiles.evaluate(alertOf()).drafts.length, 2);
});

t.test('the first profile that matches decides, later ones only notify, break stops', async (t) => {
  const text = [
    profile('skipped', [no, captcha, 'notifications: [never]']),
    profile('first', [yes, ban, 'notifications: [mail]']),
    profile('second', [yes, captcha, 'notifications: [slack]', 'on_success: break']),
    profile('third', [yes, captcha, 'notifications: [never]']),
  ].join('\n');
  t.match(setUp(text).profiles.evaluate(alertOf()), {
    drafts: [{ type: 'ban' }],
    matched: [
      { profile: 'first', notifications: ['mail'] },
      { profile: 'second', notifications: ['slack'] },
    ],
  });
});

t.test('on_failure has no effect', async (t) => {
  const { profiles } = setUp([profile('a', [no, ban, 'on_failure: break']), profile('b', [yes, captcha])].join('\n'));
  t.match(profiles.evaluate(alertOf()).drafts, [{ type: 'captcha' }]);
});

const onError: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['apply', ['captcha'], ['bad', 'next']],
  ['continue', ['captcha'], ['next']],
  ['ignore', ['captcha'], ['next']],
  ['break', [], []],
];

t.test('on_error says what a failed profile means', async (t) => {
  for (const [word, types, matched] of onError) {
    const { profiles, lines } = setUp(
      [profile('bad', [raises, ban, `on_error: ${word}`]), profile('next', [yes, captcha])].join('\n'),
    );
    const outcome = profiles.evaluate(alertOf());
    t.same(
      outcome.drafts.map(({ type }) => type),
      types,
      word,
    );
    t.same(
      outcome.matched.map(({ profile }) => profile),
      matched,
      word,
    );
    t.equal(outcome.rejected, null, word);
    t.match(lines, [{ profile: 'bad', onError: word }]);
  }
  t.equal(onError.length, 4);
});

t.test('a failed profile without on_error rejects the alert, whatever others decided', async (t) => {
  const { profiles } = setUp([profile('good', [yes, ban]), profile('bad', [raises, ban])].join('\n'));
  t.match(profiles.evaluate(alertOf()), {
    drafts: [],
    rejected: { code: 'EXPRESSION_RAISED', message: /^profile bad: / },
  });
});

t.test('scope, origin and simulation of a decision', async (t) => {
  const text = profile('a', [
    yes,
    'decisions: [{type: ban, scope: Range, origin: own}, {type: ban, simulated: true}, {type: ban}]',
  ]);
  const { profiles } = setUp(text);
  t.match(profiles.evaluate(alertOf()).drafts, [
    { scope: 'Range', origin: 'crowdsec/own', simulated: false, durationMs: 4 * hour },
    { scope: 'Ip', origin: 'crowdsec', simulated: true },
    { scope: 'Ip', simulated: false },
  ]);
  t.ok(profiles.evaluate(alertOf({ simulated: true })).drafts.every(({ simulated }) => simulated));
});

t.test('a duration expression that gives no duration leaves the written one, which nothing caps', async (t) => {
  for (const expression of [`'"soon"'`, `'int("x")'`, 'Alert.GetScope()']) {
    const text = profile('a', [yes, 'decisions: [{type: ban, duration: 30d}]', `duration_expr: ${expression}`]);
    const { profiles, lines } = setUp(text);
    t.equal(profiles.evaluate(alertOf()).drafts[0]?.durationMs, 30 * 24 * hour, expression);
    t.match(lines, [{ profile: 'a', level: 40 }]);
  }
});

t.test('the other counts of decisions', async (t) => {
  const filters = (expression: string): string => profile('a', [`filters: ['${expression}']`, ban]);
  const value = 'Alert.GetValue()';
  for (const expression of [
    `GetDecisionsSinceCount(${value}, "24h") == 1`,
    `GetActiveDecisionsCount(${value}) == 1`,
    `GetActiveDecisionsTimeLeft(${value}) > duration("3h")`,
  ]) {
    const { profiles, history } = setUp(filters(expression));
    t.same(profiles.evaluate(alertOf()).drafts, [], expression);
    history.record(decisionOf({ value: '198.51.100.7' }));
    t.equal(profiles.evaluate(alertOf()).drafts.length, 1, expression);
  }
});

t.test('expressions that cannot be compiled are all named at once', async (t) => {
  const text = [
    profile('a', ['filters: ["Alert.Nothing", "true"]']),
    profile('b', [yes, ban, 'duration_expr: "(("']),
  ].join('\n');
  t.throws(() => setUp(text), { code: 'PROFILE_INVALID', message: /profile a: [^]*profile b: / });
});
