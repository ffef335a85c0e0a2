/**
 * Alerts as the templates of notifications see them: CrowdSec's `models.Alert` with the member names of its Go code, and
 * its wire names where `toJson` shows one. What is a pointer there is the value itself here.
 */
import { formatDuration } from '../../core/duration.ts';
import type { Alert, AlertSource } from '../../detectors/alert.ts';
import type { Decision } from '../decision.ts';
import {
  define,
  type StructField,
  type TemplateFunction,
  TemplateStruct,
  type TemplateValue,
} from './templates/values.ts';

/** An alert and what follows from it: what a message is about. */
export interface NotifiedAlert {
  readonly alert: Alert;
  readonly decisions: readonly Decision[];
}

/** The value that a template is run on. `gatewayName` is the machine of alerts that this gateway noticed itself. */
export function alertsView(alerts: readonly NotifiedAlert[], gatewayName: string): TemplateValue {
  return alerts.map((each) => alertView(each, gatewayName));
}

function alertView({ alert, decisions }: NotifiedAlert, gatewayName: string): TemplateStruct {
  const source = sourceView(alert.source);
  const meta = metaView(alert.meta);
  const fields = fieldsOf({
    Capacity: ['capacity', BigInt(Math.trunc(alert.capacity))],
    CreatedAt: ['created_at', timeText(alert.createdAt), 'omit'],
    Decisions: ['decisions', decisions.map(decisionView), 'null'],
    Events: ['events', alert.events.map(eventView), 'null'],
    EventsCount: ['events_count', BigInt(Math.trunc(alert.eventsCount))],
    ID: ['id', 0n, 'omit'],
    Kind: ['kind', alert.kind, 'omit'],
    Labels: ['labels', Object.entries(alert.labels).map(([key, value]) => `${key}:${String(value)}`), 'null'],
    Leakspeed: ['leakspeed', alert.leakspeed],
    MachineID: ['machine_id', alert.machineId ?? gatewayName, 'omit'],
    Message: ['message', alert.message],
    Meta: ['meta', meta, 'omit'],
    Remediation: ['remediation', alert.remediation, 'omit'],
    Scenario: ['scenario', alert.scenario],
    ScenarioHash: ['scenario_hash', alert.scenarioHash],
    ScenarioVersion: ['scenario_version', alert.scenarioVersion],
    Simulated: ['simulated', alert.simulated],
    Source: ['source', source],
    StartAt: ['start_at', timeText(alert.startAt)],
    StopAt: ['stop_at', timeText(alert.stopAt)],
    UUID: ['uuid', alert.uuid, 'omit'],
  });
  return new TemplateStruct(
    '*models.Alert',
    fields,
    methodsOf({
      GetScope: alert.source.scope,
      GetValue: alert.source.value,
      GetScenario: alert.scenario,
      GetEventsCount: BigInt(Math.trunc(alert.eventsCount)),
      HasRemediation: true,
      // Of the first event that has the key, as expressions see it.
      GetMeta: (key) => alert.events.flatMap((event) => event.meta).find((each) => each.key === key)?.value ?? '',
    }),
  );
}

function sourceView(source: AlertSource): TemplateStruct {
  const fields = fieldsOf({
    AsName: ['as_name', source.asName, 'omit'],
    AsNumber: ['as_number', source.asNumber, 'omit'],
    Cn: ['cn', source.country, 'omit'],
    IP: ['ip', source.ip, 'omit'],
    Latitude: ['latitude', source.latitude, 'omit'],
    Longitude: ['longitude', source.longitude, 'omit'],
    Range: ['range', source.range, 'omit'],
    Scope: ['scope', source.scope],
    Value: ['value', source.value],
  });
  const place = [source.country, source.asNumber].filter((part) => part !== '').join('/');
  const text = `${source.scope} ${source.value}${place === '' ? '' : ` (${place})`}`;
  const methods = methodsOf({
    GetScope: source.scope,
    GetValue: source.value,
    GetAsNumberName: [source.asNumber, source.asName].filter((part) => part !== '').join(' '),
    String: text,
  });
  return new TemplateStruct('*models.Source', fields, methods, text);
}

function decisionView(decision: Decision): TemplateStruct {
  return new TemplateStruct(
    '*models.Decision',
    fieldsOf({
      Duration: ['duration', durationText(decision.until - decision.createdAt)],
      ID: ['id', 0n, 'omit'],
      Origin: ['origin', decision.origin],
      Scenario: ['scenario', decision.scenario],
      Scope: ['scope', decision.scope],
      Simulated: ['simulated', decision.simulated, 'omit'],
      Type: ['type', decision.type],
      Until: ['until', timeText(decision.until), 'omit'],
      UUID: ['uuid', decision.uuid, 'omit'],
      Value: ['value', decision.value],
    }),
  );
}

function eventView({ timestamp, meta }: Alert['events'][number]): TemplateStruct {
  return new TemplateStruct(
    '*models.Event',
    fieldsOf({ Meta: ['meta', metaView(meta)], Timestamp: ['timestamp', timestamp] }),
    methodsOf({ GetMeta: (key) => meta.find((each) => each.key === key)?.value ?? '' }),
  );
}

function metaView(meta: Alert['meta']): readonly TemplateStruct[] {
  return meta.map(
    ({ key, value }) =>
      new TemplateStruct(
        '*models.MetaItems0',
        fieldsOf({ Key: ['key', key, 'omit'], Value: ['value', value, 'omit'] }),
      ),
  );
}

type FieldRow = readonly [json: string, value: TemplateValue, whenEmpty?: StructField['whenEmpty']];

function fieldsOf(rows: Readonly<Record<string, FieldRow>>): ReadonlyMap<string, StructField> {
  return new Map(
    Object.entries(rows).map(([name, [json, value, whenEmpty = 'keep']]) => [name, { json, value, whenEmpty }]),
  );
}

/** A value is what a method without arguments gives; a function is one of a key. */
function methodsOf(
  methods: Readonly<Record<string, TemplateValue | ((key: string) => string)>>,
): ReadonlyMap<string, TemplateFunction> {
  return new Map(
    Object.entries(methods).map(([name, method]) => [
      name,
      typeof method === 'function' ? define(['text'], ([key]) => method(key)) : define([], () => method),
    ]),
  );
}

/** RFC 3339 in UTC without zeros at the end, as Go writes times. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** Whole seconds in the form that profiles write: `4h`, `1h30m`. */
function durationText(ms: number): string {
  const text = formatDuration(Math.round(ms / 1000) * 1000);
  return text.replace(/(?<=[hm])0s$/, '').replace(/(?<=h)0m$/, '');
}
