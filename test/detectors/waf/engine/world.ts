/** A rule set from a text, and requests to run through it. */
import { compileRuleSet } from '../../../../detectors/waf/engine/compile-rule-set.ts';
import { defaultEngineOptions, type EngineOptions } from '../../../../detectors/waf/engine/engine-options.ts';
import type { RuleSet } from '../../../../detectors/waf/engine/rule-set.ts';
import type { Transaction } from '../../../../detectors/waf/engine/transaction.ts';
import type { TransactionRequest, TransactionResponse } from '../../../../detectors/waf/engine/transaction-types.ts';
import { loadProgram } from '../../../../detectors/waf/seclang/load-program.ts';
import type { RuleFiles } from '../../../../detectors/waf/seclang/rule-files.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';

export interface SampleRequest {
  readonly method?: string;
  readonly target?: string;
  readonly protocol?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly client?: string;
  readonly id?: string;
  readonly response?: TransactionResponse & { readonly body?: string };
}

/** Files by path, one character for each byte. */
export function memoryFiles(files: Readonly<Record<string, string>>): RuleFiles {
  return {
    read(path) {
      const text = files[path];
      if (text === undefined) throw new Error(`${path} is not there`);
      return text;
    },
    glob: () => [],
  };
}

export interface World {
  readonly rules: RuleSet;
  readonly clock: ManualClock;
  /** All phases of one request. */
  readonly run: (request?: SampleRequest) => Transaction;
}

/** @throws Error when the rules have mistakes: tests are about what they do. */
export function world(text: string, options: Partial<EngineOptions> = {}, files = memoryFiles({})): World {
  const program = loadProgram([{ kind: 'text', name: 'test', text, folder: '/' }], files);
  const clock = createManualClock();
  const rules = compileRuleSet(program, { ...defaultEngineOptions, ...options }, { clock, files });
  const mistakes = rules.faults.filter(({ level }) => level === 'error');
  if (mistakes.length > 0) throw new Error(mistakes.map(({ reason }) => reason).join('; '));
  return { rules, clock, run: (request = {}) => run(rules, clock, request) };
}

export function transactionRequest(request: SampleRequest, startedAt = 0): TransactionRequest {
  return {
    id: request.id ?? 'request-1',
    clientAddress: request.client ?? '203.0.113.7',
    clientPort: 40_000,
    serverAddress: '198.51.100.1',
    serverPort: 80,
    method: request.method ?? 'GET',
    target: request.target ?? '/',
    protocol: request.protocol ?? 'HTTP/1.1',
    headers: request.headers ?? [],
    startedAt,
  };
}

function run(rules: RuleSet, clock: ManualClock, request: SampleRequest): Transaction {
  const transaction = rules.begin(transactionRequest(request, clock.now()));
  transaction.processRequestHeaders();
  transaction.processRequestBody(request.body === undefined ? null : Buffer.from(request.body, 'latin1'), true);
  if (request.response !== undefined) {
    const { body } = request.response;
    transaction.processResponseHeaders(request.response);
    transaction.processResponseBody(body === undefined ? null : Buffer.from(body, 'latin1'), true);
  }
  transaction.finish();
  return transaction;
}

/** Ids of the rules that matched, in their order. */
export function ids(transaction: Transaction): readonly number[] {
  return transaction.matches.map(({ ruleId }) => ruleId);
}
