/**
 * `Alert` as profiles and postoverflows see it: CrowdSec's `models.Alert` with its Go member names, made from the alert of
 * `detectors/alert.ts`. It is a copy that parser nodes may change (`target: evt.Overflow.Alert.Source.Range`).
 */
import type { Alert } from '../../alert.ts';
import type { Source } from '../../event.ts';
import { anyMap, arrayOf, boolType, intType, stringType, type StructType, type Type } from '../types.ts';
import { sourceType } from './source-type.ts';

export interface AlertMetaView {
  Key: string;
  Value: string;
}

export interface AlertEventView {
  /** RFC 3339. */
  Timestamp: string;
  /** Sorted by key. */
  Meta: AlertMetaView[];
}

export interface AlertView {
  Capacity: number;
  /** RFC 3339, like all times of an alert. */
  CreatedAt: string;
  Decisions: unknown[];
  Events: AlertEventView[];
  EventsCount: number;
  ID: number;
  Kind: string;
  Labels: string[];
  Leakspeed: string;
  MachineID: string;
  Message: string;
  Meta: AlertMetaView[];
  Remediation: boolean;
  Scenario: string;
  ScenarioHash: string;
  ScenarioVersion: string;
  Simulated: boolean;
  Source: Source;
  StartAt: string;
  StopAt: string;
  UUID: string;
}

/**
 * The view of an alert. With `source`, the view shares it: what changes the alert's scope or value then changes the
 * overflow's source too, as in CrowdSec.
 */
export function alertView(alert: Alert, source: Source = sourceView(alert)): AlertView {
  return {
    Capacity: alert.capacity,
    CreatedAt: timeText(alert.createdAt),
    Decisions: [],
    Events: alert.events.map(({ timestamp, meta }) => ({ Timestamp: timestamp, Meta: metaViews(meta) })),
    EventsCount: alert.eventsCount,
    ID: 0,
    Kind: alert.kind,
    Labels: Object.entries(alert.labels).map(([key, value]) => `${key}:${String(value)}`),
    Leakspeed: alert.leakspeed,
    MachineID: '',
    Message: alert.message,
    Meta: metaViews(alert.meta),
    Remediation: alert.remediation,
    Scenario: alert.scenario,
    ScenarioHash: alert.scenarioHash,
    ScenarioVersion: alert.scenarioVersion,
    Simulated: alert.simulated,
    Source: source,
    StartAt: timeText(alert.startAt),
    StopAt: timeText(alert.stopAt),
    UUID: alert.uuid,
  };
}

function metaViews(meta: Alert['meta']): AlertMetaView[] {
  return meta.map(({ key, value }) => ({ Key: key, Value: value }));
}

/** The source of an alert with its Go names. */
export function sourceView({ source }: Pick<Alert, 'source'>): Source {
  return {
    AsName: source.asName,
    AsNumber: source.asNumber,
    Cn: source.country,
    IP: source.ip,
    Latitude: source.latitude,
    Longitude: source.longitude,
    Range: source.range,
    Scope: source.scope,
    Value: source.value,
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z');
}

const metaType: StructType = {
  kind: 'struct',
  name: 'models.MetaItems0',
  byValue: true,
  methods: {},
  fields: () => ({ Key: stringType, Value: stringType }),
};

const alertEventType: StructType = {
  kind: 'struct',
  name: 'models.Event',
  byValue: false,
  methods: {
    GetMeta: {
      parameters: [stringType],
      returns: stringType,
      call: (self: AlertEventView, key: string) => self.Meta.find(({ Key }) => Key === key)?.Value ?? '',
    },
  },
  fields: () => ({ Timestamp: stringType, Meta: arrayOf(metaType) }),
};

export const alertType: StructType = {
  kind: 'struct',
  name: 'models.Alert',
  byValue: false,
  methods: {
    GetScope: {
      parameters: [],
      returns: stringType,
      call: (self: AlertView) => self.Source?.Scope ?? '',
      reads: () => ['Source.Scope'],
    },
    GetValue: {
      parameters: [],
      returns: stringType,
      call: (self: AlertView) => self.Source?.Value ?? '',
      reads: () => ['Source.Value'],
    },
    GetScenario: {
      parameters: [],
      returns: stringType,
      call: (self: AlertView) => self.Scenario ?? '',
      reads: () => ['Scenario'],
    },
    GetEventsCount: {
      parameters: [],
      returns: intType,
      call: (self: AlertView) => BigInt(self.EventsCount ?? 0),
      reads: () => ['EventsCount'],
    },
    GetMeta: {
      parameters: [stringType],
      returns: stringType,
      call: (self: AlertView, key: string) => alertMeta(self, key),
      reads: () => ['Events', 'Meta'],
    },
  },
  fields: () => alertFields,
};

/** Of the first event that has the key. */
function alertMeta(alert: AlertView, key: string): string {
  for (const { Meta } of alert.Events) {
    const found = Meta.find(({ Key }) => Key === key);
    if (found) return found.Value;
  }
  return '';
}

const alertFields: Readonly<Record<string, Type>> = {
  Capacity: intType,
  CreatedAt: stringType,
  Decisions: arrayOf(anyMap),
  Events: arrayOf(alertEventType),
  EventsCount: intType,
  ID: intType,
  Kind: stringType,
  Labels: arrayOf(stringType),
  Leakspeed: stringType,
  MachineID: stringType,
  Message: stringType,
  Meta: arrayOf(metaType),
  Remediation: boolType,
  Scenario: stringType,
  ScenarioHash: stringType,
  ScenarioVersion: stringType,
  Simulated: boolType,
  Source: sourceType,
  StartAt: stringType,
  StopAt: stringType,
  UUID: stringType,
};
