import * as fc from 'fast-check';
import t from 'tap';
import { createExpressionCompiler, type Expression } from '../../../detectors/expr/compile.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { eventEnvironment } from '../../../detectors/expr/environment.ts';
import { createWhitelistIndex } from '../../../detectors/parsers/whitelist-index.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { eventOf, fieldsOf, worldOfYaml } from './support.ts';

const compiler = createExpressionCompiler({
  environment: eventEnvironment,
  helpers: { clock: createManualClock(), files: noDataFiles, regex: compilePattern },
});

const compiled = (sources: readonly string[]): Expression[] => sources.map((one) => compiler.compile(one, 'bool'));

const comparison = fc.constantFrom(
  "evt.Meta.http_status == '404'",
  "evt.Meta.http_status in ['200', '404']",
  "evt.Meta.http_status != '200'",
  "evt.Meta.http_path contains '/Apps'",
  "evt.Meta.http_path startsWith '/apps'",
  "evt.Meta.http_path endsWith 'é'",
  "evt.Meta.http_path matches '^/(apps|core)/[a-z]+'",
  "lower(evt.Parsed.file_name) in ['readme.md', 'x']",
  "not (evt.Parsed.file_name contains 'x')",
  "evt.Parsed.file_name == ''",
);
const expression = fc
  .array(fc.tuple(comparison, fc.constantFrom('&&', '||')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map(([part, joint], index) => (index === 0 ? part : `${joint} ${part}`)).join(' '));

t.test('an expression that holds is never left out', async (t) => {
  let leftOut = 0;
  fc.assert(
    fc.property(
      fc.array(expression, { minLength: 4, maxLength: 8 }),
      fc.constantFrom('200', '404', '403'),
      fc.constantFrom('/apps/x', '/Apps/é', '/core/y', '/', ''),
      fc.constantFrom('README.md', 'x', ''),
      (sources, status, path, name) => {
        const expressions = compiled(sources);
        const Meta = fieldsOf({ http_status: status, http_path: path });
        const event = eventOf('', { Meta, Parsed: fieldsOf({ file_name: name }) });
        const candidates = createWhitelistIndex(expressions, noDataFiles).candidates(event);
        leftOut += expressions.length - candidates.length;
        return expressions.every(
          (one, position) => one.evaluate({ evt: event }) !== true || candidates.includes(position),
        );
      },
    ),
    { seed: 1, numRuns: 1_000 },
  );
  t.ok(leftOut > 500, `${leftOut} were left out`);
});

t.test('whitelists with an expression that may raise are asked from their first to their last', async (t) => {
  const never = "evt.Meta.http_status == '1'";
  for (const other of [
    "int(evt.Meta.http_status) > 400 && evt.Meta.http_verb == 'GET'",
    "evt.SetMeta('a', 'b') == nil",
    'evt.Meta.http_path matches evt.Parsed.pattern',
    "IpInRange(evt.Meta.source_ip, '10.0.0.0/8')",
  ]) {
    const index = createWhitelistIndex(compiled([never, other, never, never]), noDataFiles);
    t.strictSame(index.candidates(eventOf('')), [0, 1, 2, 3], other);
  }
  const few = createWhitelistIndex(compiled([never, never, never]), noDataFiles);
  t.strictSame(few.candidates(eventOf('')), [0, 1, 2], 'three are asked, not looked up');
});

t.test('a long whitelist matches by any of its expressions', async (t) => {
  const paths = ['/a', '/b', '/c', '/d', '/e'];
  const { set } = worldOfYaml({
    's00-raw': `
name: test/long
whitelist:
  reason: known paths
  expression:
${paths.map((path) => `    - evt.Meta.http_status == '200' && evt.Meta.http_path startsWith '${path}'`).join('\n')}
`,
  });
  for (const path of [...paths, '/f']) {
    const event = eventOf('', { Meta: fieldsOf({ http_status: '200', http_path: `${path}/x` }) });
    set.parse(event, null);
    t.equal(event.Whitelisted, path !== '/f', path);
  }
});
