/**
 * `Event`: what detectors read, the `evt` of every expression. The gateway makes one for each request, acquisition one for
 * each log line. Member names are CrowdSec's, because hub expressions spell them (`evt.Meta.http_path`); the names are the
 * interface, so they keep Go's capitals. Specification: CrowdSec `pkg/types/event.go`; hub web parsers for the fields.
 */

/** A map of strings as Go has it: a key that is not there reads as `""` in expressions, never as nil. */
export type StringMap = { [key: string]: string | undefined };

/** What kind of event this is. CrowdSec's numbers. */
export const eventType = { log: 0, overflow: 1, appsec: 2 } as const;
export type EventType = (typeof eventType)[keyof typeof eventType];

export interface Line {
  Raw: string;
  Src: string;
  /** Epoch milliseconds at which the line was read. */
  Time: number;
  Labels: StringMap;
  Process: boolean;
  Module: string;
}

/** One attacker as an alert names it. */
export interface Source {
  AsName: string;
  AsNumber: string;
  Cn: string;
  IP: string;
  Latitude: number;
  Longitude: number;
  Range: string;
  Scope: string;
  Value: string;
}

export interface Event {
  Type: EventType;
  /** 0 live, 1 time-machine; which clock the buckets read. */
  ExpectMode: 0 | 1;
  Whitelisted: boolean;
  WhitelistReason: string;
  Stage: string;
  Line: Line;
  Parsed: StringMap;
  Enriched: StringMap;
  Meta: StringMap;
  Unmarshaled: Record<string, unknown>;
  /** Set on overflow events only (issue of postoverflows and reprocess). */
  Overflow: OverflowView | null;
  /** Epoch milliseconds. */
  Time: number;
  StrTime: string;
  StrTimeFormat: string;
  /** RFC 3339. */
  MarshaledTime: string;
  Process: boolean;
}

/** `evt.Overflow` of an event that is itself an overflow. */
export interface OverflowView {
  Mapkey: string;
  BucketId: string;
  Whitelisted: boolean;
  Reprocess: boolean;
  Sources: Record<string, Source>;
  Alert: unknown;
}

/**
 * A string map without a prototype's surprises: `Parsed.constructor` is absent like any other unknown key. The class keeps
 * V8's fast in-object layout, which `Object.create(null)` gives up.
 */
export const FieldMap = function FieldMap() {} as unknown as { new (): StringMap };
FieldMap.prototype = Object.create(null) as object;

/**
 * The same for `Parsed` and `Meta` of an event, with room for their fields inside the object. V8 sizes an object by what its
 * constructor assigns and its first instances fill; a dozen fields beyond that, and it makes a hash table of each map, which
 * costs a log line a microsecond and two kilobytes.
 */
export const ParsedMap = function ParsedMap(this: StringMap, full?: true) {
  if (full === undefined) return;
  this.a = this.b = this.c = this.d = this.e = this.f = this.g = this.h = '';
  this.i = this.j = this.k = this.l = this.m = this.n = this.o = this.p = '';
  this.q = this.r = this.s = this.t = this.u = this.v = this.w = this.x = '';
  this.y = this.z = this.A = this.B = this.C = this.D = this.E = this.F = '';
} as unknown as { new (full?: true): StringMap };

export const MetaMap = function MetaMap(this: StringMap, full?: true) {
  if (full === undefined) return;
  this.a = this.b = this.c = this.d = this.e = this.f = this.g = this.h = '';
  this.i = this.j = this.k = this.l = this.m = this.n = this.o = this.p = '';
} as unknown as { new (full?: true): StringMap };

/** Of so many instances V8 looks at what they fill. */
const measuredInstances = 8;

for (const Roomy of [ParsedMap, MetaMap]) {
  // `instanceof FieldMap` holds for these too.
  Roomy.prototype = FieldMap.prototype;
  Array.from({ length: measuredInstances }, () => new Roomy(true));
}
