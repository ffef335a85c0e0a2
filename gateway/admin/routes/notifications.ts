/** `/v1/notifications`: the ways that people are told, tried out. Specification: CrowdSec `cscli notifications`. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import type { Alert } from '../../../detectors/alert.ts';
import { sampleAlert } from '../../../remediation/notify/sample-alert.ts';
import { alertNamed } from '../alert-search.ts';
import type { AdminDependencies, NotificationDesk } from '../dependencies.ts';
import { parseInput } from '../input.ts';
import type { NotificationModel } from '../operator-models.ts';

/** What of an alert may be said otherwise, in CrowdSec's words. */
const overrideSchema = z.strictObject({
  scenario: z.string().min(1).max(512).optional(),
  message: z.string().max(4_096).optional(),
  remediation: z.boolean().optional(),
  simulated: z.boolean().optional(),
});
const testSchema = z.strictObject({ alert: overrideSchema.default({}) });
const reinjectSchema = z.strictObject({ id: z.string().min(1).max(256), alert: overrideSchema.default({}) });

/** As many decisions go along as a message can name. */
const mostDecisions = 1_000;

export function notificationRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/notifications', async (): Promise<{ notifications: readonly NotificationModel[] }> => {
    return { notifications: deps.notifications?.status() ?? [] };
  });

  app.post<{ Params: { name: string } }>(
    '/v1/notifications/:name/test',
    async ({ params, body }): Promise<{ sent: string }> => {
      const { alert } = parseInput(testSchema, body);
      const desk = deskOf(deps);
      if (!desk.status().some(({ name }) => name === params.name)) {
        throw new GatewayError('NOT_FOUND', `no notification is called ${params.name}`, {
          remedy: 'See `notifications list`.',
        });
      }
      const sample = sampleAlert(deps);
      await desk.test(params.name, withOverrides(sample.alert, alert), sample.decisions);
      return { sent: params.name };
    },
  );

  app.post('/v1/notifications/reinject', async ({ body }): Promise<{ notified: readonly string[] }> => {
    const { id, alert } = parseInput(reinjectSchema, body);
    const desk = deskOf(deps);
    const stored = await alertNamed(deps.store, id);
    const query = { alertUuid: stored.alert.uuid, includeInactive: true, limit: mostDecisions };
    const decisions = (await deps.store.decisions(query)).map(({ decision }) => decision);
    return { notified: desk.reinject(withOverrides(stored.alert, alert), decisions) };
  });
}

function deskOf({ notifications }: AdminDependencies): NotificationDesk {
  if (notifications !== undefined) return notifications;
  throw new GatewayError('GATEWAY_REFUSED', 'nobody is notified of anything', {
    remedy: 'Describe a notification in the settings, and name it in a profile.',
  });
}

function withOverrides(alert: Alert, overrides: z.infer<typeof overrideSchema>): Alert {
  const { scenario, message, remediation, simulated } = overrides;
  return {
    ...alert,
    scenario: scenario ?? alert.scenario,
    message: message ?? alert.message,
    remediation: remediation ?? alert.remediation,
    simulated: simulated ?? alert.simulated,
  };
}
