/** The time that the rules may take for one transaction. */
import t from 'tap';
import { compileRuleSet } from '../../../../detectors/waf/engine/compile-rule-set.ts';
import { defaultEngineOptions, type EngineOptions } from '../../../../detectors/waf/engine/engine-options.ts';
import type { Transaction } from '../../../../detectors/waf/engine/transaction.ts';
import { loadProgram } from '../../../../detectors/waf/seclang/load-program.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { ids, memoryFiles, transactionRequest } from './world.ts';

/** Each look at a text takes `ms`, by a clock that the operator itself moves. */
function slowly(ms: number, options: Partial<EngineOptions>): Transaction {
  const clock = createManualClock();
  const files = memoryFiles({});
  const text = `
SecRule ARGS "@detectXSS" "id:1,phase:2,pass,log,t:none"
SecAction "id:2,phase:2,pass,log"
SecAction "id:3,phase:5,pass,log"`;
  const program = loadProgram([{ kind: 'text', name: 'test', text, folder: '/' }], files);
  const rules = compileRuleSet(
    program,
    { ...defaultEngineOptions, ...options },
    {
      clock,
      files,
      detectXss: () => {
        clock.advance(ms);
        return false;
      },
    },
  );
  const target = `/?${Array.from({ length: 20 }, (_, index) => `a${index}=<${'x'.repeat(10_000)}${index}`).join('&')}`;
  const transaction = rules.begin(transactionRequest({ target }, clock.now()));
  transaction.processRequestHeaders();
  transaction.processRequestBody(null, true);
  transaction.finish();
  return transaction;
}

t.test('rules that stay within it run to their end', async (t) => {
  const transaction = slowly(1, { budgetMs: 50 });
  t.notOk(transaction.exhausted);
  t.same(ids(transaction), [2, 3]);
});

t.test('a transaction that takes longer is refused', async (t) => {
  const transaction = slowly(10, { budgetMs: 50 });
  t.ok(transaction.exhausted);
  t.match(transaction.verdict, { action: 'deny', ruleId: 0, phase: 2 });
  t.notOk(ids(transaction).includes(2), 'no rule was run after that');
});

t.test('or passed, as the option says', async (t) => {
  const transaction = slowly(10, { budgetMs: 50, onBudget: 'pass' });
  t.ok(transaction.exhausted);
  t.equal(transaction.verdict, null);
});

t.test('and where nothing is enforced it is passed', async (t) => {
  const transaction = slowly(10, { budgetMs: 50, mode: 'detection-only' });
  t.ok(transaction.exhausted);
  t.equal(transaction.verdict, null);
});
