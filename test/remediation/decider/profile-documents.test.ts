import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import { parseProfiles } from '../../../remediation/decider/profile-documents.ts';

const hour = 3_600_000;

t.test('the profiles that ship are valid', async (t) => {
  const file = join(import.meta.dirname, '..', '..', '..', 'remediation', 'decider', 'default-profiles.yaml');
  const profiles = parseProfiles(readFileSync(file, 'utf8'), file);
  t.same(
    profiles.map(({ name }) => name),
    ['throttle-floods', 'ban-addresses', 'ban-ranges'],
  );
});

t.test('every key is read, a missing duration is four hours, empty documents are passed over', async (t) => {
  const text = [
    '---',
    'name: one',
    'debug: true',
    'filters: ["true", "false"]',
    'decisions:',
    '  - {type: captcha, duration: 1d12h, scope: Range, origin: mine, simulated: true}',
    '  - type: ban',
    'duration_expr: \'"1h"\'',
    'on_success: break',
    'on_failure: apply',
    'on_error: ignore',
    'notifications: [slack]',
    '---',
    '---',
    'name: two',
    'filters: ["true"]',
    'notifications:',
  ].join('\n');
  const [one, two, ...others] = parseProfiles(text, 'p.yaml');
  t.same(others, []);
  t.match(one, {
    name: 'one',
    debug: true,
    duration_expr: '"1h"',
    on_success: 'break',
    on_error: 'ignore',
    notifications: ['slack'],
    decisions: [
      { type: 'captcha', durationMs: 36 * hour, scope: 'Range', origin: 'mine', simulated: true },
      { type: 'ban', durationMs: 4 * hour, scope: '', origin: '', simulated: false },
    ],
  });
  t.match(two, { name: 'two', on_error: '', on_success: '' });
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ['name: x\nfilters: ["true"]\nfiltres: []', /p\.yaml:\d+: profile: .*filtres/],
  ['name: x\nfilters: []', /filters/],
  ['filters: ["true"]', /name/],
  [
    'name: x\nfilters: ["true"]\ndecisions:\n  - type: ban\n    duration: 4 hours',
    /p\.yaml:5: decisions\.0\.duration: is no duration/,
  ],
  ['name: x\nfilters: ["true"]\ndecisions: [{type: ban, duration: -4h}]', /duration/],
  ['name: x\nfilters: ["true"]\non_error: explode', /on_error/],
  ['name: x\nname: y\nfilters: ["true"]', /p\.yaml:2: .*unique/i],
  ['name: x\nfilters: ["true"]\n---\nname: x\nfilters: ["true"]', /two profiles have the name x/],
  ['name: [', /p\.yaml:\d+: /],
  ['just text', /p\.yaml:1: profile/],
];

t.test('mistakes are named with their line', async (t) => {
  for (const [text, expected] of mistakes)
    t.throws(() => parseProfiles(text, 'p.yaml'), { code: 'PROFILE_INVALID', message: expected }, text);
  t.equal(mistakes.length, 10);
});

t.test('all mistakes of a file come together', async (t) => {
  try {
    parseProfiles('name: x\n---\nname: y\nfilters: ["true"]\non_success: maybe', 'p.yaml');
    t.fail('must throw');
  } catch (thrown) {
    t.ok(thrown instanceof GatewayError);
    t.equal((thrown as GatewayError).message.split('\n').length, 2);
  }
});

t.test('an alias bomb is a mistake, not an outage', async (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let n = 1; n < 9; n++)
    lines.push(`a${n}: &a${n} [${Array.from({ length: 10 }, () => `*a${n - 1}`).join(', ')}]`);
  t.throws(() => parseProfiles(lines.join('\n'), 'p.yaml'), { code: 'PROFILE_INVALID' });
});
