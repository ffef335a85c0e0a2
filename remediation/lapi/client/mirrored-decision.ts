/**
 * Decisions of another Local API as this gateway keeps them: scopes and values in their one spelling, the time that is left
 * turned into a time at receipt, and a uuid that the same decision gets again after a restart. Wire shape: CrowdSec
 * `pkg/models/decision.go`, as its decision stream and its live answers send it.
 */
import { createHash } from 'node:crypto';
import { parseDuration } from '../../../core/duration.ts';
import { addressBits, formatRange, parseRange } from '../../../core/ip.ts';
import type { Scope } from '../../../detectors/alert.ts';
import { mirroredPrefix, type Decision } from '../../decision.ts';
import { normalScope } from '../../normal-scope.ts';
import { maxNameLength, maxValueLength } from '../../store/write-limits.ts';

/** What identifies a decision of one Local API: it may have several for these three and announces the longest. */
export interface MirroredKey {
  readonly scope: Scope;
  /** In lower case, as bouncers compare it. */
  readonly type: string;
  readonly value: string;
}

export interface MirroredDecision extends MirroredKey {
  readonly origin: string;
  readonly scenario: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** The last moment that a JavaScript date can hold. */
const maxTime = 8.64e15;

/**
 * The decision in an element of a stream or of a live answer, or null when it has no value of its scope or no duration that
 * can be read. One that is marked as simulated is null too: nobody is to act on it.
 */
export function readMirrored(element: unknown, receivedAt: number): MirroredDecision | null {
  const key = readMirroredKey(element);
  if (key === null) return null;
  const { duration, origin, scenario, simulated } = element as Readonly<Record<string, unknown>>;
  if (simulated === true || typeof duration !== 'string') return null;
  const leftMs = wholeSeconds(duration) ?? parseDuration(duration);
  if (leftMs === null) return null;
  return {
    ...key,
    origin: textWithin(origin, maxNameLength),
    scenario: textWithin(scenario, maxValueLength),
    until: Math.min(maxTime, receivedAt + leftMs),
  };
}

/** `3h59m58s` in milliseconds, or null for anything else: a million such are read in one go. */
function wholeSeconds(text: string): number | null {
  let total = 0;
  let number = 0;
  let hasDigit = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) {
      number = number * 10 + code - 0x30;
      hasDigit = true;
      continue;
    }
    // A unit of two letters starts like one of these; its second letter comes without a digit.
    if (!hasDigit) return null;
    if (code === 0x68) total += number * 3_600_000;
    else if (code === 0x6d) total += number * 60_000;
    else if (code === 0x73) total += number * 1_000;
    else return null;
    number = 0;
    hasDigit = false;
  }
  return hasDigit || text === '' ? null : total;
}

/** Which decision an element is about: all that counts of one that was deleted. */
export function readMirroredKey(element: unknown): MirroredKey | null {
  if (typeof element !== 'object' || element === null) return null;
  const { scope, type, value } = element as Readonly<Record<string, unknown>>;
  if (typeof scope !== 'string' || typeof type !== 'string' || typeof value !== 'string') return null;
  if (scope === '' || type === '' || scope.length > maxNameLength || type.length > maxNameLength) return null;
  const ownScope = normalScope(scope);
  const ownValue = normalValue(ownScope, value);
  return ownValue === null ? null : { scope: ownScope, type: type.toLowerCase(), value: ownValue };
}

function normalValue(scope: Scope, value: string): string | null {
  if (value === '' || value.length > maxValueLength) return null;
  switch (scope) {
    case 'Ip':
    case 'Range': {
      const range = parseRange(value);
      if (range === null) return null;
      const isAddress = scope === 'Ip' && range.prefix === addressBits(range.address);
      return isAddress ? range.address.text : formatRange(range);
    }
    case 'Country':
      return value.toUpperCase();
    case 'AS':
      return value.replace(/^as/i, '');
    default:
      return value.toWellFormed();
  }
}

function textWithin(value: unknown, length: number): string {
  return typeof value === 'string' ? value.slice(0, length) : '';
}

/** What the uuids of all that comes from one Local API begin with. */
export function mirrorPrefix(lapi: string): string {
  return `${mirroredPrefix}${lapi}/`;
}

/** Readable for addresses; a value too long for a uuid is replaced by its digest. */
export function mirroredUuid(lapi: string, { scope, type, value }: MirroredKey): string {
  const start = mirrorPrefix(lapi);
  const rest = `${escaped(scope)}/${escaped(type)}/${value}`;
  if (start.length + rest.length <= maxNameLength) return start + rest;
  // No escaped scope begins with this mark.
  return `${start}#${createHash('sha256').update(rest).digest('hex')}`;
}

function escaped(word: string): string {
  return /^[A-Za-z0-9_-]+$/.test(word) ? word : encodeURIComponent(word.toWellFormed());
}

/** As the store and the index get it. */
export function decisionOf(lapi: string, mirrored: MirroredDecision, createdAt: number): Decision {
  const { scope, type, value, origin, scenario, until } = mirrored;
  const uuid = mirroredUuid(lapi, mirrored);
  return { uuid, origin, scenario, scope, value, type, until, createdAt, simulated: false, alertUuid: null };
}
