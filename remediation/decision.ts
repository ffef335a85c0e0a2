/**
 * `Decision`: a remediation for whatever a scope and a value cover, until a time. Meanings are CrowdSec's
 * (`pkg/models/decision.go`); times are epoch milliseconds here and durations only on the wire.
 */
import type { Scope } from '../detectors/alert.ts';

/** Severity falls from left to right; a type that is none of these counts as a ban, with a warning. */
export const remediationTypes = ['ban', 'captcha', 'throttle'] as const;
export type KnownRemediation = (typeof remediationTypes)[number];

/** Where a decision came from. CrowdSec's words: this engine, the command line, a Central API, a list, another LAPI. */
export type Origin = 'crowdsec' | 'cscli' | 'CAPI' | 'lists' | 'console' | 'cscli-import' | (string & {});

export interface Decision {
  readonly uuid: string;
  readonly origin: Origin;
  readonly scenario: string;
  readonly scope: Scope;
  /** Canonical: an address or range as `core/ip.ts` spells it, an AS number without `AS`, an upper-case ISO country. */
  readonly value: string;
  /** `ban`, `captcha`, `throttle`, or a word of the operator's own. */
  readonly type: string;
  /** Epoch milliseconds at which it stops to apply. */
  readonly until: number;
  readonly createdAt: number;
  /** A simulated decision is stored and shown, never enforced. */
  readonly simulated: boolean;
  /** The alert it follows from, or null for those made by hand or pulled. */
  readonly alertUuid: string | null;
}

/**
 * What a decision's type is enforced as. A word that is none of ours is a ban: an operator who made it up meant to refuse,
 * and a gateway that lets pass what it does not understand fails open.
 */
export function enforcedAs(type: string): KnownRemediation {
  return isKnownRemediation(type) ? type : 'ban';
}

export function isKnownRemediation(type: string): type is KnownRemediation {
  return (remediationTypes as readonly string[]).includes(type);
}

/** How severe a type is when several decisions cover one source: 3 ban, 2 captcha, 1 throttle, 0 any other word. */
export function severityOf(type: string): number {
  return isKnownRemediation(type) ? remediationTypes.length - remediationTypes.indexOf(type) : 0;
}

/** Begins the uuid of every decision that is a copy of another Local API's. */
export const mirroredPrefix = 'lapi/';

/**
 * Whether it was made here about an offence, `crowdsec/…` being an origin that a profile names: what escalation counts.
 * Simulated decisions, copies of another Local API's, and whatever people or lists brought do not count.
 */
export function isOwn({ origin, simulated, uuid }: Pick<Decision, 'origin' | 'simulated' | 'uuid'>): boolean {
  return !simulated && (origin === 'crowdsec' || origin.startsWith('crowdsec/')) && !uuid.startsWith(mirroredPrefix);
}

/** A 31-bit mark of a decision (FNV-1a of its uuid): what the index keeps instead of 36 characters. */
export function uuidTag(uuid: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < uuid.length; index++) hash = Math.imul(hash ^ uuid.charCodeAt(index), 0x01000193);
  return hash >>> 1;
}
