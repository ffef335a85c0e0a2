/**
 * The tokens that agents get for their password: JWT (RFC 7519) signed with HS256, and nothing else is read. The messages are those
 * of CrowdSec's server, because agents print them. Specification: CrowdSec `pkg/apiserver/middlewares/v1/jwt.go`, gin-jwt.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../../core/random.ts';
import { secretBytes } from '../options.ts';

/** What is wrong with a token, and the status that says so. */
export class TokenError extends Error {
  readonly status: 400 | 401;

  constructor(message: string, status: 400 | 401 = 401) {
    super(message);
    this.name = 'TokenError';
    this.status = status;
  }
}

export interface IssuedToken {
  readonly token: string;
  /** Epoch milliseconds, whole seconds. */
  readonly expiresAt: number;
}

export interface MachineTokens {
  /** `now` in epoch milliseconds. */
  issue(machineId: string, now: number): IssuedToken;
  /** The machine that the token was issued to. @throws TokenError */
  verify(token: string, now: number): string;
}

const lifetimeSeconds = 3_600;
const longestToken = 4_096;
const header = encode({ alg: 'HS256', typ: 'JWT' });

/** With `secret` null the key is made up, and tokens die with the process. */
export function createMachineTokens(secret: string | null, random: Random): MachineTokens {
  const key = secret === null ? Buffer.from(random.bytes(secretBytes)) : Buffer.from(secret);
  const signatureOf = (signed: string): string => createHmac('sha256', key).update(signed).digest('base64url');
  return {
    issue(machineId, now) {
      const at = Math.floor(now / 1_000);
      const exp = at + lifetimeSeconds;
      const signed = `${header}.${encode({ exp, id: machineId, orig_iat: at })}`;
      return { token: `${signed}.${signatureOf(signed)}`, expiresAt: exp * 1_000 };
    },
    verify(token, now) {
      if (token.length > longestToken) throw new TokenError('token is malformed: it is too long');
      const [head = '', claims = '', signature = '', ...more] = token.split('.');
      if (token.split('.', 4).length !== 3 || more.length > 0) {
        throw new TokenError('token contains an invalid number of segments');
      }
      if (decode(head).alg !== 'HS256') throw new TokenError('invalid signing algorithm');
      const read = decode(claims);
      // Compared as text: another spelling of the same bytes is not what was issued.
      if (!isSame(signature, signatureOf(`${head}.${claims}`))) throw new TokenError('signature is invalid');
      return machineOf(read, now);
    },
  };
}

function machineOf({ exp, id }: Readonly<Record<string, unknown>>, now: number): string {
  if (exp === undefined || exp === null) throw new TokenError('missing exp field', 400);
  if (typeof exp !== 'number') throw new TokenError('exp must be float64 format', 400);
  if (exp * 1_000 <= now) throw new TokenError('Token is expired');
  if (typeof id !== 'string' || id === '') throw new TokenError('token names no machine');
  return id;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Readonly<Record<string, unknown>> {
  if (/^[A-Za-z0-9_-]+$/.test(part)) {
    try {
      const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    } catch {
      // Said below, whatever it is that is wrong.
    }
  }
  throw new TokenError('token is malformed');
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
