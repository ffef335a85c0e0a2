/**
 * The body of `POST /v1/alerts`: the wire names of CrowdSec's `Alert`, `Decision`, `Event`, `Meta` and `Source`, and which of
 * them must be there. Order of fields is alphabetical, because faults are listed in it.
 * Specification: CrowdSec `pkg/models/localapi_swagger.yaml`; the words are go-openapi's.
 */
import { LapiError } from '../lapi-context.ts';
import { decodeBody, flag, float32, integer, list, struct, text, type Reader } from './go-decoder.ts';

export interface PostedMeta {
  readonly key: string;
  readonly value: string;
}

export interface PostedEvent {
  readonly meta: readonly (Partial<PostedMeta> | null)[];
  readonly timestamp: string;
}

export interface PostedSource {
  readonly as_name: string;
  readonly as_number: string;
  readonly cn: string;
  readonly ip: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly range: string;
  readonly scope: string;
  readonly value: string;
}

export interface PostedDecision {
  /** A duration from the end of the alert on. */
  readonly duration: string;
  readonly id: number;
  readonly origin: string;
  readonly scenario: string;
  readonly scope: string;
  readonly simulated: boolean;
  readonly type: string;
  readonly until: string;
  readonly uuid: string;
  readonly value: string;
}

export interface PostedAlert {
  readonly capacity: number;
  readonly created_at: string;
  readonly decisions: readonly (Partial<PostedDecision> | null)[];
  readonly events: readonly (Partial<PostedEvent> | null)[];
  readonly events_count: number;
  readonly id: number;
  readonly kind: string;
  readonly labels: readonly (string | null)[];
  readonly leakspeed: string;
  readonly machine_id: string;
  readonly message: string;
  readonly meta: readonly (Partial<PostedMeta> | null)[];
  readonly remediation: boolean;
  readonly scenario: string;
  readonly scenario_hash: string;
  readonly scenario_version: string;
  readonly simulated: boolean;
  readonly source: Partial<PostedSource>;
  readonly start_at: string;
  readonly stop_at: string;
  readonly uuid: string;
}

type Required<T, Keys extends keyof T> = { readonly [Key in Keys]: T[Key] } & Partial<T>;

export type ValidEvent = { readonly timestamp: string; readonly meta: readonly Partial<PostedMeta>[] };
export type ValidDecision = Required<PostedDecision, (typeof requiredOfDecision)[number]>;
export type ValidSource = Required<PostedSource, (typeof requiredOfSource)[number]>;

/** An alert that has all it must have. */
export type ValidAlert = Omit<
  Required<PostedAlert, (typeof requiredOfAlert)[number]>,
  'decisions' | 'events' | 'meta' | 'source'
> & {
  readonly decisions?: readonly ValidDecision[];
  readonly events: readonly ValidEvent[];
  readonly meta?: readonly Partial<PostedMeta>[];
  readonly source: ValidSource;
};

const requiredOfAlert = [
  'capacity',
  'events',
  'events_count',
  'leakspeed',
  'message',
  'scenario',
  'scenario_hash',
  'scenario_version',
  'simulated',
  'source',
  'start_at',
  'stop_at',
] as const;
const requiredOfDecision = ['duration', 'origin', 'scenario', 'scope', 'type', 'value'] as const;
const requiredOfEvent = ['meta', 'timestamp'] as const;
const requiredOfSource = ['scope', 'value'] as const;

const meta = list('models.Meta', struct<PostedMeta>('MetaItems0', { key: text, value: text }));

const decision = struct<PostedDecision>('Decision', {
  duration: text,
  id: integer('int64'),
  origin: text,
  scenario: text,
  scope: text,
  simulated: flag,
  type: text,
  until: text,
  uuid: text,
  value: text,
});

const source = struct<PostedSource>('Source', {
  as_name: text,
  as_number: text,
  cn: text,
  ip: text,
  latitude: float32,
  longitude: float32,
  range: text,
  scope: text,
  value: text,
});

const alert = struct<PostedAlert>('Alert', {
  capacity: integer('int32'),
  created_at: text,
  decisions: list('[]*models.Decision', decision),
  events: list('[]*models.Event', struct<PostedEvent>('Event', { meta, timestamp: text })),
  events_count: integer('int32'),
  id: integer('int64'),
  kind: text,
  labels: list('[]string', text),
  leakspeed: text,
  machine_id: text,
  message: text,
  meta,
  remediation: flag,
  scenario: text,
  scenario_hash: text,
  scenario_version: text,
  simulated: flag,
  source,
  start_at: text,
  stop_at: text,
  uuid: text,
});

const alerts: Reader<(Partial<PostedAlert> | null)[]> = list('models.AddAlertsRequest', alert);

/** The alerts of a body. @throws LapiError 400 for what is not JSON or of another type, 500 for the first alert that lacks something. */
export function readPostedAlerts(body: Uint8Array): readonly ValidAlert[] {
  const posted = decodeBody(body, alerts) ?? [];
  posted.forEach((each, index) => {
    const faults = each === null ? [required(String(index))] : alertFaults(each, String(index));
    if (faults.length > 0) throw new LapiError(500, [listHead, ...faults].join('\n'));
  });
  return posted as unknown as readonly ValidAlert[];
}

const listHead = 'validation failure list:';

function required(path: string): string {
  return `${path} in body is required`;
}

/** One line for each; a structure inside brings the head of its own list along, as go-openapi prints it. */
function alertFaults(alert: Partial<PostedAlert>, path: string): string[] {
  const faults: string[] = [];
  const firstOf = (key: 'decisions' | 'events', names: readonly string[]): void => {
    const items = alert[key] ?? [];
    for (const [index, item] of items.entries()) {
      const lacking = item === null ? [] : lackingOf(item, names, `${path}.${key}.${index}`);
      if (lacking.length === 0) continue;
      faults.push(listHead, ...lacking);
      return;
    }
  };
  for (const key of ['capacity', 'decisions', ...requiredOfAlert.slice(1)] as const) {
    if (key === 'decisions') firstOf(key, requiredOfDecision);
    else if (alert[key] === undefined) faults.push(required(`${path}.${key}`));
    else if (key === 'events') firstOf(key, requiredOfEvent);
    else if (key === 'source') {
      const lacking = lackingOf(alert.source ?? {}, requiredOfSource, `${path}.source`);
      if (lacking.length > 0) faults.push(listHead, ...lacking);
    }
  }
  return faults.length > 0 ? faults : nullItems(alert, path);
}

function lackingOf(item: object, names: readonly string[], path: string): string[] {
  return names.filter((name) => !Object.hasOwn(item, name)).map((name) => required(`${path}.${name}`));
}

/** The first item of a list that is null. CrowdSec's validation passes over these and its handler fails with an empty 500. */
function nullItems(alert: Partial<PostedAlert>, path: string): string[] {
  const lists: [string, readonly unknown[]][] = [
    ['decisions', alert.decisions ?? []],
    ['events', alert.events ?? []],
    ['meta', alert.meta ?? []],
    ...(alert.events ?? []).map((event, index): [string, readonly unknown[]] => [
      `events.${index}.meta`,
      event?.meta ?? [],
    ]),
  ];
  for (const [name, items] of lists) {
    const index = items.indexOf(null);
    if (index !== -1) return [required(`${path}.${name}.${index}`)];
  }
  return [];
}
