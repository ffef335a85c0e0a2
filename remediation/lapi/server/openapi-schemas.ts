/** What goes over the wire, as JSON Schema: the components of the OpenAPI document. Keys as in `models/`. */

export type JsonSchema = Readonly<Record<string, unknown>>;

const text: JsonSchema = { type: 'string' };
const whole: JsonSchema = { type: 'integer' };
const yesNo: JsonSchema = { type: 'boolean' };
const moment: JsonSchema = { type: 'string', format: 'date-time' };

/** A text with a meaning. */
function textOf(description: string): JsonSchema {
  return { type: 'string', description };
}

export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

export function arrayOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** CrowdSec writes null for an empty list. */
function arrayOrNull(items: JsonSchema): JsonSchema {
  return { type: ['array', 'null'], items };
}

function object(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema {
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}

const decision = {
  id: whole,
  origin: textOf('Who decided: `crowdsec`, `cscli`, `lists`, …'),
  scenario: text,
  scope: textOf('`Ip`, `Range`, `AS`, `Country` or a name of the scenario’s own.'),
  value: text,
  type: textOf('`ban`, `captcha`, `throttle` or another remediation.'),
  duration: textOf('What is left, in whole seconds: `3h59m58s`. Negative when it is over.'),
};

const meta = arrayOrNull(object({ key: text, value: text }));

const source = object(
  {
    scope: text,
    value: text,
    ip: text,
    range: text,
    as_number: text,
    as_name: text,
    cn: textOf('ISO country.'),
    latitude: { type: 'number' },
    longitude: { type: 'number' },
  },
  ['scope', 'value'],
);

const alert = {
  scenario: text,
  scenario_hash: text,
  scenario_version: text,
  message: text,
  events_count: whole,
  events: arrayOrNull(object({ timestamp: text, meta }, ['timestamp', 'meta'])),
  start_at: text,
  stop_at: textOf('Decisions count from here.'),
  capacity: whole,
  leakspeed: text,
  simulated: yesNo,
  remediation: yesNo,
  kind: text,
  labels: arrayOrNull(text),
  meta,
  source,
};

const usage = {
  name: text,
  type: text,
  version: text,
  utc_startup_timestamp: whole,
  os: object({ name: text, version: text, family: text }, ['name', 'version']),
  feature_flags: arrayOrNull(text),
  metrics: arrayOf(
    object({
      meta: object({ window_size_seconds: whole, utc_now_timestamp: whole }, [
        'window_size_seconds',
        'utc_now_timestamp',
      ]),
      items: arrayOrNull(
        object(
          {
            name: text,
            value: { type: 'number' },
            unit: text,
            labels: { type: 'object', additionalProperties: text },
          },
          ['name', 'value', 'unit'],
        ),
      ),
    }),
  ),
};

export const openApiSchemas: Readonly<Record<string, JsonSchema>> = {
  Health: object({ status: { type: 'string', const: 'up' } }, ['status']),
  Error: object({ message: text }, ['message']),
  TokenError: object({ code: whole, message: text }, ['code', 'message']),
  Registration: object(
    {
      machine_id: { type: 'string', minLength: 1, maxLength: 256 },
      password: { type: 'string', minLength: 1, maxLength: 1_024 },
      registration_token: { type: 'string', minLength: 32, maxLength: 255 },
    },
    ['machine_id', 'password'],
  ),
  Login: object({ machine_id: text, password: text, scenarios: arrayOrNull(text) }, ['machine_id', 'password']),
  Token: object({ code: { type: 'integer', const: 200 }, expire: moment, token: text }, ['code', 'expire', 'token']),
  Decision: object(decision, Object.keys(decision)),
  StreamedDecision: object({ ...decision, uuid: text }, Object.keys(decision)),
  DecisionStream: object({ new: arrayOf(ref('StreamedDecision')), deleted: arrayOf(ref('StreamedDecision')) }, [
    'new',
    'deleted',
  ]),
  NewDecision: object(
    {
      origin: text,
      scenario: text,
      scope: text,
      value: text,
      type: text,
      duration: textOf('Such as `4h`, `90m` or `7d`; counts from the alert’s `stop_at`.'),
      simulated: yesNo,
      uuid: text,
    },
    ['origin', 'scenario', 'scope', 'value', 'type', 'duration'],
  ),
  NewAlert: object({ ...alert, decisions: arrayOrNull(ref('NewDecision')) }, [
    'scenario',
    'scenario_hash',
    'scenario_version',
    'message',
    'events_count',
    'events',
    'start_at',
    'stop_at',
    'capacity',
    'leakspeed',
    'simulated',
    'source',
  ]),
  Alert: object({
    ...alert,
    id: whole,
    uuid: text,
    machine_id: text,
    created_at: text,
    decisions: arrayOrNull(object({ ...decision, simulated: yesNo })),
  }),
  Deleted: object({ nbDeleted: textOf('A number, as text.') }, ['nbDeleted']),
  Allowlist: object({
    name: text,
    description: text,
    created_at: text,
    updated_at: text,
    items: arrayOrNull(object({ value: text, description: text, created_at: text, expiration: text })),
  }),
  AllowlistCheck: object({ allowlisted: yesNo, reason: text }),
  AllowlistTargets: object({ targets: arrayOf(text) }, ['targets']),
  AllowlistResults: object({ results: arrayOf(object({ target: text, allowlists: arrayOf(text) })) }, ['results']),
  UsageMetrics: object({
    remediation_components: arrayOrNull(object(usage, ['version', 'utc_startup_timestamp'])),
    log_processors: arrayOrNull(
      object(
        {
          ...usage,
          hub_items: { type: 'object' },
          datasources: { type: 'object', additionalProperties: whole },
        },
        ['version', 'utc_startup_timestamp', 'hub_items', 'datasources'],
      ),
    ),
  }),
};
