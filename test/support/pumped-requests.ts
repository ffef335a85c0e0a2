/** Requests that carry pumped texts in one place, and what they cost rules: for the test of hostile values and its measurement. */
import { systemClock } from '../../core/clock.ts';
import { threadTime } from '../../core/thread-time.ts';
import { loadCoreProgram } from '../../detectors/waf/core-rules/core-program.ts';
import { findCoreRules } from '../../detectors/waf/core-rules/find-core-rules.ts';
import { compileRuleSet } from '../../detectors/waf/engine/compile-rule-set.ts';
import type { RuleSet } from '../../detectors/waf/engine/rule-set.ts';
import type { TransactionRequest } from '../../detectors/waf/engine/transaction-types.ts';
import { wafOptions } from '../../detectors/waf/options.ts';
import type { RuleDefinition } from '../../detectors/waf/seclang/definition.ts';
import { engineOptions, programOptions, ruleSetParts } from '../../gateway/waf/open-core-rules.ts';
import { warmUp } from '../../gateway/waf/warm-up.ts';
import { genericPumps, type Pump, pumpsOf } from './pumped-inputs.ts';
import type { Fraction } from './seeded.ts';

export const pumpedPlaces = ['query', 'form', 'cookie', 'header', 'json'] as const;
export type PumpedPlace = (typeof pumpedPlaces)[number];
export const pumpedLengths = [200, 2_000, 20_000] as const;

/** The Core Rule Set in `folder` at paranoia level 4, every other setting as it is shipped. */
export function openStrictRules(folder: string): { readonly rules: RuleSet; readonly budgetMs: number } {
  const settings = wafOptions.parse({ coreRules: { paranoia: 4 } });
  const parts = ruleSetParts({ clock: systemClock });
  const program = loadCoreProgram(findCoreRules(folder), programOptions(settings), parts.files);
  const rules = compileRuleSet(program, engineOptions(settings), parts);
  warmUp(rules);
  return { rules, budgetMs: settings.budget };
}

/** A text for a rule; rule 0 stands for all of them. */
export interface RulePump extends Pump {
  readonly ruleId: number;
}

/** Every pattern of the rules, each once. */
export function patternsOf(rules: RuleSet): readonly { readonly source: string; readonly ruleId: number }[] {
  const sources = new Map<string, number>();
  for (const rule of rules.rules) {
    for (let link: RuleDefinition | null = rule; link !== null; link = link.chained) {
      const { operator } = link;
      if (operator?.name === 'rx' && !sources.has(operator.argument.source)) {
        sources.set(operator.argument.source, rule.id);
      }
    }
  }
  return Array.from(sources, ([source, ruleId]) => ({ source, ruleId }));
}

/** Those of every pattern, and the texts that are hard on many. */
export function pumpsOfRules(
  rules: RuleSet,
  random: Fraction,
): { readonly patterns: number; readonly pumps: readonly RulePump[] } {
  const patterns = patternsOf(rules);
  const own = patterns.flatMap(({ source, ruleId }) => pumpsOf(source, random).map((pump) => ({ ...pump, ruleId })));
  const generic = genericPumps().map((pump) => ({ ...pump, ruleId: 0 }));
  return { patterns: patterns.length, pumps: [...generic, ...own] };
}

export interface PumpedRun {
  /** Processor time of the thread, from the request to the end of the last phase. */
  readonly ms: number;
  readonly exhausted: boolean;
  readonly refused: boolean;
}

export function runPumped(rules: RuleSet, place: PumpedPlace, text: string): PumpedRun {
  const { request, body } = requestWith(place, text);
  const startedAt = threadTime();
  const transaction = rules.begin(request);
  if (transaction.processRequestHeaders() === null) transaction.processRequestBody(body, true);
  transaction.finish();
  const ms = threadTime() - startedAt;
  return { ms, exhausted: transaction.exhausted, refused: transaction.verdict !== null };
}

const ordinaryHeaders = ['Host', 'www.example.com', 'User-Agent', 'Mozilla/5.0', 'Accept', '*/*'];

function requestWith(place: PumpedPlace, text: string): { request: TransactionRequest; body: Buffer | null } {
  switch (place) {
    case 'query':
      return { request: requestOf('GET', `/a?q=${escaped(text)}`, []), body: null };
    case 'cookie':
      return { request: requestOf('GET', '/a', ['Cookie', `a=${asHeader(text)}`]), body: null };
    case 'header':
      return { request: requestOf('GET', '/a', ['Referer', asHeader(text)]), body: null };
    case 'form':
      return post('application/x-www-form-urlencoded', Buffer.from(`q=${escaped(text)}`));
    case 'json':
      return post('application/json', Buffer.from(JSON.stringify({ q: text })));
    default:
      return place satisfies never;
  }
}

function post(contentType: string, body: Buffer): { request: TransactionRequest; body: Buffer } {
  const headers = ['Content-Type', contentType, 'Content-Length', String(body.length)];
  return { request: requestOf('POST', '/a', headers), body };
}

function requestOf(method: string, target: string, headers: readonly string[]): TransactionRequest {
  return {
    id: 'pumped',
    clientAddress: '192.0.2.1',
    clientPort: 50_000,
    serverAddress: '192.0.2.2',
    serverPort: 80,
    method,
    target,
    protocol: 'HTTP/1.1',
    headers: [...ordinaryHeaders, ...headers],
    startedAt: 0,
  };
}

function escaped(text: string): string {
  return text.replace(
    /[^A-Za-z0-9_.~-]/g,
    (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}

/** What Node's parser refuses in a header never comes as far as the rules. */
function asHeader(text: string): string {
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, ' ');
}
