/** A deep copy of an event, for dumps: parsers change the event in place after a step was recorded. */
import { type Event, FieldMap, type StringMap } from '../event.ts';
import { setOwn } from '../expr/values.ts';

export function copyEvent(event: Event): Event {
  return {
    ...event,
    Line: { ...event.Line, Labels: copyFields(event.Line.Labels) },
    Parsed: copyFields(event.Parsed),
    Enriched: copyFields(event.Enriched),
    Meta: copyFields(event.Meta),
    Unmarshaled: copyValue(event.Unmarshaled) as Event['Unmarshaled'],
    Overflow: copyValue(event.Overflow) as Event['Overflow'],
  };
}

function copyFields(fields: StringMap): StringMap {
  return Object.assign(new FieldMap(), fields);
}

/** Lists and maps are copied, everything else (texts, numbers, times) cannot be changed and is shared. */
function copyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyValue);
  if (value instanceof FieldMap) return copyFields(value);
  if (value instanceof Map) return new Map(Array.from(value, ([key, inner]) => [key, copyValue(inner)]));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy = Object.create(prototype) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) setOwn(copy, key, copyValue(inner));
  return copy;
}
