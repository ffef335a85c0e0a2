import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parseSimulation, readSimulation, writeSimulation } from '../../../detectors/scenarios/simulation-file.ts';
import { ruleWith, SwitchableSimulation } from '../../../detectors/scenarios/simulation.ts';

t.test("exclusions turn the rule around, as in CrowdSec's file", async (t) => {
  const only = new SwitchableSimulation(parseSimulation('simulation: false\nexclusions:\n  - a\n', 'x'));
  t.same(
    ['a', 'b'].map((name) => only.covers(name)),
    [true, false],
  );
  const allBut = new SwitchableSimulation(parseSimulation('simulation: true\nexclusions: [a]\n', 'x'), ['z']);
  t.same(
    ['a', 'b', 'z'].map((name) => allBut.covers(name)),
    [false, true, true],
  );
  t.ok(new SwitchableSimulation({ global: true, exceptions: ['z'] }, ['z']).covers('z'), 'what the settings say stays');
});

t.test("CrowdSec's own template, and files that say less", async (t) => {
  for (const text of [
    'simulation: false\n# exclusions:\n#  - crowdsecurity/ssh-bf\n',
    '',
    '# nothing',
    'exclusions:\n',
  ])
    t.same(parseSimulation(text, 'x'), { global: false, exceptions: [] }, JSON.stringify(text));
});

t.test('a file that says something else is refused, with its place', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['simulation: maybe\n', /simulation/],
    ['simulaton: true\n', /simulaton/],
    ['exclusions: a\n', /exclusions/],
    ['simulation: true\nexclusions: [a\n', /line \d/],
    ['simulation: true\nsimulation: false\n', /line 2/],
    ['- a\n', /the file/],
    ['a: &a [x]\nexclusions: [*a, *b]', /line|alias/i],
  ];
  for (const [text, message] of cases)
    t.throws(() => parseSimulation(text, 'simulation.yaml'), { code: 'SETTINGS_INVALID', message }, text);
  t.equal(cases.length, 7);
});

t.test('what is written is read, and a file that cannot be written is left alone', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'data', 'simulation.yaml');
  t.same(await readSimulation(path), { global: false, exceptions: [] });
  await writeSimulation(path, { global: true, exceptions: ['crowdsecurity/ssh-bf', 'a: b'] });
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(await readSimulation(path), { global: true, exceptions: ['crowdsecurity/ssh-bf', 'a: b'] });
  const blocked = join(folder, 'blocked');
  mkdirSync(blocked);
  await t.rejects(writeSimulation(blocked, { global: false, exceptions: [] }));
  t.notOk(existsSync(`${blocked}.new`));
  await t.rejects(readSimulation(blocked), { code: 'SETTINGS_UNREADABLE' });
  writeFileSync(path, 'simulation: [');
  await t.rejects(readSimulation(path), { code: 'SETTINGS_INVALID' });
  t.equal(readFileSync(path, 'utf8'), 'simulation: [');
});

t.test('a scenario that is switched changes, and no other', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const some = fc.subarray(names);
  fc.assert(
    fc.property(fc.boolean(), some, some, fc.boolean(), (global, exceptions, switched, simulated) => {
      const before = new SwitchableSimulation({ global, exceptions });
      const after = new SwitchableSimulation(ruleWith({ global, exceptions }, switched, simulated));
      return names.every((name) => after.covers(name) === (switched.includes(name) ? simulated : before.covers(name)));
    }),
    { seed: 7, numRuns: 200 },
  );
});

t.test('any text is a rule or a fault', async () => {
  const part = fc.constantFrom(
    'simulation',
    'exclusions',
    ': ',
    '\n',
    'true',
    '- ',
    'a',
    '[',
    ']',
    '&a ',
    '*a',
    '{',
    '}',
    '"',
    '#',
    '!!js ',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (one) => {
      try {
        const rule = parseSimulation(one, 'x');
        return typeof rule.global === 'boolean' && rule.exceptions.every((name) => typeof name === 'string');
      } catch (thrown) {
        return (thrown as { code?: string }).code === 'SETTINGS_INVALID';
      }
    }),
    { seed: 8, numRuns: 2_000 },
  );
});
