/**
 * The OpenAPI 3.1 document of the Local API, for people who write clients. Written as data; a test compares it with the routes that
 * are registered. Statuses are those of CrowdSec's server, the unusual ones included. One file, as it is one document.
 */
import { arrayOf, type JsonSchema, openApiSchemas, ref } from './openapi-schemas.ts';

type Json = Readonly<Record<string, unknown>>;
type Auth = 'none' | 'machine' | 'bouncer' | 'either';
type Method = 'get' | 'head' | 'post' | 'delete';

interface Operation {
  readonly path: string;
  readonly method: Method;
  readonly summary: string;
  readonly auth: Auth;
  readonly query?: Json;
  readonly body?: JsonSchema;
  /** By status: what it means, and what comes with it. */
  readonly answers: Readonly<Record<number, readonly [string, JsonSchema?]>>;
}

const yes = { type: 'boolean' } as const;
const text = { type: 'string' } as const;
const whole = { type: 'integer' } as const;

const network = { ip: text, range: text, contains: { ...yes, default: true } };
const decisionFilters = {
  ...network,
  scope: text,
  scopes: text,
  value: text,
  type: text,
  origins: text,
  scenarios_containing: text,
  scenarios_not_containing: text,
  simulated: yes,
};
const deleteFilters = { ...network, scopes: text, uuid: text, origin: text, value: text, type: text, scenario: text };
const alertFilters = {
  ...network,
  scope: text,
  value: text,
  scenario: text,
  origin: text,
  decision_type: text,
  since: text,
  until: text,
  created_before: text,
  has_active_decision: yes,
  include_capi: yes,
  kind: text,
  simulated: yes,
  limit: { ...whole, default: 100 },
  sort: { type: 'string', enum: ['ASC', 'DESC'] },
  with_decisions: yes,
};

const fault = (meaning: string): readonly [string, JsonSchema] => [meaning, ref('Error')];
const badBody = fault('The body is not JSON, or too large.');
const badFilter = fault('A filter is not known or cannot be read.');
const stored = fault('The store does not answer.');

const watchers: readonly Operation[] = [
  {
    path: '/v1/watchers',
    method: 'post',
    summary: 'Registers a machine.',
    auth: 'none',
    body: ref('Registration'),
    answers: {
      201: ['It waits to be validated.'],
      202: ['It may log in.'],
      400: badBody,
      401: fault('The token is wrong, or comes from a network that is not allowed.'),
      403: fault('The name is taken, or machines register from this host only.'),
      422: fault('Something is missing.'),
      429: fault('Too many registrations from this address.'),
      500: stored,
    },
  },
  {
    path: '/v1/watchers/login',
    method: 'post',
    summary: 'Exchanges a password, or a client certificate, for a token.',
    auth: 'none',
    body: ref('Login'),
    answers: {
      200: ['The token, good for an hour.', ref('Token')],
      401: ['No, for whatever reason.', ref('TokenError')],
      503: fault('Too many passwords wait to be checked.'),
    },
  },
  {
    path: '/v1/refresh_token',
    method: 'get',
    summary: 'A new token for one that is still good.',
    auth: 'machine',
    answers: { 200: ['The token.', ref('Token')] },
  },
  {
    path: '/v1/watchers/self',
    method: 'delete',
    summary: 'Deletes the machine that asks.',
    auth: 'machine',
    answers: { 204: ['Done.'], 500: stored },
  },
  {
    path: '/v1/heartbeat',
    method: 'get',
    summary: 'The machine is alive.',
    auth: 'machine',
    answers: { 200: ['Noted.'] },
  },
  {
    path: '/v1/usage-metrics',
    method: 'post',
    summary: 'What a bouncer or machine tells of itself: exactly one element on its own side.',
    auth: 'either',
    body: ref('UsageMetrics'),
    answers: {
      201: ['Kept.'],
      400: fault('Not JSON, or not exactly one element.'),
      422: fault('Something is missing.'),
      500: stored,
    },
  },
];

const decisions: readonly Operation[] = [
  {
    path: '/v1/decisions',
    method: 'get',
    summary: 'Decisions in force. Unknown parameters are passed over.',
    auth: 'bouncer',
    query: { ...decisionFilters, limit: whole, offset: whole, id_gt: whole },
    answers: {
      200: ['Null when there is none.', { type: ['array', 'null'], items: ref('Decision') }],
      500: badFilter,
    },
  },
  {
    path: '/v1/decisions',
    method: 'head',
    summary: 'As GET, without the answer.',
    auth: 'bouncer',
    query: { ...decisionFilters, limit: whole, offset: whole, id_gt: whole },
    answers: { 200: ['The filter can be read.'], 500: ['It cannot.'] },
  },
  {
    path: '/v1/decisions/stream',
    method: 'get',
    summary: 'All decisions in force, then what changed since the last question of this bouncer.',
    auth: 'bouncer',
    query: { ...decisionFilters, startup: yes, dedup: { ...yes, default: true } },
    answers: { 200: ['What is new and what is over.', ref('DecisionStream')], 500: badFilter },
  },
  {
    path: '/v1/decisions/stream',
    method: 'head',
    summary: 'Whether the key is good. Leaves no trace.',
    auth: 'bouncer',
    answers: { 200: ['It is.'] },
  },
  {
    path: '/v1/decisions',
    method: 'delete',
    summary: 'Ends decisions now. Without a filter: all.',
    auth: 'machine',
    query: deleteFilters,
    answers: { 200: ['How many.', ref('Deleted')], 500: badFilter },
  },
  {
    path: '/v1/decisions/{id}',
    method: 'delete',
    summary: 'Ends one decision now.',
    auth: 'machine',
    answers: { 200: ['Done.', ref('Deleted')], 400: fault('No number.'), 500: fault('There is none.') },
  },
  {
    path: '/v1/feeds/{format}',
    method: 'get',
    summary: 'Decisions as a list for firewalls. The key may also be a password of Basic credentials, or `key`.',
    auth: 'bouncer',
    query: { key: text, types: text, scopes: text, origins: text, versions: text, name: text },
    answers: {
      200: ['The list.', text],
      400: fault('A parameter cannot be read.'),
      404: fault('There is no such format.'),
      503: fault('Too many feeds are being read.'),
    },
  },
];

const alerts: readonly Operation[] = [
  {
    path: '/v1/alerts',
    method: 'post',
    summary: 'Reports alerts. Those without decisions go through the profiles.',
    auth: 'machine',
    body: arrayOf(ref('NewAlert')),
    answers: {
      201: ['Ids, as text.', arrayOf(text)],
      400: badBody,
      500: fault('Something is missing or cannot be read.'),
    },
  },
  {
    path: '/v1/alerts',
    method: 'get',
    summary: 'Alerts, the newest first.',
    auth: 'machine',
    query: alertFilters,
    answers: {
      200: ['Null when there is none.', { type: ['array', 'null'], items: ref('Alert') }],
      500: badFilter,
    },
  },
  {
    path: '/v1/alerts',
    method: 'head',
    summary: 'As GET, without the answer.',
    auth: 'machine',
    query: alertFilters,
    answers: { 200: ['The filter can be read.'], 500: ['It cannot.'] },
  },
  {
    path: '/v1/alerts',
    method: 'delete',
    summary: 'Deletes alerts and ends their decisions. From trusted addresses only.',
    auth: 'machine',
    query: alertFilters,
    answers: { 200: ['How many.', ref('Deleted')], 403: fault('The address is not trusted.'), 500: badFilter },
  },
  {
    path: '/v1/alerts/{id}',
    method: 'get',
    summary: 'One alert.',
    auth: 'machine',
    answers: { 200: ['It.', ref('Alert')], 400: fault('No number.'), 404: fault('There is none.'), 500: stored },
  },
  {
    path: '/v1/alerts/{id}',
    method: 'head',
    summary: 'Whether there is such an alert.',
    auth: 'machine',
    answers: { 200: ['There is.'], 400: ['No number.'], 404: ['There is none.'] },
  },
  {
    path: '/v1/alerts/{id}',
    method: 'delete',
    summary: 'Deletes one alert and ends its decisions. From trusted addresses only.',
    auth: 'machine',
    answers: {
      200: ['Done.', ref('Deleted')],
      400: fault('No number.'),
      403: fault('The address is not trusted.'),
      500: fault('There is none.'),
    },
  },
];

const allowlists: readonly Operation[] = [
  {
    path: '/v1/allowlists',
    method: 'get',
    summary: 'Allowlists.',
    auth: 'machine',
    query: { with_content: yes },
    answers: { 200: ['All.', arrayOf(ref('Allowlist'))], 500: stored },
  },
  {
    path: '/v1/allowlists',
    method: 'head',
    summary: 'Answers without a body.',
    auth: 'machine',
    answers: { 200: ['Always.'] },
  },
  {
    path: '/v1/allowlists/{name}',
    method: 'get',
    summary: 'One allowlist.',
    auth: 'machine',
    query: { with_content: yes },
    answers: { 200: ['It.', ref('Allowlist')], 500: fault('There is none.') },
  },
  {
    path: '/v1/allowlists/{name}',
    method: 'head',
    summary: 'Whether there is such an allowlist.',
    auth: 'machine',
    answers: { 200: ['There is.'], 500: ['There is none.'] },
  },
  {
    path: '/v1/allowlists/check/{ip_or_range}',
    method: 'get',
    summary: 'Whether an address or network stands on an allowlist.',
    auth: 'machine',
    answers: {
      200: ['An empty object when it does not.', ref('AllowlistCheck')],
      500: fault('No address or network.'),
    },
  },
  {
    path: '/v1/allowlists/check/{ip_or_range}',
    method: 'head',
    summary: 'Whether an address or network stands on an allowlist.',
    auth: 'machine',
    answers: { 200: ['It does.'], 204: ['It does not.'], 500: ['No address or network.'] },
  },
  {
    path: '/v1/allowlists/check',
    method: 'post',
    summary: 'The same for many at once.',
    auth: 'machine',
    body: ref('AllowlistTargets'),
    answers: { 200: ['Those that stand on one.', ref('AllowlistResults')], 400: badBody, 500: fault('No targets.') },
  },
];

const about: readonly Operation[] = [
  {
    path: '/health',
    method: 'get',
    summary: 'Whether the API is up.',
    auth: 'none',
    answers: { 200: ['It is.', ref('Health')] },
  },
  {
    path: '/v1/openapi.json',
    method: 'get',
    summary: 'This document.',
    auth: 'none',
    answers: { 200: ['It.', { type: 'object' }] },
  },
];

export function openApiDocument(version: string): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of [...about, ...watchers, ...decisions, ...alerts, ...allowlists]) {
    (paths[operation.path] ??= {})[operation.method] = written(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Portcullis Local API',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description: 'The protocol that CrowdSec’s bouncers, agents and cscli speak.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: openApiSchemas,
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        certificate: { type: 'mutualTLS' },
      },
    },
  };
}

const security: Readonly<Record<Auth, readonly Json[]>> = {
  none: [],
  machine: [{ token: [] }],
  bouncer: [{ key: [] }, { certificate: [] }],
  either: [{ key: [] }, { certificate: [] }, { token: [] }],
};

const refusals: Readonly<Record<Auth, Operation['answers']>> = {
  none: {},
  machine: { 401: ['The token is missing, expired or not good.', ref('TokenError')] },
  bouncer: { 403: fault('The key or certificate is nobody’s.') },
  either: {
    401: ['The token is missing, expired or not good.', ref('TokenError')],
    403: fault('The key or certificate is nobody’s.'),
  },
};

function written({ path, method, summary, auth, query = {}, body, answers }: Operation): Json {
  const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
  const parameters = [
    ...names.map((name) => ({ name, in: 'path', required: true, schema: name === 'id' ? whole : text })),
    ...Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema })),
  ];
  const all = Object.entries({ ...refusals[auth], ...answers });
  return {
    operationId: [method, ...path.split('/').flatMap((part) => part.match(/\w+/g) ?? [])].join('_'),
    summary,
    security: security[auth],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: Object.fromEntries(all.map(([status, answer]) => [status, writtenAnswer(answer, path, method)])),
  };
}

function writtenAnswer([description, schema]: readonly [string, JsonSchema?], path: string, method: Method): Json {
  if (schema === undefined || method === 'head') return { description };
  const type = path.startsWith('/v1/feeds/') && schema === text ? 'text/plain' : 'application/json';
  return { description, content: { [type]: { schema } } };
}
