/**
 * `/v1/selftests`: a one-time token that lets a few requests speak for 192.0.2.1, what they met, and lifting what they made.
 * The command line sends the requests, through the listener that clients use.
 */
import type { FastifyInstance } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import { addressBits } from '../../../core/ip.ts';
import type { StoredDecision } from '../../../remediation/store/store.ts';
import { type SelftestRun, selftestAddress } from '../../selftests.ts';
import type { Site } from '../../sites.ts';
import { decisionsAround } from '../decision-search.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { isoTime } from '../input.ts';
import type { SelftestLifted, SelftestModel, SelftestProgress } from '../models.ts';
import { planSelftest } from '../selftest-plan.ts';
import { alertModel, decisionModel, verdictOn } from '../views.ts';

type ByToken = { Params: { token: string } };

const range = { address: selftestAddress, prefix: addressBits(selftestAddress) };

export function selftestRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  /** When each run began; as many as `Selftests` keeps, and a few that ended unasked. */
  const began = new Map<string, number>();

  const runOf = (token: string): { run: SelftestRun; since: number } => {
    const run = deps.selftests.find(token);
    const since = began.get(token);
    if (run !== null && since !== undefined) return { run, since };
    throw new GatewayError('NOT_FOUND', 'that self-test is over', {
      remedy: 'Begin another: a token lasts for a minute.',
    });
  };

  app.post('/v1/selftests', async (_request, reply): Promise<SelftestModel> => {
    await refuseWhenBlind(deps);
    const now = deps.clock.now();
    const plan = planSelftest(deps.explainer, deps.random, now);
    const site = siteFor(deps);
    deps.forgetSource(selftestAddress);
    const run = deps.selftests.begin();
    began.set(run.token, now);
    for (const token of began.keys()) if (began.size > 8) began.delete(token);
    reply.code(201);
    return {
      token: run.token,
      address: selftestAddress.text,
      expires_at: isoTime(run.expiresAt),
      url: deps.facts.url,
      listen_socket: deps.facts.listenSocket,
      host: hostOf(site),
      mode: site.mode,
      plan,
    };
  });

  app.get<ByToken>('/v1/selftests/:token', async ({ params }): Promise<SelftestProgress> => {
    const { run, since } = runOf(params.token);
    const now = deps.clock.now();
    const [stored] = await madeSince(since, deps);
    const [raised] = await deps.store.alerts({ value: selftestAddress.text, since, limit: 1 });
    return {
      requests: run.requests,
      forwarded: run.forwarded,
      refused: run.refused,
      observed: deps.counters.observed,
      alert: raised === undefined ? null : alertModel(raised, []),
      decision: stored === undefined ? null : decisionModel(stored, now, raised ?? null),
      verdict: verdictOn(selftestAddress, deps),
    };
  });

  app.post<ByToken>('/v1/selftests/:token/lift', async ({ params }): Promise<SelftestLifted> => {
    const { since } = runOf(params.token);
    return { lifted: await lift(since, deps) };
  });

  app.delete<ByToken>('/v1/selftests/:token', async ({ params }): Promise<SelftestLifted> => {
    const since = began.get(params.token);
    deps.selftests.end(params.token);
    began.delete(params.token);
    return { lifted: since === undefined ? 0 : await lift(since, deps) };
  });
}

/** A self-test of an address that is already decided about would prove nothing. */
async function refuseWhenBlind(deps: AdminDependencies): Promise<void> {
  const now = deps.clock.now();
  const item = deps.index.isAllowed(selftestAddress, now) ? deps.index.allowedRange(range, now) : null;
  if (item !== null) {
    throw new GatewayError(
      'GATEWAY_REFUSED',
      `${item.value} is on the allowlist and covers the self-test's address 192.0.2.1`,
      {
        remedy: 'Narrow that entry: 192.0.2.0/24 is nobody’s network.',
      },
    );
  }
  // What an earlier self-test left behind, because it was killed, is lifted; anything else is the operator's own.
  await lift(0, deps);
  const found = deps.index.lookup(deps.clients.clientAt(selftestAddress, 'selftest'), now);
  if (found === null) return;
  throw new GatewayError(
    'GATEWAY_REFUSED',
    `a decision on ${found.scope} ${found.value} covers the self-test's address 192.0.2.1`,
    {
      remedy: 'Lift it with `decisions delete --ip 192.0.2.1` and try again.',
    },
  );
}

/** The decisions that scenarios made about the self-test's address alone. */
async function madeSince(since: number, deps: AdminDependencies): Promise<StoredDecision[]> {
  const found = await decisionsAround(deps.store, range, { origin: 'crowdsec' });
  return found.filter(({ decision }) => decision.value.startsWith(selftestAddress.text) && decision.createdAt >= since);
}

async function lift(since: number, deps: AdminDependencies): Promise<number> {
  await deps.publisher.settle();
  const made = await madeSince(since, deps);
  if (made.length > 0) await deps.publisher.write(made.map(({ decision }) => ({ kind: 'decision-deleted', decision })));
  deps.forgetSource(selftestAddress);
  return made.length;
}

/** A site that refuses, where there is one. */
function siteFor({ sites }: AdminDependencies): Site {
  const site = sites.sites.find(({ mode }) => mode === 'block') ?? sites.sites[0];
  if (site !== undefined) return site;
  throw new GatewayError('GATEWAY_REFUSED', 'the gateway has no site', {
    remedy: 'Set `origin` or `sites` in the settings.',
  });
}

function hostOf({ hosts }: Site): string {
  const [host = 'localhost'] = hosts;
  return host.startsWith('*.') ? `selftest${host.slice(1)}` : host;
}
