/**
 * `evt` as expressions see it: the fields and methods of CrowdSec's `types.Event`, `Line` and `RuntimeAlert`
 * (`pkg/types/event.go`). The data are the plain objects of `detectors/event.ts`; the methods are here.
 */
import { type Event, eventType, type OverflowView } from '../../event.ts';
import { setOwn } from '../values.ts';
import {
  anyMap,
  anyType,
  arrayOf,
  boolType,
  intType,
  type MapType,
  stringArray,
  stringMap,
  stringType,
  type StructType,
  timeType,
  type Type,
} from '../types.ts';
import { type AlertView, alertType } from './alert-view.ts';
import { appsecType } from './appsec-type.ts';
import { sourceType } from './source-type.ts';

const lineType: StructType = {
  kind: 'struct',
  name: 'types.Line',
  byValue: true,
  methods: {},
  fields: () => lineFields,
};

const lineFields: Readonly<Record<string, Type>> = {
  Raw: stringType,
  Src: stringType,
  Time: timeType,
  Labels: stringMap,
  Process: boolType,
  Module: stringType,
};

const sourcesType: MapType = { kind: 'map', value: sourceType };

export const overflowType: StructType = {
  kind: 'struct',
  name: 'types.RuntimeAlert',
  byValue: true,
  methods: {
    GetSources: {
      parameters: [],
      returns: stringArray,
      call: (self: OverflowView) => Object.keys(self.Sources ?? {}),
      reads: () => ['Sources.*'],
    },
  },
  fields: () => overflowFields,
};

const overflowFields: Readonly<Record<string, Type>> = {
  Mapkey: stringType,
  BucketId: stringType,
  Whitelisted: boolType,
  Reprocess: boolType,
  Sources: sourcesType,
  Alert: alertType,
  APIAlerts: arrayOf(alertType),
};

export const eventStruct: StructType = {
  kind: 'struct',
  name: 'types.Event',
  byValue: false,
  methods: {
    GetType: {
      parameters: [],
      returns: stringType,
      call: (self: Event) =>
        self.Type === eventType.overflow ? 'overflow' : self.Type === eventType.log ? 'log' : 'unknown',
      reads: () => ['Type'],
    },
    GetMeta: {
      parameters: [stringType],
      returns: stringType,
      call: (self: Event, key: string) => eventMeta(self, key),
      reads: (key) => [`Meta.${key}`],
    },
    SetMeta: {
      parameters: [stringType, stringType],
      returns: boolType,
      call: (self: Event, key: string, value: string) => {
        setOwn(self.Meta, key, value);
        return true;
      },
      writes: (key) => [`Meta.${key}`],
    },
    SetParsed: {
      parameters: [stringType, stringType],
      returns: boolType,
      call: (self: Event, key: string, value: string) => {
        setOwn(self.Parsed, key, value);
        return true;
      },
      writes: (key) => [`Parsed.${key}`],
    },
    ParseIPSources: {
      parameters: [],
      returns: stringArray,
      call: (self: Event) => ipSources(self),
      reads: () => ['Meta.source_ip', 'Overflow.Sources.*', 'Type'],
    },
  },
  fields: () => eventFields,
};

const eventFields: Readonly<Record<string, Type>> = {
  Type: intType,
  ExpectMode: intType,
  Whitelisted: boolType,
  WhitelistReason: stringType,
  Stage: stringType,
  Line: lineType,
  Parsed: stringMap,
  Enriched: stringMap,
  Meta: stringMap,
  Unmarshaled: anyMap,
  Overflow: overflowType,
  Time: timeType,
  StrTime: stringType,
  StrTimeFormat: stringType,
  MarshaledTime: stringType,
  Process: boolType,
  Appsec: appsecType,
};

/** Of an overflow: the first value that is not empty, over all events of its alerts. */
function eventMeta(event: Event, key: string): string {
  if (event.Type !== eventType.overflow) {
    return Object.hasOwn(event.Meta, key) ? (event.Meta[key] ?? '') : '';
  }
  const overflow: (OverflowView & { APIAlerts?: readonly AlertView[] }) | null = event.Overflow;
  const alerts = overflow?.APIAlerts ?? (overflow?.Alert ? [overflow.Alert as AlertView] : []);
  for (const alert of alerts) {
    for (const { Meta } of alert.Events) {
      const found = Meta.find(({ Key, Value }) => Key === key && Value !== '');
      if (found) return found.Value;
    }
  }
  return '';
}

function ipSources(event: Event): string[] {
  if (event.Type === eventType.overflow) return Object.keys(event.Overflow?.Sources ?? {});
  const ip = event.Meta.source_ip ?? '';
  return ip === '' ? [] : [ip];
}

/** The queue of a bucket, oldest event first. */
export const queueType: StructType = {
  kind: 'struct',
  name: 'types.Queue',
  byValue: false,
  methods: {},
  fields: () => ({ Queue: arrayOf(eventStruct), L: intType }),
};

/** What the environment of a bucket knows about the bucket itself. */
export const leakyType: StructType = {
  kind: 'struct',
  name: 'leakybucket.Leaky',
  byValue: false,
  methods: {},
  fields: () => leakyFields,
};

const leakyFields: Readonly<Record<string, Type>> = {
  Name: stringType,
  Mapkey: stringType,
  Uuid: stringType,
  Mode: intType,
  Capacity: intType,
  CacheSize: intType,
  Total_count: intType,
  First_ts: timeType,
  Last_ts: timeType,
  Ovflw_ts: timeType,
  Leakspeed: { kind: 'duration' },
  Duration: { kind: 'duration' },
  Queue: queueType,
  Reprocess: boolType,
  Simulated: boolType,
  SerializedState: anyType,
};
