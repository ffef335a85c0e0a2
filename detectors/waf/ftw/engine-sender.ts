/**
 * Sends requests of tests straight into the rule engine: no socket, and every request arrives as it was written. The server in
 * front of the rules and the backend behind them are played by `server-answer.ts` and `simulated-backend.ts`.
 */
import type { Clock } from '../../../core/clock.ts';
import type { Random } from '../../../core/random.ts';
import { defaultEngineOptions } from '../engine/engine-options.ts';
import { compileRuleSet } from '../engine/compile-rule-set.ts';
import type { RuleSet } from '../engine/rule-set.ts';
import type { Transaction } from '../engine/transaction.ts';
import type { TransactionRequest, Verdict } from '../engine/transaction-types.ts';
import { createSqliDetector } from '../injection/sqli-detector.ts';
import { createXssDetector } from '../injection/xss-detector.ts';
import type { RuleProgram, SecLangFault } from '../seclang/definition.ts';
import { createRuleFiles } from '../seclang/rule-files.ts';
import type { StageOutcome } from './check-stage.ts';
import { logLine } from './log-line.ts';
import { parseRawRequest, type RawRequest } from './parse-raw-request.ts';
import type { RequestSender } from './run-test.ts';
import { serverAnswer } from './server-answer.ts';
import { type BackendResponse, simulatedResponse } from './simulated-backend.ts';

/** As ModSecurity's recommended configuration has it. */
const bodyBytes = 13_107_200;

export interface EngineSenderDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface SuiteSender {
  readonly sender: RequestSender;
  /** Mistakes in the rules; the other rules are in use. */
  readonly faults: readonly SecLangFault[];
}

/** An engine with the rules of `program`. Tests are about what rules see, so nothing but their own limits is cut short. */
export function createSuiteSender(
  program: RuleProgram,
  mode: 'on' | 'detection-only',
  deps: EngineSenderDeps,
): SuiteSender {
  const options = {
    ...defaultEngineOptions,
    mode,
    requestBody: { ...defaultEngineOptions.requestBody, limit: bodyBytes },
    responseBody: { ...defaultEngineOptions.responseBody, access: true },
    valueBytes: bodyBytes,
    bodyValueBytes: bodyBytes,
    budgetMs: Number.POSITIVE_INFINITY,
  };
  const ruleSet = compileRuleSet(program, options, {
    clock: deps.clock,
    files: createRuleFiles(),
    detectSqli: createSqliDetector(),
    detectXss: createXssDetector(),
  });
  const send = (raw: string): Promise<StageOutcome> =>
    Promise.resolve(sendToRules(ruleSet, parseRawRequest(raw), deps));
  return { sender: { send }, faults: ruleSet.faults };
}

function sendToRules(ruleSet: RuleSet, raw: RawRequest, { clock, random }: EngineSenderDeps): StageOutcome {
  const answer = serverAnswer(raw);
  if (answer?.status === null) return { error: answer.reason, status: 0, body: '', lines: [] };
  if (answer !== null) return { error: null, status: answer.status, body: answer.reason, lines: [] };
  const request: TransactionRequest = {
    id: random.uuid(),
    clientAddress: '127.0.0.1',
    clientPort: 50_000,
    serverAddress: '127.0.0.1',
    serverPort: 80,
    method: raw.method,
    target: raw.target,
    protocol: raw.protocol,
    headers: raw.headers,
    startedAt: clock.now(),
  };
  const transaction = ruleSet.begin(request);
  const response = simulatedResponse(raw.method, raw.target, raw.body ?? '');
  const verdict = judgeRequest(transaction, raw.body) ?? judgeResponse(transaction, response, raw.method);
  transaction.finish();
  const lines = transaction.matches.map((match) => logLine(match, request, match.ruleId === verdict?.ruleId));
  return { ...answerOf(verdict, response), lines };
}

function judgeRequest(transaction: Transaction, body: string | null): Verdict | null {
  const verdict = transaction.processRequestHeaders();
  if (verdict !== null) return verdict;
  if (body === null || !transaction.wantsRequestBody) return transaction.processRequestBody(null, true);
  const limit = transaction.requestBodyLimit;
  return transaction.processRequestBody(Buffer.from(body.slice(0, limit), 'latin1'), body.length <= limit);
}

function judgeResponse(transaction: Transaction, response: BackendResponse, method: string): Verdict | null {
  const { status, headers, body } = response;
  const verdict = transaction.processResponseHeaders({ status, headers, protocol: 'HTTP/1.1' });
  if (verdict !== null) return verdict;
  if (method === 'HEAD' || !transaction.wantsResponseBody) return transaction.processResponseBody(null, true);
  const limit = transaction.responseBodyLimit;
  return transaction.processResponseBody(Buffer.from(body.slice(0, limit), 'latin1'), body.length <= limit);
}

function answerOf(verdict: Verdict | null, { status, body }: BackendResponse): Omit<StageOutcome, 'lines'> {
  if (verdict === null) return { error: null, status, body };
  switch (verdict.action) {
    case 'deny':
    case 'redirect':
      return { error: null, status: verdict.status, body: '' };
    case 'drop':
      return { error: `rule ${verdict.ruleId} dropped the connection`, status: 0, body: '' };
    default:
      return verdict.action satisfies never;
  }
}
