/**
 * What a bucket keeps of an event until it overflows: the Meta map, the time, and who was asking; never the request's own
 * bodies, headers or raw line. The Meta map itself is kept, not a copy, because upstream shares it between buckets too: what
 * another scenario's filter adds with `SetMeta`, or the response adds later, shows in the alert. Fields of Parsed are kept
 * where contexts read them, and the whole event only for expressions that look back at it.
 */
import type { AlertEvent } from '../alert.ts';
import { ownCopy } from '../documents/own-copy.ts';
import { type Event, eventType, FieldMap, type Source, type StringMap } from '../event.ts';
import type { Weighed } from './bucket.ts';
import { emptyEvent } from './empty-event.ts';
import type { EventNeeds } from './event-needs.ts';

/** Characters of one event's Meta up to which the map is kept as it is; a hostile request can make it 16 KB and more. */
const wholeMetaCharacters = 4_096;

/** Characters of each value that are kept when the map is too large. */
const cutValueCharacters = 512;

/** Fixed cost of one field or event in characters, so that many empty ones weigh something. */
const overheadCharacters = 16;

/** How many characters a tree of JSON weighs for each of the line that it was read from. */
const treeFactor = 4;

export class KeptEvent implements Weighed {
  readonly meta: StringMap;
  readonly enriched: StringMap;
  /** The fields that contexts read; null when there are none. */
  readonly parsed: StringMap | null;
  readonly weight: number;
  readonly marshaledTime: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly requestId: string;
  /** The sources of an event that is itself an overflow. */
  readonly sources: Readonly<Record<string, Source>> | null;
  /** What the scenario's scope expression gave for this event; null where the scenario has none. */
  readonly scopeValue: string | null;
  /** The whole event, for expressions that look back at the queue. */
  readonly whole: Event | null;

  constructor(event: Event, scopeValue: string | null, needs: EventNeeds) {
    const metaWeight = weightOf(event.Meta);
    const cut = metaWeight > wholeMetaCharacters && !needs.whole;
    this.meta = cut ? cutMap(event.Meta) : event.Meta;
    this.enriched = event.Enriched;
    this.parsed = needs.parsed.length === 0 || needs.whole ? null : chosenFields(event.Parsed, needs.parsed);
    let weight = overheadCharacters + (cut ? weightOf(this.meta) : metaWeight);
    if (scopeValue !== null) weight += scopeValue.length;
    if (this.parsed !== null) weight += weightOf(this.parsed);
    this.weight = needs.whole ? weight + restWeight(event) : weight;
    this.marshaledTime = event.MarshaledTime;
    this.time = event.Time;
    this.requestId = event.Line.Labels.request_id ?? '';
    this.sources = event.Overflow?.Sources ?? null;
    this.scopeValue = scopeValue;
    this.whole = needs.whole ? event : null;
  }

  /** As alerts show it: sorted by key, without the fields that say nothing. */
  toAlertEvent(): AlertEvent {
    const meta = Object.entries(this.meta)
      .flatMap(([key, value]) => (value === undefined || value === '' ? [] : [{ key, value }]))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    return { timestamp: this.marshaledTime || new Date(this.time).toISOString(), meta };
  }

  /** As expressions see it afterwards: the event itself, or as much of it as was kept. */
  toEvent(): Event {
    if (this.whole !== null) return this.whole;
    return {
      ...emptyEvent,
      Type: this.sources === null ? eventType.log : eventType.overflow,
      Parsed: this.parsed ?? emptyEvent.Parsed,
      Enriched: this.enriched,
      Meta: this.meta,
      Time: this.time,
      MarshaledTime: this.marshaledTime,
      Process: true,
    };
  }
}

function weightOf(map: StringMap): number {
  let weight = 0;
  for (const key in map) weight += overheadCharacters + (map[key]?.length ?? 0);
  return weight;
}

/** What a whole event holds besides its Meta. A tree is weighed by its line, in which all of its texts stand. */
function restWeight({ Line, Parsed, Enriched, Unmarshaled }: Event): number {
  let weight = Line.Raw.length + weightOf(Parsed) + weightOf(Enriched);
  for (const _tree in Unmarshaled) weight += treeFactor * Line.Raw.length;
  return weight;
}

function chosenFields(map: StringMap, keys: readonly string[]): StringMap | null {
  let chosen: StringMap | null = null;
  for (const key of keys) {
    const value = map[key];
    if (value === undefined || value === '') continue;
    chosen ??= new FieldMap();
    chosen[key] = value.length > wholeMetaCharacters ? cutText(value) : value;
  }
  return chosen;
}

function cutMap(map: StringMap): StringMap {
  const cut = new FieldMap();
  for (const key in map) {
    const value = map[key];
    if (value !== undefined) cut[key] = cutText(value);
  }
  return cut;
}

function cutText(value: string): string {
  return value.length > cutValueCharacters ? `${ownCopy(value.slice(0, cutValueCharacters))}…` : value;
}
