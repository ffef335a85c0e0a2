/**
 * Logins of agents. A password costs the same time for whoever there is and is not. The words are CrowdSec's and do tell a stranger
 * from a wrong password; after a few failures of a source they tell nothing, and nothing is looked up or computed any more.
 * Specification: CrowdSec `pkg/apiserver/middlewares/v1/jwt.go`, `tls_auth.go`.
 */
import type { FastifyRequest } from 'fastify';
import { longestMachineId, type Machine, type MachineSighting, newMachine } from '../../machine.ts';
import { type PasswordHasher, PasswordQueueFull } from '../../callers/password-hash.ts';
import { type LapiDependencies, LapiError } from '../lapi-context.ts';
import type { LapiOptions } from '../options.ts';
import { createFailureLimits } from './failure-limits.ts';
import { isUsable } from './guards.ts';
import { TokenError } from './machine-tokens.ts';
import type { ClientCertificate } from './peers.ts';
import { createSourceTurns } from './source-turns.ts';

/** As it stands in the body. */
export interface Login {
  machine_id?: string;
  password?: string;
  scenarios?: (string | null)[];
}

export interface MachineLogin {
  /** @throws TokenError, LapiError 422, PasswordQueueFull */
  withPassword(login: Login, request: FastifyRequest): Promise<Machine>;
  /** @throws TokenError, GatewayError when the machine is new and the store does not take it. */
  withCertificate(login: Login, certificate: ClientCertificate, request: FastifyRequest): Promise<Machine>;
}

export interface MachineLoginParts {
  readonly options: Pick<LapiOptions, 'tls'>;
  readonly hasher: PasswordHasher;
  readonly onRefused: () => void;
}

const wrongPassword = 'incorrect Username or Password';
/** Agents behind one address that log in at once. */
const mostWaiting = 64;
const mostScenarios = 5_000;
const longestScenario = 256;
const longestVersion = 128;

export function createMachineLogin(parts: MachineLoginParts, deps: LapiDependencies): MachineLogin {
  const { machines, clock, log } = deps;
  /** One source and one name, and one source whatever the names. */
  const failuresOfName = createFailureLimits({ burst: 10, everyMs: 10_000 }, clock);
  const failuresOfSource = createFailureLimits({ burst: 60, everyMs: 1_000 }, clock);

  /** Passwords of one source are checked one after the other: a flood of them cannot keep other sources waiting. */
  const turns = createSourceTurns(mostWaiting);

  /** What failures are counted by. A name may be as long as a body. */
  const keyOf = (clientIp: string, id: string): string => `${clientIp}\0${id.slice(0, longestMachineId)}`;

  function refuse(id: string, clientIp: string, message: string): never {
    parts.onRefused();
    failuresOfSource.failed(clientIp);
    if (failuresOfName.failed(keyOf(clientIp, id))) {
      log.warn({ machine: id.slice(0, longestMachineId), clientIp, cause: message }, 'a login was refused');
    }
    throw new TokenError(message);
  }

  /** Notes what a machine tells of itself. A User-Agent that is not `name/version` is no agent's. */
  function welcome(machine: Machine, { scenarios = [] }: Login, request: FastifyRequest): Machine {
    const [, version, ...more] = (request.headers['user-agent'] ?? '').split('/', 3);
    const names = scenarios.filter((name) => name !== null).slice(0, mostScenarios);
    const seen: MachineSighting =
      names.length === 0 ? {} : { scenarios: names.map((name) => name.slice(0, longestScenario)) };
    const isAgent = version !== undefined && more.length === 0;
    const rest = isAgent
      ? { ip: request.lapiClientIp, version: version.slice(0, longestVersion), updatedAt: clock.now() }
      : {};
    machines.noticed(machine.id, { ...seen, ...rest });
    if (!isAgent) throw new TokenError(wrongPassword);
    return { ...machine, ...seen, ...rest };
  }

  const isLimited = (id: string, clientIp: string): boolean =>
    failuresOfSource.isLimited(clientIp) || failuresOfName.isLimited(keyOf(clientIp, id));

  /** @throws TokenError */
  async function check(id: string, password: string, clientIp: string): Promise<Machine> {
    if (isLimited(id, clientIp)) refuse(id, clientIp, wrongPassword);
    const machine = await machines.find(id);
    const isRight = await parts.hasher.matches(
      password,
      machine?.authType === 'password' ? machine.passwordHash : null,
    );
    if (machine === null) return refuse(id, clientIp, 'ent: machine not found');
    if (!isRight) return refuse(id, clientIp, wrongPassword);
    return machine;
  }

  return {
    async withPassword(login, request) {
      const { machine_id: id = '', password = '' } = login;
      const clientIp = request.lapiClientIp;
      const missing = Object.entries({ machine_id: id, password }).filter(([, value]) => value === '');
      if (missing.length > 0) {
        const faults = missing.map(([name]) => `${name} in body is required`);
        throw new LapiError(422, `validation failure list:\n${faults.join('\n')}`);
      }
      if (isLimited(id, clientIp)) refuse(id, clientIp, wrongPassword);
      const checked = turns.run(clientIp, () => check(id, password, clientIp));
      if (checked === false) throw new PasswordQueueFull('too many passwords from one address wait to be checked');
      const machine = await checked;
      // Its password was right: no failure, it may ask as often as it likes until somebody agrees.
      if (!machine.validated) throw new TokenError(`machine ${id} not validated`);
      return welcome(machine, login, request);
    },

    async withCertificate(login, certificate, request) {
      const clientIp = request.lapiClientIp;
      const now = clock.now();
      const id = `${certificate.commonName}@${clientIp}`;
      const isGood = isUsable(certificate, parts.options.tls?.agentsAllowedOu ?? [], now);
      if (certificate.isRevoked) return refuse(id, clientIp, 'certificate is revoked');
      if (!isGood || certificate.commonName === '') return refuse(id, clientIp, 'certificate is not accepted');
      let machine = await machines.find(id);
      if (machine === null) {
        // Who has a certificate of ours needs nobody's consent.
        machine = { ...newMachine(id, '', now), authType: 'tls', ip: clientIp };
        await machines.register(machine);
        log.info({ machine: id, clientIp }, 'a machine has made itself known with a certificate');
      }
      if (machine.authType !== 'tls') return refuse(id, clientIp, `machine ${id} has a password, not a certificate`);
      if (!machine.validated) return refuse(id, clientIp, `machine ${id} not validated`);
      return welcome(machine, login, request);
    },
  };
}
