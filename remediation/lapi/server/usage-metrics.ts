/**
 * `POST /v1/usage-metrics`: what bouncers and agents tell of themselves and of what they have done. Read leniently where clients
 * in the field deviate: `metrics` as one object, `items` that are null or an empty object. Specification: CrowdSec
 * `pkg/apiserver/controllers/v1/usagemetrics.go`, `pkg/models/all_metrics.go`.
 */
import type { FastifyRequest } from 'fastify';
import type { UsageReport } from '../../store/store.ts';
import { maxReportLength } from '../../store/write-limits.ts';
import { type LapiDependencies, LapiError, type LapiRoutes } from '../lapi-context.ts';
import { decodeBody } from '../models/go-decoder.ts';
import { faultsOf, type UsageElement, usageReader } from '../models/usage-metrics.ts';
import { bodyOf } from '../replies.ts';

export const usageMetricsRoutes: LapiRoutes = (app, deps, guards) => {
  app.post('/v1/usage-metrics', { preHandler: guards.either }, async (request, reply) => {
    const { remediation_components: components, log_processors: processors } =
      decodeBody(bodyOf(request), usageReader) ?? {};
    const faults = [
      ...(components ?? []).flatMap((element, at) => faultsOf(element, `remediation_components.${at}`, false)),
      ...(processors ?? []).flatMap((element, at) => faultsOf(element, `log_processors.${at}`, true)),
    ];
    if (faults.length > 0) throw new LapiError(422, `validation failure list:\n${faults.join('\n')}`);
    const isMachine = request.lapiCaller?.kind === 'machine';
    const element = isMachine ? only(processors, 'log processor') : only(components, 'remediation component');
    await keep(element, request, deps);
    return reply.code(201).send();
  });
};

function only(elements: readonly (UsageElement | null)[] | undefined, what: string): UsageElement {
  const [first = null, ...more] = elements ?? [];
  if (first === null) throw new LapiError(400, `Missing ${what} data`);
  if (more.length > 0) throw new LapiError(400, `Payload has more than one ${what}`);
  return first;
}

async function keep(element: UsageElement, request: FastifyRequest, deps: LapiDependencies): Promise<void> {
  const { lapiCaller, lapiStartedAt } = request;
  if (lapiCaller === null) throw new LapiError(403, 'access forbidden');
  const body = JSON.stringify(element);
  if (body.length > maxReportLength) {
    throw new LapiError(422, `validation failure list:\na report should be at most ${maxReportLength} chars long`);
  }
  const report: Omit<UsageReport, 'side' | 'from'> = { receivedAt: lapiStartedAt, body };
  const version = cut(element.version ?? '');
  if (lapiCaller.kind === 'machine') {
    const { id } = lapiCaller.machine;
    await deps.publisher.commit([{ kind: 'usage-reported', report: { side: 'machine', from: id, ...report } }]);
    const os = systemOf(element);
    deps.machines.noticed(id, { version, ...(os !== '' && { os }) });
  } else {
    const { name } = lapiCaller.bouncer;
    await deps.publisher.commit([{ kind: 'usage-reported', report: { side: 'bouncer', from: name, ...report } }]);
    deps.bouncers.noticed(name, { version, ...(element.type && { type: cut(element.type) }) });
  }
}

/** As cscli prints it: `Debian GNU/Linux/12`. */
function systemOf({ os }: UsageElement): string {
  const { name = '', version = '' } = os ?? {};
  return cut([name, version].filter((part) => part !== '').join('/'));
}

function cut(text: string): string {
  return text.slice(0, 128);
}
