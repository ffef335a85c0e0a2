/** Whatever a rule looks for, SecLang in between neither loses nor changes it; and no document makes a reader raise. */
import fc from 'fast-check';
import t from 'tap';
import { readAppSecConfigs } from '../../../../detectors/waf/appsec/config-document.ts';
import { readAppSecRules } from '../../../../detectors/waf/appsec/rule-document.ts';
import { createWorld, isRefused } from './world.ts';

const parameters = { seed: 20_260_105, numRuns: 150 } as const;

/** Characters that mean something to YAML, SecLang or regular expressions come often. */
const text = fc
  .array(fc.oneof(fc.constantFrom(...`"'\\,|:@!%{}()[]&#;$^*?+-=/`, 'a', 'B', ' ', 'é', '€', '\t'), fc.string()), {
    minLength: 1,
    maxLength: 12,
  })
  .map((parts) => parts.join('').toWellFormed().trim())
  .filter((value) => value !== '' && !/[\r\n\u2028\u2029]/.test(value));

const ruleOf = (type: string, value: string, description: string): string =>
  `name: me/rule\ndescription: ${JSON.stringify(description)}\nrules:\n` +
  `  - {zones: [ARGS], variables: [q], match: {type: ${type}, value: ${JSON.stringify(value)}}}\n`;

const asked = (value: string) => ({ target: `/?q=${encodeURIComponent(value)}` });

/** Backslashes before quotes and at the end are SecLang's own. */
const isSpelled = (value: string): boolean => !/\\"|\\$/.test(value);

t.test('a text that a rule looks for is found, and another is not', async (t) => {
  fc.assert(
    fc.property(text.filter(isSpelled), text, (value, description) => {
      const appSec = createWorld({ rules: ruleOf('equals', value, description) });
      const faults = appSec.ruleFaults.filter(({ level }) => level === 'error');
      return faults.length === 0 && isRefused(appSec, asked(value)) && !isRefused(appSec, asked(`${value}x`));
    }),
    parameters,
  );
  t.pass();
});

t.test('no document makes a reader raise', async (t) => {
  const words =
    'name: rules and or zones match type value URI contains inband_rules on_match apply filter - {} [] x 1 |'.split(
      ' ',
    );
  const line = fc.array(fc.constantFrom(...words, ': ', '  ', '- ', '\t', '"', '&a', '*a', '!!'), { maxLength: 8 });
  const document = fc
    .array(
      line.map((parts) => parts.join('')),
      { maxLength: 12 },
    )
    .map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(fc.oneof(document, fc.string()), (source) => {
      const rules = readAppSecRules(source, 'x.yaml');
      const configs = readAppSecConfigs(source, 'x.yaml');
      return rules.faults.length + rules.documents.length >= 0 && configs.documents.length <= 50;
    }),
    { ...parameters, numRuns: 1_000 },
  );
  t.pass();
});
