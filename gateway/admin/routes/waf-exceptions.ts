/** `/v1/waf/exceptions`: what the core rules are told to look away from; proposed from what they found, tried before it counts. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { suggestExceptions, type Suggestion } from '../../../detectors/waf/exceptions/suggest-exceptions.ts';
import { type ExceptionTrial, tryException, tryStored } from '../../../detectors/waf/exceptions/try-exception.ts';
import {
  covers,
  type ExceptionScope,
  formatTarget,
  longestName,
  longestPath,
  parsePath,
  parseTarget,
  type WafException,
} from '../../../detectors/waf/exceptions/waf-exception.ts';
import type { RefusalEvent } from '../../../remediation/store/store.ts';
import type { ExceptionDesk } from '../../waf/open-core-rules.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { durationSchema, isoTime, limitSchema, parseInput, wordsSchema } from '../input.ts';
import type {
  AddedExceptionModel,
  ExceptionScopeModel,
  ExceptionSuggestionModel,
  ExceptionSuggestionsModel,
  ExceptionTrialModel,
  TriedExceptionModel,
  WafExceptionModel,
} from '../waf-exception-models.ts';

/** Stored requests that are looked at, newest first. */
const mostLookedAt = 5_000;
/** Of those, how many are sent through the rules once more, for one exception and for each of those that are proposed. */
const mostTried = 500;
const mostTriedEach = 20;
/** Suggestions that are tried at a time: each is some fifty attacks. */
const mostSuggestions = 100;
const longestExample = 200;

const ruleSchema = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const pathSchema = z
  .string()
  .max(longestPath)
  .transform((text, context) => {
    const path = parsePath(text.trim());
    if (path !== null) return path;
    const message = `"${text}" is no path; write /search, or /shop/* for all that begins so, without a query`;
    context.issues.push({ code: 'custom', message, input: text });
    return z.NEVER;
  });
const targetSchema = z
  .string()
  .max(longestName)
  .transform((text, context) => {
    const target = parseTarget(text.trim());
    if (target !== null) return target;
    const message = `"${text}" is no variable; write ARGS:q for the parameter q, or REQUEST_COOKIES:name`;
    context.issues.push({ code: 'custom', message, input: text });
    return z.NEVER;
  });
const scopeSchema = z.strictObject({
  rule: ruleSchema,
  /** What is not given is taken from what the rule found in this request. */
  request: wordsSchema.optional(),
  site: wordsSchema.optional(),
  path: pathSchema.optional(),
  target: targetSchema.optional(),
});
const addSchema = scopeSchema.extend({
  comment: wordsSchema.default(''),
  expiration: durationSchema.optional(),
  force: z.boolean().default(false),
});
const suggestSchema = z.strictObject({
  request: wordsSchema.optional(),
  since: durationSchema.optional(),
  rule: ruleSchema.optional(),
  limit: limitSchema.max(mostSuggestions).default(10),
});
const deleteSchema = z.strictObject({ id: wordsSchema });

export function wafExceptionRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.get('/v1/waf/exceptions', async (): Promise<{ exceptions: WafExceptionModel[] }> => {
    const desk = deskOf(deps);
    return { exceptions: desk.kept.list().map((exception) => exceptionModel(exception, desk)) };
  });

  app.get('/v1/waf/exceptions/suggestions', async ({ query }): Promise<ExceptionSuggestionsModel> => {
    const desk = deskOf(deps);
    const { request, since, rule, limit } = parseInput(suggestSchema, query);
    const stored = await foundRequests(deps, { request, since });
    const inForce = desk.kept.list();
    const suggestions = suggestExceptions(stored).filter(
      ({ scope }) => (rule === undefined || scope.ruleId === rule) && !inForce.some((each) => covers(each, scope)),
    );
    const shown: ExceptionSuggestionModel[] = [];
    for (const suggestion of suggestions.slice(0, limit)) {
      const trial = await tryException(desk.rules, suggestion.scope, inForce);
      const again = await tryStored(desk.rules, suggestion.scope, inForce, {
        stored: stored.filter((each) => isFoundBy(suggestion.scope.ruleId, each)),
        most: mostTriedEach,
      });
      shown.push({ ...suggestionModel(suggestion), trial: trialModel(trial), stored: again });
    }
    return { suggestions: shown, found: suggestions.length, requests: stored.length };
  });

  app.post('/v1/waf/exceptions/trial', async ({ body }): Promise<TriedExceptionModel> => {
    const desk = deskOf(deps);
    return tried(await scopeOf(parseInput(scopeSchema, body), deps, desk), deps, desk);
  });

  app.post('/v1/waf/exceptions', async ({ body }, reply): Promise<AddedExceptionModel> => {
    const desk = deskOf(deps);
    const { comment, expiration, force, ...wanted } = parseInput(addSchema, body);
    const scope = await scopeOf(wanted, deps, desk);
    const result = await tried(scope, deps, desk);
    if (result.needs_force && !force) {
      const kinds = result.trial.lost_kinds.join(', ');
      throw new GatewayError(
        'GATEWAY_REFUSED',
        `without rule ${scope.ruleId} nothing would refuse attacks of these kinds: ${kinds}`,
        {
          remedy: 'Name a path and a parameter, as `waf exceptions suggest` does, or insist with --force.',
        },
      );
    }
    const until = expiration === undefined ? null : deps.clock.now() + expiration;
    const { exception, replaced } = await desk.kept.add({ ...scope, comment, until });
    const model = exceptionModel(exception, desk);
    const { message: _, comment: __, ...logged } = model;
    deps.log.info(logged, 'WAF exception added by hand');
    reply.code(201);
    return { ...result, exception: model, replaced };
  });

  app.delete('/v1/waf/exceptions', async ({ query }): Promise<{ deleted: WafExceptionModel }> => {
    const desk = deskOf(deps);
    const removed = await desk.kept.remove(parseInput(deleteSchema, query).id.toLowerCase());
    deps.log.info({ id: removed.id, rule: removed.ruleId }, 'WAF exception removed by hand');
    return { deleted: exceptionModel(removed, desk) };
  });
}

function deskOf({ exceptions }: AdminDependencies): ExceptionDesk {
  if (exceptions !== null) return exceptions;
  throw new GatewayError('GATEWAY_REFUSED', 'this gateway runs no core rules, so there is nothing to except', {
    remedy: 'Install them with `waf install crs`, and see that `waf.coreRules.mode` is observe or block.',
  });
}

type Wanted = z.output<typeof scopeSchema>;

/** @throws GatewayError NOT_FOUND, USAGE */
async function scopeOf(wanted: Wanted, deps: AdminDependencies, { rules }: ExceptionDesk): Promise<ExceptionScope> {
  const { rule: ruleId, request, site, path, target = null } = wanted;
  if (!rules.rules.some(({ id }) => id === ruleId)) {
    throw new GatewayError('NOT_FOUND', `the core rules have no rule ${ruleId}`, {
      remedy:
        'Exceptions are for the Core Rule Set and SecLang rules of your own; `why <request id>` shows which rule it was.',
    });
  }
  if (request === undefined) return { ruleId, site: siteName(site ?? '', deps), path: path ?? '', target };
  const suggestions = suggestExceptions(await foundRequests(deps, { request, since: undefined }));
  const ofRule = suggestions.map(({ scope }) => scope).filter((scope) => scope.ruleId === ruleId);
  const fitting = target === null ? ofRule : ofRule.filter((scope) => covers({ ...scope, target }, scope));
  const [only] = fitting;
  if (only === undefined) {
    const found = [...new Set((ofRule.length > 0 ? ofRule : suggestions.map(({ scope }) => scope)).map(scopeWords))];
    throw new GatewayError('NOT_FOUND', `rule ${ruleId} found nothing of the kind in request ${request}`, {
      remedy: found.length === 0 ? 'No core rule did.' : `What was found: ${found.join('; ')}.`,
    });
  }
  if (fitting.length > 1) {
    throw new GatewayError('USAGE', `rule ${ruleId} found something in several places of request ${request}`, {
      remedy: `Say which with --target: ${fitting.map((scope) => formatted(scope) ?? '').join(', ')}.`,
    });
  }
  return {
    ...only,
    target: target ?? only.target,
    ...(path === undefined ? {} : { path }),
    ...(site === undefined ? {} : { site: siteName(site, deps) }),
  };
}

/** A site by any of its names. */
function siteName(name: string, { sites }: AdminDependencies): string {
  return sites.sites.find((site) => site.name === name || site.hosts.includes(name))?.name ?? name;
}

/** Those in which the rules found something. */
async function foundRequests(
  { store, clock }: AdminDependencies,
  { request, since }: { readonly request: string | undefined; readonly since: number | undefined },
): Promise<readonly RefusalEvent[]> {
  const stored = await store.refusals({
    ...(request === undefined ? {} : { requestId: request.toLowerCase() }),
    ...(since === undefined ? {} : { since: clock.now() - since }),
    limit: mostLookedAt,
  });
  return stored.filter(({ findings }) => findings.some(({ layer }) => layer === 'core-rules'));
}

function isFoundBy(ruleId: number, { findings }: RefusalEvent): boolean {
  return findings.some(({ matches }) => matches.some((match) => match.ruleId === ruleId));
}

async function tried(
  scope: ExceptionScope,
  deps: AdminDependencies,
  desk: ExceptionDesk,
): Promise<TriedExceptionModel> {
  const inForce = desk.kept.list();
  const trial = await tryException(desk.rules, scope, inForce);
  const found = await foundRequests(deps, { request: undefined, since: undefined });
  const stored = found.filter((each) => isFoundBy(scope.ruleId, each));
  const isEverywhere = scope.path === '' && (scope.target === null || scope.target.name === '');
  const { site } = scope;
  return {
    scope: scopeModel(scope),
    trial: trialModel(trial),
    stored: await tryStored(desk.rules, scope, inForce, { stored, most: mostTried }),
    needs_force: isEverywhere && trial.lostKinds.length > 0,
    warnings:
      site === '' || deps.sites.sites.some(({ name }) => name === site)
        ? []
        : [`there is no site ${site} here: the exception counts only where bouncers ask about it`],
  };
}

function scopeModel({ ruleId, site, path, target }: ExceptionScope): ExceptionScopeModel {
  return { rule: ruleId, site, path, target: target && formatTarget(target) };
}

function formatted({ target }: ExceptionScope): string | null {
  return target && formatTarget(target);
}

function scopeWords(scope: ExceptionScope): string {
  return `rule ${scope.ruleId} in ${formatted(scope) ?? 'the request'}`;
}

function exceptionModel(exception: WafException, { rules }: ExceptionDesk): WafExceptionModel {
  const { id, comment, createdAt, until } = exception;
  return {
    id,
    ...scopeModel(exception),
    message: rules.rules.find((rule) => rule.id === exception.ruleId)?.msg.source ?? '',
    comment,
    created_at: isoTime(createdAt),
    until: until === null ? null : isoTime(until),
  };
}

function trialModel({ place, name, attacks, refused, lost, lostKinds }: ExceptionTrial): ExceptionTrialModel {
  return {
    attacks,
    place,
    name: readable(name),
    refused_without: refused,
    refused_with: refused - lost.length,
    lost,
    lost_kinds: lostKinds,
  };
}

function suggestionModel(suggestion: Suggestion): Omit<ExceptionSuggestionModel, 'trial' | 'stored'> {
  const { scope, lastAt, lastRequestId, example, ...rest } = suggestion;
  const { message, requests, clients, alone, refused } = rest;
  return {
    ...scopeModel(scope),
    message,
    requests,
    clients,
    alone,
    refused,
    last_at: isoTime(lastAt),
    last_request_id: lastRequestId,
    example: readable(example).slice(0, longestExample),
  };
}

/** Bytes as the text that they are, most likely. */
function readable(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
