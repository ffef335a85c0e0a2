/** The Core Rule Set as a whole: what was counted in its files by other means has to be what is loaded. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { RuleDefinition, RuleProgram } from '../../../../detectors/waf/seclang/definition.ts';
import { isPlain } from '../../../../detectors/waf/seclang/parse-macro.ts';
import { loadProgram } from '../../../../detectors/waf/seclang/load-program.ts';
import { type RuleSource, createRuleFiles } from '../../../../detectors/waf/seclang/rule-files.ts';
import { suitePath } from '../../../support/suites.ts';
import { linksOf, rulesOf } from './loading.ts';

type Counts = Readonly<Record<string, number>>;

function tally(words: readonly (string | number)[]): Counts {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function loadSuite(folder: string): RuleProgram {
  const rules = readdirSync(join(folder, 'rules')).filter((name) => name.endsWith('.conf'));
  const paths = ['crs-setup.conf.example', ...rules.toSorted().map((name) => join('rules', name))];
  return loadProgram(
    paths.map((path): RuleSource => ({ kind: 'file', path: join(folder, path) })),
    createRuleFiles(),
  );
}

t.test('the Core Rule Set', async (t) => {
  const folder = suitePath(t, 'crs');
  if (folder === null) return;
  const program = loadSuite(folder);
  const heads = rulesOf(program);
  const all = heads.flatMap(linksOf);
  const operators = all.flatMap(({ operator }) => operator ?? []);
  const targets = all.flatMap((rule) => rule.targets);
  const rule = (id: number): RuleDefinition => {
    const found = heads.find((head) => head.id === id);
    if (found === undefined) throw new Error(`rule ${id} is not there`);
    return found;
  };

  t.test('loads without a fault', async (t) => {
    t.same(program.faults, []);
    t.equal(program.files.length, 28, 'the set-up and every file of rules');
  });

  t.test('has its rules, chains and markers', async (t) => {
    t.equal(heads.length, 630);
    t.equal(new Set(heads.map(({ id }) => id)).size, 630);
    t.equal(operators.length, 695, 'all but the SecActions');
    t.equal(program.entries.length - heads.length, 30, 'markers');
    t.same(tally(heads.map(({ phase }) => phase)), { 1: 173, 2: 292, 3: 43, 4: 109, 5: 13 });
    t.same(tally(heads.map((head) => linksOf(head).length - 1)), { 0: 575, 1: 41, 2: 11, 3: 2, 4: 1 });
  });

  t.test('has its paranoia levels and tags', async (t) => {
    const tags = all.flatMap((one) => one.tags.map(({ source }) => source));
    t.equal(tags.length, 3089);
    t.same(tally(tags.filter((tag) => tag.startsWith('paranoia-level/'))), {
      'paranoia-level/1': 214,
      'paranoia-level/2': 90,
      'paranoia-level/3': 32,
      'paranoia-level/4': 9,
    });
  });

  t.test('looks at its variables', async (t) => {
    const counts = tally(targets.map(({ variable }) => variable));
    t.match(counts, {
      XML: 351,
      TX: 290,
      ARGS: 191,
      REQUEST_COOKIES: 166,
      REQUEST_COOKIES_NAMES: 165,
      REQUEST_FILENAME: 61,
      RESPONSE_BODY: 59,
      REQUEST_BODY: 19,
      MATCHED_VARS: 12,
      MULTIPART_PART_HEADERS: 5,
    });
    t.same(tally(targets.flatMap((one) => (one.count ? one.variable : []))), {
      TX: 30,
      REQUEST_HEADERS: 17,
      MULTIPART_PART_HEADERS: 2,
      ARGS: 1,
    });
    t.match(tally(targets.map(({ selector }) => selector.kind)), { xpath: 351, pattern: 6 });
  });

  t.test('asks its operators', async (t) => {
    t.same(tally(operators.map(({ name }) => name)), {
      rx: 318,
      lt: 190,
      eq: 53,
      ge: 42,
      pmfromfile: 21,
      gt: 15,
      pm: 12,
      streq: 9,
      within: 9,
      endswith: 6,
      validatebyterange: 6,
      contains: 4,
      ipmatch: 2,
      detectxss: 2,
      detectsqli: 2,
      beginswith: 1,
      unconditionalmatch: 1,
      validateutf8encoding: 1,
      validateurlencoding: 1,
    });
    t.match(tally(operators.flatMap(({ name, negated }) => (negated ? name : []))), { rx: 21, within: 6 });
    t.equal(operators.filter(({ argument }) => !isPlain(argument)).length, 30, 'with macros');
  });

  t.test('transforms what it looks at', async (t) => {
    t.same(tally(all.flatMap(({ transformations }) => transformations)), {
      urlDecodeUni: 140,
      lowercase: 46,
      jsDecode: 37,
      htmlEntityDecode: 35,
      utf8toUnicode: 32,
      removeNulls: 27,
      cssDecode: 23,
      cmdLine: 13,
      removeWhitespace: 11,
      replaceComments: 9,
      normalizePath: 8,
      normalizePathWin: 4,
      escapeSeqDecode: 7,
      compressWhitespace: 5,
      length: 3,
      base64Decode: 3,
      sha1: 2,
      hexEncode: 2,
      removeCommentsChar: 1,
    });
    t.equal(new Set(all.map(({ transformations }) => transformations.join())).size, 42);
  });

  t.test('acts', async (t) => {
    const effects = all.flatMap((one) => one.effects);
    t.same(
      tally(effects.map((effect) => (effect.kind === 'setvar' ? `${effect.kind} ${effect.arithmetic}` : effect.kind))),
      { 'setvar add': 611, 'setvar set': 73, control: 10, initcol: 2 },
    );
    t.equal(effects.filter((effect) => effect.kind === 'setvar' && !isPlain(effect.key)).length, 5);
    t.same(tally(effects.flatMap((effect) => (effect.kind === 'control' ? effect.control.kind : []))), {
      'remove-by-tag': 3,
      'force-request-body-variable': 2,
      audit: 2,
      'request-body-processor': 1,
      'remove-by-id': 1,
      'remove-target-by-tag': 1,
    });
    t.same(tally(all.map(({ flow }) => flow.kind)), { next: 497, 'skip-after': 206 });
    t.same(tally(all.flatMap(({ disruptive }) => (disruptive.kind === 'deny' ? disruptive.status : []))), {
      403: 4,
      500: 2,
    });
    t.equal(all.filter(({ msg }) => msg.source !== '').length, 355);
    t.equal(all.filter(({ logdata }) => logdata.source !== '').length, 331);
    t.equal(all.filter(({ severity }) => severity !== null).length, 346);
    t.equal(all.filter(({ capture }) => capture).length, 279);
    t.equal(all.filter(({ multiMatch }) => multiMatch).length, 8);
    t.equal(all.filter(({ log }) => !log).length, 277);
  });

  t.test('has its odd places', async (t) => {
    t.match(rule(980170).msg.source, /^Anomaly Scores: \(Inbound Scores: blocking=/, 'a message on several lines');
    t.match(rule(920490).msg.source, / prefix 'UP' to User-Agent$/, 'escaped quotes');
    t.same(
      rule(922110).targets.map(({ selector }) => selector),
      [{ kind: 'pattern', source: 'MULTIPART_HEADERS_CONTENT_TYPES_*' }],
    );
    const excluded = rule(941100).excluded.map(({ variable, selector }) => [variable, selector.kind]);
    t.ok(
      excluded.some(([variable, kind]) => variable === 'REQUEST_COOKIES' && kind === 'pattern'),
      'an update',
    );
    t.equal(rule(930120).operator?.folder, join(folder, 'rules'), 'data files stand beside the rules');
  });
});
