/**
 * `/v1/watchers`, `/v1/refresh_token`, `/v1/heartbeat`: how agents make themselves known, log in and say that they are alive.
 * Specification: CrowdSec `pkg/apiserver/controllers/v1/machines.go`, `pkg/apiserver/middlewares/v1/jwt.go`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { parseIp } from '../../../core/ip.ts';
import { longestMachineId, type Machine, newMachine } from '../../machine.ts';
import { longestPassword, type PasswordHasher } from '../../callers/password-hash.ts';
import { anyContains } from '../../allowed/protected-sources.ts';
import { type LapiDependencies, LapiError, type LapiRoutes } from '../lapi-context.ts';
import { decodeBody, list, struct, text } from '../models/go-decoder.ts';
import type { LapiOptions } from '../options.ts';
import { answerError } from './answer-error.ts';
import { rangesOf } from './client-ip.ts';
import { createFailureLimits } from './failure-limits.ts';
import { isLocal } from './guards.ts';
import { type MachineTokens, TokenError } from './machine-tokens.ts';
import { createMachineLogin, type Login } from './machine-login.ts';
import type { ClientCertificate } from './peers.ts';
import { bodyOf } from '../replies.ts';

export interface WatcherParts {
  readonly options: Pick<LapiOptions, 'autoRegistration' | 'disableRemoteRegistration' | 'tls'>;
  readonly tokens: MachineTokens;
  readonly hasher: PasswordHasher;
  readonly certificateOf: (request: FastifyRequest) => ClientCertificate | null;
  /** A login that failed. */
  readonly onRefused: () => void;
}

interface Registration {
  machine_id?: string;
  password?: string;
  registration_token?: string;
}

const registrationReader = struct<Registration>('WatcherRegistrationRequest', {
  machine_id: text,
  password: text,
  registration_token: text,
});

const loginReader = struct<Login>('WatcherAuthRequest', {
  machine_id: text,
  password: text,
  scenarios: list('[]string', text),
});

export function watcherRoutes(parts: WatcherParts): LapiRoutes {
  return (app, deps, guards) => {
    const register = createRegistration(parts, deps);
    const login = createMachineLogin(parts, deps);

    app.post('/v1/watchers', { onRequest: register.admit }, async (request, reply) => {
      const validated = await register.take(registrationOf(bodyOf(request)), request.lapiClientIp);
      return reply.code(validated ? 202 : 201).send();
    });

    app.post(
      '/v1/watchers/login',
      {
        errorHandler(error, request, reply) {
          // Slowness and want of room are no refusals.
          const isRefusal = error instanceof LapiError && ![408, 503].includes(error.status);
          const shown = isRefusal
            ? new TokenError(error.status === 400 ? `missing: ${error.message}` : error.message)
            : error;
          void answerError(shown, request, reply, deps.log);
        },
      },
      async (request) => {
        const certificate = parts.certificateOf(request);
        const given = decodeBody(bodyOf(request), loginReader) ?? {};
        const machine =
          certificate === null
            ? await login.withPassword(given, request)
            : await login.withCertificate(given, certificate, request);
        return tokenAnswer(parts.tokens, machine.id, deps);
      },
    );

    app.get('/v1/refresh_token', { preHandler: guards.machine }, async (request) =>
      tokenAnswer(parts.tokens, machineOf(request).id, deps),
    );

    app.delete('/v1/watchers/self', { preHandler: guards.machine }, async (request, reply) => {
      const { id } = machineOf(request);
      await deps.machines.remove(id);
      deps.log.info({ machine: id, clientIp: request.lapiClientIp }, 'a machine has deleted itself');
      return reply.code(204).send();
    });

    app.get('/v1/heartbeat', { preHandler: guards.machine }, async (request, reply) => {
      deps.machines.noticed(machineOf(request).id, { lastHeartbeat: request.lapiStartedAt });
      return reply.code(200).send();
    });
  };
}

export function machineOf({ lapiCaller }: FastifyRequest): Machine {
  if (lapiCaller?.kind === 'machine') return lapiCaller.machine;
  throw new LapiError(403, 'access forbidden');
}

function tokenAnswer(tokens: MachineTokens, id: string, { clock }: LapiDependencies): object {
  const { token, expiresAt } = tokens.issue(id, clock.now());
  return { code: 200, expire: new Date(expiresAt).toISOString().replace('.000Z', 'Z'), token };
}

function registrationOf(body: Uint8Array): Required<Registration> {
  const { machine_id = '', password = '', registration_token = '' } = decodeBody(body, registrationReader) ?? {};
  const faults: string[] = [];
  if (machine_id === '') faults.push('machine_id in body is required');
  else if (machine_id.length > longestMachineId) {
    faults.push(`machine_id in body should be at most ${longestMachineId} chars long`);
  }
  if (password === '') faults.push('password in body is required');
  else if (password.length > longestPassword) {
    faults.push(`password in body should be at most ${longestPassword} chars long`);
  }
  const tokenLength = registration_token.length;
  if (tokenLength > 0 && tokenLength < 32) faults.push('registration_token in body should be at least 32 chars long');
  if (tokenLength > 255) faults.push('registration_token in body should be at most 255 chars long');
  if (faults.length > 0) throw new LapiError(422, `validation failure list:\n${faults.join('\n')}`);
  return { machine_id, password, registration_token };
}

function createRegistration(
  { options, hasher }: WatcherParts,
  { machines, clock, log, gatewayName }: LapiDependencies,
) {
  const { autoRegistration, disableRemoteRegistration } = options;
  const allowedRanges = rangesOf(autoRegistration.allowedRanges);
  /** Each registration counts, since each costs a password hash and a row. */
  const attempts = createFailureLimits({ burst: 100, everyMs: 1_000 }, clock);

  /** @throws LapiError 401 for a token that is wrong, or right and from the wrong place. */
  function isAutomatic(token: string, clientIp: string): boolean {
    if (!autoRegistration.enabled || autoRegistration.token === null || token === '') return false;
    if (!isSameSecret(token, autoRegistration.token)) throw new LapiError(401, 'invalid token for auto registration');
    const address = parseIp(clientIp);
    if (address !== null && anyContains(allowedRanges, address)) return true;
    throw new LapiError(401, 'IP not in allowed range for auto registration');
  }

  return {
    admit: async ({ lapiClientIp }: FastifyRequest): Promise<void> => {
      if (disableRemoteRegistration && !isLocal(lapiClientIp)) throw new LapiError(403, 'access forbidden');
      if (!attempts.failed(lapiClientIp)) throw new LapiError(429, 'too many registrations from this address');
    },
    /** Whether the machine may log in at once. */
    async take(registration: Required<Registration>, clientIp: string): Promise<boolean> {
      const { machine_id: id, password, registration_token: token } = registration;
      const validated = isAutomatic(token, clientIp);
      const exists = new LapiError(403, `user '${id}': user already exist`);
      // The gateway's own name stands on its own alerts.
      if (id === gatewayName || (await machines.find(id)) !== null) throw exists;
      const now = clock.now();
      const machine = newMachine(id, await hasher.hash(password), now);
      const outcome = await machines.register({ ...machine, validated, ip: clientIp });
      if (outcome === 'exists') throw exists;
      if (outcome === 'full') throw new LapiError(403, 'too many machines wait to be validated');
      log.info({ machine: id, clientIp, validated }, 'a machine has registered');
      return validated;
    },
  };
}

/** By digests, so that neither length nor beginning can be measured. */
function isSameSecret(given: string, expected: string): boolean {
  const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
