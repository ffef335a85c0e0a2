/**
 * Who may ask what. Bouncers show a key or a certificate, agents a token; each refusal is CrowdSec's to the letter, and a source that
 * fails again and again has nothing looked up for it any more. What is known in memory stays good meanwhile, so that nobody is
 * locked out by a neighbour behind the same address. Specification: CrowdSec `pkg/apiserver/middlewares/v1`.
 */
import type { FastifyRequest } from 'fastify';
import { type IpRange, parseIp, parseRange } from '../../../core/ip.ts';
import type { Runtime } from '../../../core/runtime.ts';
import type { Bouncer } from '../../bouncer.ts';
import type { BouncerCredential, BouncerDesk } from '../../callers/bouncer-keys.ts';
import type { MachineDesk } from '../../callers/machine-desk.ts';
import { anyContains } from '../../allowed/protected-sources.ts';
import { LapiError, type LapiGuards } from '../lapi-context.ts';
import type { FailureLimits } from './failure-limits.ts';
import type { LapiCounters } from './lapi-counters.ts';
import { type MachineTokens, TokenError } from './machine-tokens.ts';
import type { ClientCertificate } from './peers.ts';

export interface GuardParts extends Pick<Runtime, 'clock' | 'log'> {
  readonly bouncers: BouncerDesk;
  readonly machines: MachineDesk;
  readonly tokens: MachineTokens;
  readonly failures: FailureLimits;
  readonly counters: LapiCounters;
  readonly trustedIps: readonly IpRange[];
  readonly bouncersAllowedOu: readonly string[];
  readonly certificateOf: (request: FastifyRequest) => ClientCertificate | null;
}

const bearer = 'Bearer ';

/** Of who is known in memory, as nearly everybody is: one promise for all, since it costs as much as the rest of a guard. */
const admitted = Promise.resolve();

export function createGuards(parts: GuardParts): LapiGuards {
  const machine = (request: FastifyRequest): Promise<void> => admitMachine(request, parts);
  const bouncer = (request: FastifyRequest): Promise<void> => admitBouncer(request, parts);
  return {
    bouncer,
    machine,
    either: (request) => (isMachine(request) ? machine(request) : bouncer(request)),
    async trustedIp({ lapiClientIp }) {
      if (isLocal(lapiClientIp)) return;
      const address = parseIp(lapiClientIp);
      if (address !== null && anyContains(parts.trustedIps, address)) return;
      throw new LapiError(403, `access forbidden from this IP (${lapiClientIp})`);
    },
  };
}

const loopback = [parseRange('127.0.0.0/8'), parseRange('::1')].filter((range) => range !== null);

/** This machine itself, also over a unix socket. */
export function isLocal(clientIp: string): boolean {
  const address = parseIp(clientIp);
  return address !== null && anyContains(loopback, address);
}

function admitBouncer(request: FastifyRequest, parts: GuardParts): Promise<void> {
  const { bouncers, failures } = parts;
  const clientIp = request.lapiClientIp;
  const credential = credentialOf(request, parts);
  const found =
    credential === null
      ? null
      : bouncers.identify({
          credential,
          clientIp,
          userAgent: request.headers['user-agent'] ?? '',
          isProbe: request.method === 'HEAD',
          mayAsk: () => !failures.isLimited(clientIp),
        });
  if (found === null || found instanceof Promise) return admitFound(found, request, parts);
  request.lapiCaller = { kind: 'bouncer', bouncer: found };
  return admitted;
}

/** @throws LapiError 403 when that is nobody. */
async function admitFound(
  found: Promise<Bouncer | null> | null,
  request: FastifyRequest,
  { failures, counters, log }: GuardParts,
): Promise<void> {
  const bouncer = await found;
  if (bouncer !== null) {
    request.lapiCaller = { kind: 'bouncer', bouncer };
    return;
  }
  const clientIp = request.lapiClientIp;
  counters.refusedCredentials.add('bouncer');
  if (failures.failed(clientIp)) {
    log.warn({ clientIp }, 'the Local API refused a bouncer: its key or certificate is nobody’s');
  }
  throw new LapiError(403, 'access forbidden');
}

/** With a certificate the key does not count. */
function credentialOf(request: FastifyRequest, parts: GuardParts): BouncerCredential | null {
  const certificate = parts.certificateOf(request);
  if (certificate !== null) {
    const isGood = isUsable(certificate, parts.bouncersAllowedOu, parts.clock.now());
    return isGood ? { commonName: certificate.commonName } : null;
  }
  const key = request.headers['x-api-key'];
  return typeof key === 'string' && key !== '' ? { key } : null;
}

/** Whether a certificate that was verified is in date and of one of these units. */
export function isUsable(certificate: ClientCertificate, allowedUnits: readonly string[], now: number): boolean {
  if (certificate.isRevoked) return false;
  return now <= certificate.validTo && certificate.organizationalUnits.some((unit) => allowedUnits.includes(unit));
}

async function admitMachine(request: FastifyRequest, parts: GuardParts): Promise<void> {
  const { machines, tokens, failures, counters, clock, log } = parts;
  const clientIp = request.lapiClientIp;
  try {
    // Else its token would outlive it.
    if (parts.certificateOf(request)?.isRevoked === true) throw new TokenError('certificate is revoked');
    const id = tokens.verify(tokenOf(request), clock.now());
    const machine = await machines.find(id, () => !failures.isLimited(clientIp));
    // Deviation: CrowdSec does not ask the table, and a token outlives its machine.
    if (machine === null) throw new TokenError(`machine ${id} not found`);
    if (!machine.validated) throw new TokenError(`machine ${id} not validated`);
    request.lapiCaller = { kind: 'machine', machine };
  } catch (thrown) {
    if (thrown instanceof TokenError) {
      counters.refusedCredentials.add('machine');
      if (failures.failed(clientIp)) log.info({ clientIp, cause: thrown.message }, 'the Local API refused a token');
    }
    throw thrown;
  }
}

/** From the header, else from the cookie `jwt`. */
function tokenOf({ headers }: FastifyRequest): string {
  const { authorization = '', cookie = '' } = headers;
  if (authorization.startsWith(bearer)) return authorization.slice(bearer.length);
  const token = /(?:^|;)\s*jwt=([^;]*)/.exec(cookie)?.[1]?.trim();
  if (token) return token;
  throw new TokenError('cookie token is empty');
}

function isMachine({ headers }: FastifyRequest): boolean {
  if (headers['x-api-key'] !== undefined) return false;
  if (headers.authorization !== undefined) return true;
  return headers['user-agent']?.startsWith('crowdsec/') ?? false;
}
