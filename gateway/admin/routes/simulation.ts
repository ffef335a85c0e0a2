/** `/v1/simulation`: which scenarios only simulate. Specification: CrowdSec `cscli simulation`. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { ruleWith } from '../../../detectors/scenarios/simulation.ts';
import type { SimulationSwitch } from '../../simulation-switch.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { parseInput } from '../input.ts';
import type { SimulationModel } from '../operator-models.ts';

const schema = z.union([
  z.strictObject({ simulated: z.boolean(), global: z.literal(true) }),
  z.strictObject({ simulated: z.boolean(), scenarios: z.array(z.string().min(1).max(256)).min(1).max(1_000) }),
]);

export function simulationRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/simulation', async (): Promise<SimulationModel> => simulationModel(switchOf(deps), deps));

  app.post('/v1/simulation', async ({ body }): Promise<SimulationModel> => {
    const wanted = parseInput(schema, body);
    const simulation = switchOf(deps);
    if ('scenarios' in wanted) {
      refuseUnknown(wanted.scenarios, deps);
      await simulation.change((rule) => ruleWith(rule, wanted.scenarios, wanted.simulated));
    } else await simulation.change(() => ({ global: wanted.simulated, exceptions: [] }));
    deps.log.info(wanted, 'simulation changed by hand');
    return simulationModel(simulation, deps);
  });
}

/** A name that is misspelt would simulate nothing, and nobody would notice. */
function refuseUnknown(scenarios: readonly string[], { detector }: AdminDependencies): void {
  const known = new Set(detector.scenarios.map(({ name }) => name));
  const unknown = scenarios.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new GatewayError('NOT_FOUND', `no scenario in use is called ${unknown.join(', ')}`, {
    remedy: 'See `hub list`, and `simulation status`.',
  });
}

function switchOf({ simulation }: AdminDependencies): SimulationSwitch {
  if (simulation !== undefined) return simulation;
  throw new GatewayError('GATEWAY_REFUSED', 'this gateway cannot simulate', {
    remedy: 'Use the command line of the same version as the gateway.',
  });
}

function simulationModel({ rule, always }: SimulationSwitch, { detector }: AdminDependencies): SimulationModel {
  return {
    simulation: rule.global,
    exclusions: rule.exceptions,
    settings: always,
    simulated: [...new Set(detector.scenarios.filter(({ simulated }) => simulated).map(({ name }) => name))],
  };
}
