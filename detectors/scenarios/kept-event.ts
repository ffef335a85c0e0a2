/**
 * What a bucket keeps of an event until it overflows: the Meta map, the time, and who was asking; never the request's own
 * bodies, headers or raw line. The Meta map itself is kept, not a copy, because upstream shares it between buckets too: what
 * another scenario's filter adds with `SetMeta`, or the response adds later, shows in the alert.
 */
import type { AlertEvent } from '../alert.ts';
import { ownCopy } from '../documents/own-copy.ts';
import { type Event, FieldMap, type Source, type StringMap } from '../event.ts';
import type { Weighed } from './bucket.ts';

/** Characters of one event's Meta up to which the map is kept as it is; a hostile request can make it 16 KB and more. */
const wholeMetaCharacters = 4_096;

/** Characters of each value that are kept when the map is too large. */
const cutValueCharacters = 512;

/** Fixed cost of one field or event in characters, so that many empty ones weigh something. */
const overheadCharacters = 16;

export class KeptEvent implements Weighed {
  readonly meta: StringMap;
  readonly enriched: StringMap;
  readonly weight: number;
  readonly marshaledTime: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly requestId: string;
  /** The sources of an event that is itself an overflow. */
  readonly sources: Readonly<Record<string, Source>> | null;
  /** What the scenario's scope expression gave for this event; null where the scenario has none. */
  readonly scopeValue: string | null;
  /** The whole event, for scenarios whose expressions look back at the queue. */
  readonly whole: Event | null;

  constructor(event: Event, scopeValue: string | null, whole: boolean) {
    const weight = metaWeight(event.Meta);
    const cut = weight > wholeMetaCharacters;
    this.meta = cut ? cutMeta(event.Meta) : event.Meta;
    this.enriched = event.Enriched;
    this.weight =
      (cut ? metaWeight(this.meta) : weight) + (scopeValue?.length ?? 0) + (whole ? event.Line.Raw.length : 0);
    this.marshaledTime = event.MarshaledTime;
    this.time = event.Time;
    this.requestId = event.Line.Labels.request_id ?? '';
    this.sources = event.Overflow?.Sources ?? null;
    this.scopeValue = scopeValue;
    this.whole = whole ? event : null;
  }

  /** As alerts show it: sorted by key, without the fields that say nothing. */
  toAlertEvent(): AlertEvent {
    const meta = Object.entries(this.meta)
      .flatMap(([key, value]) => (value === undefined || value === '' ? [] : [{ key, value }]))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    return { timestamp: this.marshaledTime || new Date(this.time).toISOString(), meta };
  }
}

function metaWeight(meta: StringMap): number {
  let weight = overheadCharacters;
  for (const key in meta) weight += overheadCharacters + (meta[key]?.length ?? 0);
  return weight;
}

function cutMeta(meta: StringMap): StringMap {
  const cut = new FieldMap();
  for (const key in meta) {
    const value = meta[key];
    if (value === undefined) continue;
    cut[key] = value.length > cutValueCharacters ? `${ownCopy(value.slice(0, cutValueCharacters))}…` : value;
  }
  return cut;
}
