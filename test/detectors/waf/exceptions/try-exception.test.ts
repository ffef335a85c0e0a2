import fc from 'fast-check';
import t from 'tap';
import { loadCoreProgram } from '../../../../detectors/waf/core-rules/core-program.ts';
import { findCoreRules } from '../../../../detectors/waf/core-rules/find-core-rules.ts';
import { compileRuleSet } from '../../../../detectors/waf/engine/compile-rule-set.ts';
import { defaultEngineOptions } from '../../../../detectors/waf/engine/engine-options.ts';
import type { RuleSet } from '../../../../detectors/waf/engine/rule-set.ts';
import { sampleAttacks } from '../../../../detectors/waf/exceptions/sample-attacks.ts';
import { trialRequest } from '../../../../detectors/waf/exceptions/trial-request.ts';
import { type StoredRequest, tryException, tryStored } from '../../../../detectors/waf/exceptions/try-exception.ts';
import {
  type ExceptionScope,
  formatTarget,
  parseTarget,
  type WafException,
} from '../../../../detectors/waf/exceptions/waf-exception.ts';
import { createRuleFiles } from '../../../../detectors/waf/seclang/rule-files.ts';
import { wafOptions } from '../../../../detectors/waf/options.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { suitePath } from '../../../support/suites.ts';
import { world } from '../engine/world.ts';

function scope(target: string | null, more: Partial<ExceptionScope> = {}): ExceptionScope {
  return { ruleId: 1, site: '', path: '/a', target: target === null ? null : parseTarget(target), ...more };
}

const inForce = (more: ExceptionScope): WafException => ({
  ...more,
  id: '00000000',
  comment: '',
  createdAt: 0,
  until: null,
});

/** One rule that refuses what has the word in one variable. */
const only = (variable: string, word = 'passwd'): RuleSet =>
  world(`
    SecRuleEngine On
    SecRequestBodyAccess On
    SecRule REQUEST_HEADERS:Content-Type "@contains json" "id:10,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
    SecRule REQUEST_HEADERS:Content-Type "@contains xml" "id:11,phase:1,pass,nolog,ctl:requestBodyProcessor=XML"
    SecRule "${variable}" "@contains ${word}" "id:1,phase:2,deny,status:403"
  `).rules;

t.test('a value is put where the exception says', async (t) => {
  const cases: readonly (readonly [target: string | null, variable: string, place: string])[] = [
    [null, 'ARGS_GET:q', 'query parameter'],
    ['ARGS:name', 'ARGS:name', 'query parameter'],
    ['ARGS:a%20b%26c%3Dd', 'ARGS:/^a b&c=d$/', 'query parameter'],
    ['ARGS:grün', 'ARGS:gr\xc3\xbcn', 'query parameter'],
    ['ARGS_POST:name', 'ARGS_POST:name', 'form field'],
    ['REQUEST_BODY', 'REQUEST_BODY', 'form field'],
    ['ARGS:json.a.b', 'ARGS:json.a.b', 'JSON value'],
    ['XML:/*', 'XML:/*', 'XML text'],
    ['REQUEST_HEADERS:X-Note', 'REQUEST_HEADERS:X-Note', 'header'],
    ['REQUEST_HEADERS:user-agent', 'REQUEST_HEADERS:User-Agent', 'header'],
    ['REQUEST_COOKIES:theme', 'REQUEST_COOKIES:theme', 'cookie'],
    ['FILES:doc', 'FILES:doc', 'file name'],
    ['ARGS_NAMES:q', 'ARGS_NAMES', 'query parameter name'],
    ['REQUEST_FILENAME', 'REQUEST_FILENAME', 'path'],
    ['REQUEST_METHOD', 'ARGS:q', 'query parameter'],
  ];
  for (const [target, variable, place] of cases) {
    const rules = only(variable);
    const { request, body, place: put } = trialRequest(scope(target), 'xpasswdx');
    t.equal(put, place, variable);
    const run = (name: string): number | undefined => {
      const transaction = rules.begin({ ...request, id: name });
      const verdict = transaction.processRequestHeaders() ?? transaction.processRequestBody(body, true);
      return verdict?.ruleId;
    };
    t.equal(run('one'), 1, `${target ?? 'whole rule'} is seen in ${variable}`);
    const names = request.headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    t.equal(new Set(names).size, names.length, 'no header stands twice');
  }
  t.equal(cases.length, 15);
});

t.test('any name finds its place', async (t) => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((array) => Buffer.from(array).toString('latin1'));
  fc.assert(
    fc.property(bytes, (name) => {
      const { request } = trialRequest(scope(null, { target: { variable: 'ARGS', name } }), 'xpasswdx');
      const transaction = only('ARGS').begin(request);
      transaction.processRequestHeaders();
      transaction.processRequestBody(null, true);
      const at = /^json(?:\.|$)/i.test(name) ? 'ARGS' : `ARGS:${name}`;
      if (at !== 'ARGS')
        t.equal(transaction.matches[0]?.values[0]?.variable, at, formatTarget({ variable: 'ARGS', name }));
    }),
    { seed: 20_260_804, numRuns: 60 },
  );
});

t.test('what an exception gives away is what is refused without it and passes with it', async (t) => {
  const rules = only('ARGS');
  const words = sampleAttacks.filter(({ value }) => value.includes('passwd'));
  t.ok(words.length >= 2);
  const trial = await tryException(rules, scope('ARGS:q'), []);
  t.match(trial, { place: 'query parameter', name: 'q', attacks: sampleAttacks.length, refused: words.length });
  t.same(trial.lost, words);
  t.same(
    trial.lostKinds.toSorted(),
    [...new Set(words.map(({ kind }) => kind))].toSorted(),
    'nothing is left against kinds of which all is lost',
  );
  t.same((await tryException(rules, scope('ARGS:q', { ruleId: 2 }), [])).lost, [], 'another rule');
  t.same((await tryException(rules, scope('REQUEST_FILENAME'), [])).lost, [], 'a path is only itself');
  t.match(await tryException(rules, scope('ARGS:q'), [inForce(scope(null, { path: '' }))]), { refused: 0, lost: [] });
  t.match(await tryException(rules, scope('ARGS:q'), [inForce(scope('ARGS:p'))]), { refused: words.length });
  t.equal((await tryException(rules, scope(null, { path: '/a/*' }), [])).lost.length, words.length, 'a beginning');
  t.equal((await tryException(rules, scope(null, { path: '', site: 'shop' }), [])).lost.length, words.length, 'a site');
});

t.test('stored requests once more', async (t) => {
  const stored = (target: string, more: Partial<StoredRequest> = {}): StoredRequest => ({
    site: 'shop',
    method: 'GET',
    target,
    userAgent: 'a',
    ...more,
  });
  const rules = only('ARGS');
  const found = [
    stored('/a?q=passwd'),
    stored('/a?q=passwd&p=passwd'),
    stored('/a?q=fine'),
    stored('/b?q=passwd'),
    stored('/a?q=passwd', { site: 'blog' }),
    stored('/a?q=passwd', { method: 'POST' }),
    stored(`/a?q=passwd${'x'.repeat(2_048)}`),
  ];
  const shop = scope('ARGS:q', { site: 'shop' });
  t.same(await tryStored(rules, shop, [], { stored: found, most: 100 }), { tried: 3, refused: 2, passing: 1 });
  t.same(await tryStored(rules, shop, [], { stored: found, most: 1 }), { tried: 1, refused: 1, passing: 1 });
  const others = [inForce(scope('ARGS:p'))];
  t.same(await tryStored(rules, shop, others, { stored: found, most: 100 }), { tried: 3, refused: 2, passing: 2 });
  const agent = only('REQUEST_HEADERS:User-Agent', 'scanner');
  const scanner = [stored('/a', { userAgent: 'a scanner' })];
  const other = scope('REQUEST_HEADERS:user-agent');
  t.same(await tryStored(agent, other, [], { stored: scanner, most: 9 }), { tried: 1, refused: 1, passing: 1 });
});

t.test(
  'the Core Rule Set refuses the attacks in every place; an exception in one costs nothing in another',
  async (t) => {
    const folder = suitePath(t, 'crs');
    if (folder === null) return;
    const files = createRuleFiles();
    const waf = wafOptions.parse({});
    const program = loadCoreProgram(
      findCoreRules(folder),
      { ...waf.coreRules, argumentsLimit: waf.requestBody.arguments },
      files,
    );
    const rules = compileRuleSet(program, defaultEngineOptions, { clock: createManualClock(), files });
    const all = sampleAttacks.length;
    t.equal(all, 48);
    t.equal(new Set(sampleAttacks.map(({ value }) => value)).size, all);
    for (const target of [null, 'ARGS:q', 'ARGS_POST:q', 'ARGS:json.a']) {
      const trial = await tryException(rules, scope(target, { ruleId: 942_100 }), []);
      t.equal(trial.refused, all, `${target ?? 'the whole rule'}: all ${all} are refused without it`);
      t.ok(trial.lost.length < 6 && trial.lost.every(({ kind }) => kind === 'SQL injection'));
      t.same(trial.lostKinds, []);
    }
    for (const target of ['REQUEST_COOKIES:theme', 'XML:/*', 'ARGS_NAMES', 'FILES:doc']) {
      const { refused } = await tryException(rules, scope(target, { ruleId: 942_100 }), []);
      t.ok(refused > 0.7 * all, `${target}: ${refused} of ${all}`);
    }
    const deciding = await tryException(rules, scope(null, { ruleId: 949_110 }), []);
    t.equal(deciding.lost.length, all);
    t.equal(deciding.lostKinds.length, new Set(sampleAttacks.map(({ kind }) => kind)).size);
  },
);
