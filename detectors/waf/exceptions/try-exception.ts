/**
 * What an exception gives away, and what it is good for: attacks are sent through the rules at the place that it names, with it
 * and without, and stored requests once more. The rules' own work, some milliseconds for all; between two requests whatever
 * else waits has its turn.
 */
import { setImmediate } from 'node:timers/promises';
import type { RuleSet } from '../engine/rule-set.ts';
import { splitTarget } from '../engine/request-target.ts';
import type { TransactionRequest } from '../engine/transaction-types.ts';
import { applyExceptions, ExceptionIndex } from './exception-index.ts';
import { type SampleAttack, sampleAttacks } from './sample-attacks.ts';
import { type TrialPlace, trialRequest } from './trial-request.ts';
import { type ExceptionScope, longestPath, type WafException } from './waf-exception.ts';

type Rules = Pick<RuleSet, 'begin'>;

export interface ExceptionTrial {
  readonly place: TrialPlace;
  /** Of the parameter, header or cookie, in bytes. */
  readonly name: string;
  readonly attacks: number;
  /** Attacks that the rules refuse there now. */
  readonly refused: number;
  /** Those that they would refuse no more. */
  readonly lost: readonly SampleAttack[];
  /** Of which every attack that is refused now would pass. */
  readonly lostKinds: readonly SampleAttack['kind'][];
}

/** `inForce`: what is excepted already. */
export async function tryException(
  rules: Rules,
  scope: ExceptionScope,
  inForce: readonly WafException[],
): Promise<ExceptionTrial> {
  const tried = newException(scope);
  const before = new ExceptionIndex(inForce);
  const after = new ExceptionIndex([...inForce, tried]);
  const refused: SampleAttack[] = [];
  const lost: SampleAttack[] = [];
  for (const attack of sampleAttacks) {
    const { request, body } = trialRequest(scope, attack.value);
    if (isRefused(rules, request, body, scope.site, before)) {
      refused.push(attack);
      if (!isRefused(rules, request, body, scope.site, after)) lost.push(attack);
    }
    await setImmediate();
  }
  const { place, name } = trialRequest(scope, '');
  return {
    place,
    name,
    attacks: sampleAttacks.length,
    refused: refused.length,
    lost,
    lostKinds: kindsOf(lost).filter((kind) => refused.every((each) => each.kind !== kind || lost.includes(each))),
  };
}

/** What is stored of a request that can be sent through the rules once more: no body, and two headers. */
export interface StoredRequest {
  readonly site: string;
  readonly method: string;
  /** Raw. One that is as long as `longestPath` may have been cut, and is not tried. */
  readonly target: string;
  readonly userAgent: string;
}

export interface StoredTrial {
  readonly tried: number;
  /** Those that the rules refuse by what is stored of them. */
  readonly refused: number;
  /** Those that would pass with the exception. */
  readonly passing: number;
}

/** At most `most` of those that the exception concerns. */
export async function tryStored(
  rules: Rules,
  scope: ExceptionScope,
  inForce: readonly WafException[],
  { stored, most }: { readonly stored: readonly StoredRequest[]; readonly most: number },
): Promise<StoredTrial> {
  const tried = newException(scope);
  const before = new ExceptionIndex(inForce);
  const after = new ExceptionIndex([...inForce, tried]);
  const concerned = new ExceptionIndex([tried]);
  const counts = { tried: 0, refused: 0, passing: 0 };
  for (const each of stored) {
    if (counts.tried === most) break;
    if (each.target.length >= longestPath || !/^(?:GET|HEAD)$/.test(each.method)) continue;
    if (concerned.find(each.site, splitTarget(each.target).filename, 0).length === 0) continue;
    counts.tried++;
    const request = { ...trialRequest({ path: '', target: null }, '').request, ...sentAs(each) };
    if (isRefused(rules, request, null, each.site, before)) {
      counts.refused++;
      if (!isRefused(rules, request, null, each.site, after)) counts.passing++;
    }
    await setImmediate();
  }
  return counts;
}

function sentAs({ method, target, userAgent, site }: StoredRequest): Partial<TransactionRequest> {
  const headers = ['Host', site.replace(/^\*\./, 'www.') || 'www.example.com', 'Accept', '*/*'];
  return { method, target, headers: userAgent === '' ? headers : [...headers, 'User-Agent', userAgent] };
}

function isRefused(
  rules: Rules,
  request: TransactionRequest,
  body: Buffer | null,
  site: string,
  exceptions: ExceptionIndex,
): boolean {
  const transaction = rules.begin(request);
  applyExceptions(exceptions.find(site, splitTarget(request.target).filename, 0), transaction);
  const verdict = transaction.processRequestHeaders() ?? transaction.processRequestBody(body, true);
  transaction.finish();
  return verdict !== null;
}

function newException(scope: ExceptionScope): WafException {
  return { ...scope, id: '', comment: '', createdAt: 0, until: null };
}

function kindsOf(attacks: readonly SampleAttack[]): readonly SampleAttack['kind'][] {
  return [...new Set(attacks.map(({ kind }) => kind))];
}
