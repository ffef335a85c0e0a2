/**
 * In what CrowdSec's Local API has changed since 1.4.6, and where ours differs on purpose: each as a function from the old server's
 * answer to the one that is right today, with the reason. Specification: the notes `[1.4.6: …]` of CrowdSec's wire protocols.
 */
import type { Exchange } from './exchange.ts';
import type { NormalAnswer } from './normal-answer.ts';

export interface Difference {
  readonly name: string;
  /** Why it is right to differ. */
  readonly reason: string;
  readonly concerns: (exchange: Exchange) => boolean;
  readonly today: (old: NormalAnswer, exchange: Exchange) => NormalAnswer;
}

const json = 'application/json; charset=utf-8';

type Body = Readonly<Record<string, unknown>>;

const named = (...names: readonly string[]) => {
  const set = new Set(names);
  return ({ name }: Exchange): boolean => set.has(name);
};
const readsStream = ({ method, path }: Exchange): boolean =>
  method === 'GET' && /^\/v1\/decisions\/stream(\?|$)/.test(path);
const readsAlerts = ({ method, path }: Exchange): boolean => method === 'GET' && /^\/v1\/alerts(\?|$|\/\{)/.test(path);
/** Applies to each alert of an answer, one or several. */
function eachAlert(answer: NormalAnswer, change: (alert: Body) => Body): NormalAnswer {
  const { body, status } = answer;
  if (status !== 200 || body === null || typeof body !== 'object') return answer;
  return { ...answer, body: Array.isArray(body) ? body.map((alert: Body) => change(alert)) : change(body as Body) };
}

/** As they were sent, or in place of a kind whose decisions they brought: the old server forgets both. */
function kindAndRemediation({ capacity, source }: Body): Body {
  const value = String((source as Body).value);
  const isManual = capacity === 0;
  if (isManual) return { kind: value === '192.0.2.34' ? 'cscli-import' : 'cscli' };
  const kind = value === '192.0.2.21' ? 'waf' : 'crowdsec';
  return value === '192.0.2.11' || value === '192.0.2.22' ? { kind } : { kind, remediation: true };
}

/** Replaces texts wherever they stand in a body. */
function eachText(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => eachText(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, eachText(part, change)]));
}

const normalScopes: ReadonlyMap<string, string> = new Map([
  ['ip', 'Ip'],
  ['range', 'Range'],
  ['as', 'AS'],
]);

/** An element of a live answer: a ban by hand for four hours. */
function ban(value: string): Body {
  const duration = 'about 240 min, whole seconds';
  return { duration, id: '<number>', origin: 'cscli', scenario: 'manual test', scope: 'Ip', type: 'ban', value };
}

function created(old: NormalAnswer): NormalAnswer {
  return { ...old, status: 201, contentType: json, body: ['<number as text>'] };
}

function answer(status: number, body: unknown): NormalAnswer {
  return { status, contentType: json, headers: {}, body };
}

function told(status: number, message: string): NormalAnswer {
  return answer(status, { message });
}

const bare = (status: number): NormalAnswer => ({ status, contentType: null, headers: {}, body: '' });

/** By the names of `later-exchanges.ts`. */
const laterAnswers: ReadonlyMap<string, NormalAnswer> = new Map([
  ['allowlists', answer(200, [])],
  ['an allowlist that is not there', told(500, 'allowlist nope not found')],
  ['is an address allowed', answer(200, {})],
  ['is a range allowed', answer(200, {})],
  ['is an address allowed, by HEAD', bare(204)],
  ['are addresses allowed', answer(200, { results: [] })],
  ['metrics of a bouncer', bare(201)],
  ['a machine leaves', bare(204)],
]);

/** In this order: the earlier ones change forms that the later ones speak of. */
export const lapiDifferences: readonly Difference[] = [
  {
    name: 'whole seconds',
    reason: '§1.5: durations are whole seconds; 1.4.6 gave nanoseconds, which bouncers in Lua take for ever',
    concerns: () => true,
    today: (old) => ({
      ...old,
      body: eachText(old.body, (text) => text.replace(/, parts of seconds$/, ', whole seconds')),
    }),
  },
  {
    name: 'the stream',
    reason: '§1.6: arrays are never null, elements have a uuid, the content type no charset',
    concerns: readsStream,
    today(old) {
      if (old.status !== 200) return old;
      const { new: added, deleted } = old.body as { readonly new: Body[] | null; readonly deleted: Body[] | null };
      const complete = (items: Body[] | null): Body[] => (items ?? []).map((item) => ({ ...item, uuid: '<uuid>' }));
      return { ...old, contentType: 'application/json', body: { new: complete(added), deleted: complete(deleted) } };
    },
  },
  {
    name: 'alerts read back',
    reason: '§8.8: alerts have a uuid, a kind and their remediation; start and stop are RFC 3339',
    concerns: readsAlerts,
    today: (old) =>
      eachAlert(old, (alert) => ({
        ...alert,
        ...kindAndRemediation(alert),
        uuid: '<uuid>',
        start_at: String(alert.start_at).replace('as Go prints it', 'RFC 3339'),
        stop_at: String(alert.stop_at).replace('as Go prints it', 'RFC 3339'),
      })),
  },
  {
    name: 'HEAD of the stream',
    reason: '§1.6: it has no work to do and no JSON to announce',
    concerns: named('HEAD of the stream with a key'),
    today: (old) => ({ ...old, contentType: 'text/plain; charset=utf-8' }),
  },
  {
    name: 'registrations that lack something',
    reason: '§1.2: 422 since the schema is checked on its own, 500 before',
    concerns: named(
      'registration with nothing in it',
      'registration without a password',
      'registration without a name',
    ),
    today: (old) => ({ ...old, status: 422 }),
  },
  {
    name: 'logins that lack something',
    reason: '§1.4: the answer says what is missing',
    concerns: named('login without a password', 'login without a name', 'login with nothing in it'),
    today(old, exchange) {
      const body = exchange.body as Body;
      const missing = ['machine_id', 'password'].filter((field) => !(field in body));
      const text = `validation failure list:\n${missing.map((field) => `${field} in body is required`).join('\n')}`;
      return { ...old, body: { ...(old.body as Body), message: text } };
    },
  },
  {
    name: 'filters of the live question',
    reason: '§1.5: 1.4.6 ignored scope, limit, offset and id_gt',
    concerns: named('a scope by its other name', 'one decision'),
    today(old, exchange) {
      const rows = old.body as Body[];
      if (exchange.name === 'one decision') return { ...old, body: rows.filter(({ value }) => value === '192.0.2.10') };
      return { ...old, body: rows.filter(({ scope }) => scope === 'Country') };
    },
  },
  {
    name: 'unknown filters of alerts',
    reason: '§1.7: the message begins with a small letter',
    concerns: () => true,
    today: (old) => ({
      ...old,
      body: eachText(old.body, (text) => text.replace(/^Filter parameter/, 'filter parameter')),
    }),
  },
  {
    name: 'a stream that fails',
    reason: '§1.6: the head is sent before the question is answered, so a failure is a short list',
    concerns: named('the start-up set of a bad address'),
    today: () => ({ status: 200, contentType: 'application/json', headers: {}, body: { new: [], deleted: [] } }),
  },
  {
    name: 'alerts without their decisions',
    reason: '§1.7: with_decisions',
    concerns: named('alerts without their decisions'),
    today: (old) => eachAlert(old, (alert) => ({ ...alert, decisions: null })),
  },
  {
    name: 'scopes in small letters',
    reason:
      '§1.7: scopes are normalised before they are kept; 1.4.6 kept them as they came, where no filter found them',
    concerns: named('scopes as they are kept'),
    today: (old) => ({ ...old, body: eachText(old.body, (text) => normalScopes.get(text) ?? text) }),
  },
  {
    name: 'a scope in small letters is found',
    reason: '§1.7: see there',
    concerns: named('a scope in small letters is a scope'),
    today: (old) => ({ ...old, body: [ban('192.0.2.39')] }),
  },
  {
    name: 'durations in days',
    reason: '§1.7: Go has no days, CrowdSec has them today',
    concerns: named('a duration in days'),
    today: created,
  },
  {
    name: 'a decision in days',
    reason: '§1.7: see there',
    concerns: named('a decision in days'),
    today: (old) => ({ ...old, body: [{ ...ban('192.0.2.40'), duration: 'about 2880 min, whole seconds' }] }),
  },
  {
    name: 'decisions about what is no address',
    reason: '§1.7: they are left out, and an alert with no other is dropped; 1.4.6 failed and kept what came before',
    concerns: named('an address that is none', 'an address that is none beside one that is'),
    today: (old, { name }) => ({ ...created(old), ...(name === 'an address that is none' ? { body: [] } : {}) }),
  },
  {
    name: 'the decision beside the one about no address',
    reason: '§1.7: see there',
    concerns: named('the address that was one'),
    today: (old) => ({ ...old, body: [ban('192.0.2.41')] }),
  },
  {
    name: 'ties',
    reason: '§1.6: decisions that end together are all sent; 1.4.6 sent the one with the lowest number',
    concerns: named('ties'),
    today(old) {
      const { new: added, deleted } = old.body as { readonly new: Body[]; readonly deleted: Body[] };
      const [one] = added;
      return { ...old, body: { new: [one, { ...one, scenario: 'other' }], deleted } };
    },
  },
  {
    name: 'requests that are compressed',
    reason: '§1.1: bodies may be gzip',
    concerns: named('alerts that are compressed'),
    today: created,
  },
  {
    name: 'what came compressed',
    reason: '§1.1: see there',
    concerns: named('the address that was compressed'),
    today: (old) => ({ ...old, body: [ban('192.0.2.42')] }),
  },
  {
    name: 'panics',
    reason: 'ours, on purpose: an alert that is null is told as one that lacks everything, where CrowdSec breaks off',
    concerns: named('an alert that is null'),
    today: () => told(500, 'validation failure list:\n0 in body is required'),
  },
  {
    name: 'what a redirection says',
    reason: 'ours: programs read the header, and nobody the page',
    concerns: ({ method, path }) => method === 'GET' && /\/(\?|$)/.test(path),
    today: (old) => (old.status === 301 ? { ...old, contentType: null, body: '' } : old),
  },
  {
    name: 'words about ranges',
    reason: "§1.5: the status is what counts; the words were those of Go's parser of networks",
    concerns: named('what is no range'),
    today: () => told(500, "unable to convert '203.0.113.0/40' to int: invalid address: invalid ip address / range"),
  },
  {
    name: 'words about tokens',
    reason: '§1.4: they vary with the library',
    concerns: named('a token that is none'),
    today: (old) => ({ ...old, body: { code: 401, message: 'token is malformed' } }),
  },
  {
    name: 'later routes',
    reason: '§1.8, §6: allowlists, usage metrics and leaving came after 1.4.6',
    concerns: ({ name }) => laterAnswers.has(name),
    today: (old, { name }) => laterAnswers.get(name) ?? old,
  },
];
