/**
 * `Profiles`: what an alert leads to. Profiles are asked in order; their filters are OR-ed, all are evaluated, and each
 * that holds emits the profile's decisions once more. The first profile that matches decides, later ones only notify.
 * Semantics: CrowdSec `pkg/csprofiles`, its omissions included: `on_failure` has no effect.
 */
import { parseDuration } from '../../core/duration.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Alert, Scope } from '../../detectors/alert.ts';
import type { Expression, ExpressionCompiler } from '../../detectors/expr/compile.ts';
import type { ProfileDecision, ProfileDocument } from './profile-documents.ts';

/** A decision before it is made: about the value of the alert's source. */
export interface DecisionDraft {
  readonly type: string;
  readonly scope: Scope;
  readonly origin: string;
  readonly durationMs: number;
  readonly simulated: boolean;
}

export interface ProfileOutcome {
  readonly drafts: readonly DecisionDraft[];
  /** The profiles that matched, in order, with the channels that they notify. */
  readonly matched: readonly { readonly profile: string; readonly notifications: readonly string[] }[];
  /** Why the alert is rejected: a profile without `on_error` failed. There are no drafts then. */
  readonly rejected: GatewayError | null;
}

export interface Profiles {
  /** Never throws: what fails is logged and follows the profile's `on_error`. */
  evaluate(alert: Alert): ProfileOutcome;
  readonly names: readonly string[];
}

export interface ProfilesOptions {
  readonly documents: readonly ProfileDocument[];
  /** Of the profile environment, where `Alert` and the counts of decisions are known. */
  readonly compiler: ExpressionCompiler;
  /** The alert as expressions see it. */
  readonly view: (alert: Alert) => object;
  readonly log: Log;
  /** What `duration_expr` may grow to. A duration written in the profile is not capped. */
  readonly maxDurationMs?: number;
}

const day = 86_400_000;

interface Profile {
  readonly document: ProfileDocument;
  readonly filters: readonly Expression[];
  readonly duration: Expression | null;
}

/** @throws GatewayError PROFILE_INVALID that lists every expression that cannot be compiled. */
export function createProfiles(options: ProfilesOptions): Profiles {
  const { log, view, maxDurationMs = 7 * day } = options;
  const profiles = compileAll(options.documents, options.compiler);

  const durationOf = (profile: Profile, scope: object, decision: ProfileDecision): number => {
    const { document, duration } = profile;
    if (duration === null) return decision.durationMs;
    try {
      const text = String(duration.evaluate(scope));
      const durationMs = parseDuration(text);
      if (durationMs !== null) return Math.min(durationMs, maxDurationMs);
      log.warn({ profile: document.name, duration: text.slice(0, 100) }, 'duration_expr gives no duration');
    } catch (thrown) {
      log.warn({ profile: document.name, err: thrown }, 'duration_expr failed');
    }
    return decision.durationMs;
  };

  const draftsOf = (profile: Profile, alert: Alert, scope: object): DecisionDraft[] =>
    (profile.document.decisions ?? []).map((decision) => ({
      type: decision.type,
      scope: decision.scope === '' ? alert.source.scope : decision.scope,
      origin: decision.origin === '' ? 'crowdsec' : `crowdsec/${decision.origin}`,
      durationMs: durationOf(profile, scope, decision),
      // CrowdSec forgets the profile's own flag and enforces what was meant to be simulated.
      simulated: alert.simulated || decision.simulated,
    }));

  const ask = (profile: Profile, alert: Alert, scope: object): { matched: boolean; drafts: DecisionDraft[] } => {
    let matched = false;
    const drafts: DecisionDraft[] = [];
    for (const filter of profile.filters) {
      const holds = filter.evaluate(scope);
      if (profile.document.debug) log.info({ profile: profile.document.name, filter: filter.source, holds }, 'filter');
      if (holds !== true) continue;
      matched = true;
      drafts.push(...draftsOf(profile, alert, scope));
    }
    return { matched, drafts };
  };

  return {
    names: profiles.map(({ document }) => document.name),
    evaluate(alert) {
      const scope = { Alert: view(alert) };
      const matched: { profile: string; notifications: readonly string[] }[] = [];
      let drafts: readonly DecisionDraft[] = [];
      for (const profile of profiles) {
        const { name, on_success: onSuccess, on_error: onError, notifications } = profile.document;
        let found: { matched: boolean; drafts: DecisionDraft[] };
        try {
          found = ask(profile, alert, scope);
        } catch (thrown) {
          log.error({ profile: name, err: thrown, onError, scenario: alert.scenario }, 'a profile failed');
          if (onError === '') return { drafts: [], matched: [], rejected: rejection(name, thrown) };
          // As in CrowdSec: a failed profile makes no decisions, whatever `on_error` says; `apply` lets it notify.
          found = { matched: onError === 'apply', drafts: [] };
          if (onError === 'break') return { drafts, matched, rejected: null };
        }
        if (!found.matched) continue;
        if (drafts.length === 0) drafts = found.drafts;
        matched.push({ profile: name, notifications: notifications ?? [] });
        if (onSuccess === 'break') break;
      }
      return { drafts, matched, rejected: null };
    },
  };
}

function rejection(name: string, thrown: unknown): GatewayError {
  return new GatewayError('EXPRESSION_RAISED', `profile ${name}: ${messageOf(thrown)}`, {
    remedy: 'Correct the profile, or say with on_error what shall happen.',
    cause: thrown,
  });
}

function compileAll(documents: readonly ProfileDocument[], compiler: ExpressionCompiler): Profile[] {
  const faults: string[] = [];
  const compile = (name: string, source: string, expected: 'bool' | 'any'): Expression[] => {
    try {
      return [compiler.compile(source, expected)];
    } catch (thrown) {
      faults.push(`profile ${name}: ${messageOf(thrown)}`);
      return [];
    }
  };
  const profiles = documents.map((document) => ({
    document,
    filters: document.filters.flatMap((source) => compile(document.name, source, 'bool')),
    duration: document.duration_expr === '' ? null : (compile(document.name, document.duration_expr, 'any')[0] ?? null),
  }));
  if (faults.length === 0) return profiles;
  throw new GatewayError('PROFILE_INVALID', faults.join('\n'), {
    remedy: 'Correct the expressions of these profiles.',
  });
}
