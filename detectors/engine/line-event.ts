/** The event that a log line starts as, before any parser has seen it. Specification: CrowdSec `pkg/types/event.go`. */
import { type Event, FieldMap, type Line, MetaMap, ParsedMap } from '../event.ts';

/** `now` (epoch milliseconds) is the event's time until a parser finds the line's own. */
export function createLineEvent(line: Line, expectMode: Event['ExpectMode'], now: number): Event {
  return {
    Type: 0,
    ExpectMode: expectMode,
    Whitelisted: false,
    WhitelistReason: '',
    Stage: '',
    Line: line,
    Parsed: new ParsedMap(),
    Enriched: new FieldMap(),
    Meta: new MetaMap(),
    Unmarshaled: {},
    Overflow: null,
    Time: now,
    StrTime: '',
    StrTimeFormat: '',
    MarshaledTime: '',
    Process: true,
  };
}
