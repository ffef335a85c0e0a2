/** `/v1/machines`: agents that may report here. Specification: CrowdSec `cscli machines`. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { bouncerName } from '../../../remediation/bouncer.ts';
import { newMachine, type Machine } from '../../../remediation/machine.ts';
import { createPasswordHasher, longestPassword } from '../../../remediation/callers/password-hash.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { durationSchema, flagSchema, isoTime, isoTimeOrNull, parseInput } from '../input.ts';
import type { MachineModel, RemovedModel, UsageModel } from '../operator-models.ts';
import { latestUsage } from '../usage-reports.ts';

const nameSchema = z.string().regex(bouncerName, 'letters, digits and ._@:- only, at most 128 of them');
const addSchema = z.strictObject({
  name: nameSchema,
  password: z.string().min(1).max(longestPassword),
  /** Replaces one of the same name. */
  force: z.boolean().default(false),
});
const deleteSchema = z.strictObject({ name: nameSchema, ignoreMissing: flagSchema.optional() });
const pruneSchema = z.strictObject({
  duration: durationSchema,
  notValidatedOnly: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

export function machineRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  const { store, clock, log } = deps;
  const passwords = createPasswordHasher(deps.random);

  app.get('/v1/machines', async (): Promise<{ machines: MachineModel[] }> => {
    return { machines: (await store.machines()).map(machineModel) };
  });

  app.get<{ Params: { name: string } }>(
    '/v1/machines/:name',
    async ({ params }): Promise<{ machine: MachineModel; usage: UsageModel | null }> => {
      const machine = await machineNamed(params.name, deps);
      return { machine: machineModel(machine), usage: await latestUsage('machine', machine.id, store) };
    },
  );

  app.post('/v1/machines', async ({ body }, reply): Promise<{ machine: MachineModel }> => {
    const { name, password, force } = parseInput(addSchema, body);
    if (!force && (await store.machines()).some(({ id }) => id === name)) {
      throw new GatewayError('GATEWAY_REFUSED', `there is a machine called ${name} already`, {
        remedy: `Choose another name, give it a new password with --force, or delete it: machines delete ${name}`,
      });
    }
    const machine = newMachine(name, await passwords.hash(password), clock.now());
    // Straight to the store, as with bouncers: a password that is shown must be kept.
    await store.apply([{ kind: 'machine-added', machine }]);
    deps.machines?.changed();
    log.info({ machine: name }, 'machine added');
    reply.code(201);
    return { machine: machineModel(machine) };
  });

  app.post<{ Params: { name: string } }>(
    '/v1/machines/:name/validate',
    async ({ params }): Promise<{ machine: MachineModel }> => {
      const machine = await machineNamed(params.name, deps);
      const seen = { validated: true, updatedAt: clock.now() };
      await store.apply([{ kind: 'machine-seen', id: machine.id, seen }]);
      deps.machines?.changed();
      log.info({ machine: machine.id }, 'machine validated');
      return { machine: machineModel({ ...machine, ...seen }) };
    },
  );

  app.delete('/v1/machines', async ({ query }): Promise<RemovedModel> => {
    const { name, ignoreMissing } = parseInput(deleteSchema, query);
    const found = (await store.machines()).find(({ id }) => id === name);
    if (found === undefined && ignoreMissing !== true) throw absent(name);
    return remove(found === undefined ? [] : [found], deps);
  });

  app.post('/v1/machines/prune', async ({ body }): Promise<RemovedModel> => {
    const { duration, notValidatedOnly, dryRun } = parseInput(pruneSchema, body);
    const before = clock.now() - duration;
    const idle = (await store.machines()).filter(({ validated, lastHeartbeat, createdAt }) =>
      notValidatedOnly ? !validated && createdAt < before : (lastHeartbeat ?? createdAt) < before,
    );
    return dryRun ? { deleted: idle.map(({ id }) => id) } : remove(idle, deps);
  });
}

async function remove(machines: readonly Machine[], deps: AdminDependencies): Promise<RemovedModel> {
  if (machines.length === 0) return { deleted: [] };
  await deps.store.apply(machines.map(({ id }) => ({ kind: 'machine-deleted', id })));
  for (const { id } of machines) {
    deps.machines?.forget?.(id);
    deps.log.info({ machine: id }, 'machine deleted');
  }
  deps.machines?.changed();
  return { deleted: machines.map(({ id }) => id) };
}

async function machineNamed(name: string, { store }: AdminDependencies): Promise<Machine> {
  const found = (await store.machines()).find(({ id }) => id === name);
  if (found === undefined) throw absent(name);
  return found;
}

function absent(name: string): GatewayError {
  return new GatewayError('NOT_FOUND', `there is no machine called ${name}`, { remedy: 'See `machines list`.' });
}

function machineModel(machine: Machine): MachineModel {
  return {
    machineId: machine.id,
    ipAddress: machine.ip,
    created_at: isoTime(machine.createdAt),
    updated_at: isoTime(machine.updatedAt),
    last_push: isoTimeOrNull(machine.lastPush),
    last_heartbeat: isoTimeOrNull(machine.lastHeartbeat),
    version: machine.version,
    isValidated: machine.validated,
    auth_type: machine.authType,
    os: machine.os,
    scenarios: machine.scenarios,
  };
}
