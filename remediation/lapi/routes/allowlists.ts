/**
 * `/v1/allowlists`: machines read the lists and ask whether they hold a value; people edit them with our command line. The
 * settings' own entries are the list `portcullis-settings`. Specification: CrowdSec `pkg/apiserver/controllers/v1/allowlist.go`.
 */
import { setImmediate } from 'node:timers/promises';
import { parseRange, type IpRange } from '../../../core/ip.ts';
import { settingsAllowlist } from '../../allowed/allowlists.ts';
import type { AllowlistEntry, AllowlistRecord } from '../../store/store.ts';
import { createAllowlistLookup, type AllowlistLookup } from '../allowlist-lookup.ts';
import { type LapiDependencies, LapiError, type LapiRoutes } from '../lapi-context.ts';
import { allowedBy, allowlistView, readBulkCheck } from '../models/allowlist-view.ts';
import { jsonText } from '../../../core/json-text.ts';
import { firstValues } from '../models/query-fields.ts';
import { bodyOf, fromStore, jsonType, textType } from '../replies.ts';

type Named = { readonly Params: { readonly name: string } };
type Checked = { readonly Params: { readonly value: string } };

/** Comparisons of a bulk check between which others get their turn. */
const comparisonsAtOnce = 100_000;

export const allowlistRoutes: LapiRoutes = (app, deps, guards) => {
  const asMachine = { preHandler: [guards.machine] };

  app.head('/v1/allowlists', asMachine, (_request, reply) => reply.type(textType).send());
  app.get('/v1/allowlists', asMachine, async (request, reply) => {
    const lists = await everyList(deps);
    const entries = wantsContent(request.query) ? await entriesByList(deps) : new Map<string, AllowlistEntry[]>();
    return reply.type(jsonType).send(jsonText(lists.map((list) => allowlistView(list, entries.get(list.name) ?? []))));
  });

  app.head<Named>('/v1/allowlists/:name', asMachine, async (request, reply) => {
    await requireList(deps, request.params.name);
    return reply.type(textType).send();
  });
  app.get<Named>('/v1/allowlists/:name', asMachine, async (request, reply) => {
    const list = await requireList(deps, request.params.name);
    const entries = wantsContent(request.query) ? (await entriesByList(deps)).get(list.name) : undefined;
    return reply.type(jsonType).send(jsonText(allowlistView(list, entries ?? [])));
  });

  app.head<Checked>('/v1/allowlists/check/:value', asMachine, async (request, reply) => {
    const reasons = await reasonsFor(deps, request.params.value);
    return reply.code(reasons.length > 0 ? 200 : 204).send();
  });
  app.get<Checked>('/v1/allowlists/check/:value', asMachine, async (request, reply) => {
    const reasons = await reasonsFor(deps, request.params.value);
    const answer = reasons.length === 0 ? {} : { allowlisted: true, reason: reasons.join(', ') };
    return reply.type(jsonType).send(jsonText(answer));
  });
  app.post('/v1/allowlists/check', asMachine, async (request, reply) => {
    const targets = readBulkCheck(bodyOf(request));
    return reply.type(jsonType).send(jsonText({ results: await checkAll(deps, targets) }));
  });
};

function wantsContent(query: unknown): boolean {
  return firstValues(query).some(([name, value]) => name === 'with_content' && value === 'true');
}

/** By name, those of the settings first. */
async function everyList({ store, settingsAllowlist: fixed }: LapiDependencies): Promise<AllowlistRecord[]> {
  const lists = await fromStore(() => store.allowlists());
  if (fixed.length === 0) return [...lists];
  const description = 'Entries of the settings; they are changed there.';
  return [{ name: settingsAllowlist, description, createdAt: 0, updatedAt: 0 }, ...lists];
}

async function requireList(deps: LapiDependencies, name: string): Promise<AllowlistRecord> {
  const list = (await everyList(deps)).find((each) => each.name === name);
  if (list === undefined) throw new LapiError(500, `allowlist ${name.slice(0, 100)} not found`);
  return list;
}

async function everyEntry({ store, settingsAllowlist: fixed }: LapiDependencies): Promise<AllowlistEntry[]> {
  const entries = await fromStore(() => store.allowlist());
  return [...fixed.map((item) => ({ ...item, createdAt: 0 })), ...entries];
}

async function entriesByList(deps: LapiDependencies): Promise<Map<string, AllowlistEntry[]>> {
  const now = deps.clock.now();
  const live = (await everyEntry(deps)).filter(({ until }) => until === null || until > now);
  return Map.groupBy(live, ({ list }) => list);
}

function lookupOf(deps: LapiDependencies, entries: readonly AllowlistEntry[]): Promise<AllowlistLookup> {
  return createAllowlistLookup(entries, deps.clock.now());
}

/** Why a value is allowed; empty when it is not. @throws LapiError 500 for what is neither address nor network. */
async function reasonsFor(deps: LapiDependencies, value: string): Promise<string[]> {
  const range = parseRange(value);
  if (range === null)
    throw new LapiError(500, `unable to parse value: invalid IP address or range: ${value.slice(0, 100)}`);
  return reasonsOf(deps, await lookupOf(deps, await everyEntry(deps)), range);
}

function reasonsOf({ index, clock }: LapiDependencies, lookup: AllowlistLookup, range: IpRange): string[] {
  const found = lookup.find(range);
  // An address that a host name of a list stands for at the moment is known to the index alone.
  const item = found.length > 0 ? null : index.allowedRange(range, clock.now());
  return (item === null ? found : [item]).map(allowedBy);
}

interface Match {
  readonly allowlists: readonly string[];
  readonly target: string;
}

/** The targets that are allowed. What is neither address nor network is on no list. */
async function checkAll(deps: LapiDependencies, targets: readonly string[]): Promise<Match[]> {
  const entries = await everyEntry(deps);
  const lookup = await lookupOf(deps, entries);
  const targetsAtOnce = Math.ceil(comparisonsAtOnce / (entries.length + 100));
  const matches: Match[] = [];
  for (const [index, target] of targets.entries()) {
    if (index % targetsAtOnce === targetsAtOnce - 1) await setImmediate();
    const range = parseRange(target);
    const allowlists = range === null ? [] : reasonsOf(deps, lookup, range);
    if (allowlists.length > 0) matches.push({ allowlists, target });
  }
  return matches;
}
