/**
 * Sends requests of tests straight into the rule engine: no socket, and every request arrives as it was written. The server in
 * front of the rules and the backend behind them are played by `server-answer.ts` and `simulated-backend.ts`.
 */
import type { Clock } from '../../../core/clock.ts';
import type { Random } from '../../../core/random.ts';
import type { RuleSet } from '../engine/rule-set.ts';
import type { Transaction } from '../engine/transaction.ts';
import type { TransactionRequest, Verdict } from '../engine/transaction-types.ts';
import type { StageOutcome } from './check-stage.ts';
import { logLine } from './log-line.ts';
import { parseRawRequest, type RawRequest } from './parse-raw-request.ts';
import type { RequestSender } from './run-test.ts';
import { serverAnswer } from './server-answer.ts';
import { type BackendResponse, simulatedResponse } from './simulated-backend.ts';

export interface EngineSenderDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export function createEngineSender(ruleSet: RuleSet, deps: EngineSenderDeps): RequestSender {
  return { send: (raw) => Promise.resolve(sendToRules(ruleSet, parseRawRequest(raw), deps)) };
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
  switch (verdict?.action) {
    case undefined:
      return { error: null, status, body };
    case 'deny':
    case 'redirect':
      return { error: null, status: verdict.status, body: '' };
    case 'drop':
      return { error: `rule ${verdict.ruleId} dropped the connection`, status: 0, body: '' };
    default:
      return verdict.action satisfies never;
  }
}
