/**
 * `target:` of a static: a path into the event, walked once at load. Only texts can be set: fields of structures, and keys of
 * maps, where the walk ends. Specification: CrowdSec `pkg/parser/runtime.go` (`SetTargetByName`).
 */
import type { Event } from '../event.ts';
import { eventStruct } from '../expr/environment/event-types.ts';
import type { Type } from '../expr/types.ts';
import { setOwn } from '../expr/values.ts';

/** Writes a text; nothing happens where the event has no such structure (an alert, outside of overflows). */
export type Setter = (event: Event, value: string) => void;

/** The string maps of an event that statics name directly. */
export type FieldMapName = 'Parsed' | 'Meta' | 'Enriched';

export function mapSetter(map: FieldMapName, key: string): Setter {
  switch (map) {
    case 'Parsed':
      return ({ Parsed }, value) => void (Parsed[key] = value);
    case 'Meta':
      return ({ Meta }, value) => void (Meta[key] = value);
    case 'Enriched':
      return ({ Enriched }, value) => void (Enriched[key] = value);
    default:
      return map satisfies never;
  }
}

/** A target that has been understood. */
export interface Target {
  readonly set: Setter;
  /** What it writes, as expressions name it: `evt.Meta.http_path`, `evt.StrTime`. */
  readonly path: string;
}

/** Null when the path leads to nothing that can be set; `evt.` in front may be left out. */
export function parseTarget(target: string): Target | null {
  const segments = target.replace(/^evt\./, '').split('.');
  let type: Type = eventStruct;
  for (const [index, segment] of segments.entries()) {
    if (type.kind === 'map') return mapTarget(segments.slice(0, index), segment, type.value);
    if (type.kind !== 'struct') return null;
    const fields = type.fields();
    if (!Object.hasOwn(fields, segment)) return null;
    type = fields[segment] as Type;
  }
  const last = segments.at(-1) ?? '';
  return type.kind === 'string'
    ? { set: setterAt(segments.slice(0, -1), last), path: `evt.${segments.join('.')}` }
    : null;
}

function mapTarget(path: readonly string[], key: string, value: Type): Target | null {
  if (value.kind !== 'string' && value.kind !== 'any') return null;
  const [map = ''] = path;
  const set = path.length === 1 && isFieldMap(map) ? mapSetter(map, key) : setterAt(path, key);
  return { set, path: `evt.${path.join('.')}.${key}` };
}

function isFieldMap(name: string): name is FieldMapName {
  return name === 'Parsed' || name === 'Meta' || name === 'Enriched';
}

function setterAt(path: readonly string[], key: string): Setter {
  const direct = path.length === 0 ? textSetter(key) : null;
  if (direct !== null) return direct;
  return (event, value) => {
    let holder: unknown = event;
    for (const segment of path) {
      if (typeof holder !== 'object' || holder === null) return;
      holder = (holder as Readonly<Record<string, unknown>>)[segment];
    }
    if (typeof holder === 'object' && holder !== null) setOwn(holder, key, value);
  };
}

/** The texts that most targets are about. */
function textSetter(key: string): Setter | null {
  switch (key) {
    case 'StrTime':
      return (event, value) => void (event.StrTime = value);
    case 'StrTimeFormat':
      return (event, value) => void (event.StrTimeFormat = value);
    case 'MarshaledTime':
      return (event, value) => void (event.MarshaledTime = value);
    default:
      return null;
  }
}
