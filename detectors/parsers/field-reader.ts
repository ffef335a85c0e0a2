/**
 * Expressions that only copy a text of the event, which two of three statics do: read without an expression being run.
 */
import { memberPath, splitPath, stringMaps } from '../documents/filter-clauses.ts';
import type { Event } from '../event.ts';
import type { Node } from '../expr/ast.ts';

/** Gives what the expression would, which cannot raise. */
export type FieldReader = (event: Event) => string;

/** Null for an expression that is more than `evt.Parsed.key` or the like. */
export function fieldReader(node: Node): FieldReader | null {
  if (node.kind !== 'member' || node.property.kind !== 'string' || node.optional) return null;
  const path = `${memberPath(node.object)}.${node.property.value}`;
  if (path === 'evt.StrTime') return ({ StrTime }) => StrTime;
  if (path === 'evt.Line.Raw') return ({ Line }) => Line.Raw;
  if (!stringMaps.some((map) => path.startsWith(`${map}.`))) return null;
  const { map, key } = splitPath(path);
  switch (map) {
    case 'evt.Parsed':
      return ({ Parsed }) => Parsed[key] ?? '';
    case 'evt.Meta':
      return ({ Meta }) => Meta[key] ?? '';
    case 'evt.Enriched':
      return ({ Enriched }) => Enriched[key] ?? '';
    case 'evt.Line.Labels':
      return ({ Line }) => Line.Labels[key] ?? '';
    default:
      return map satisfies never;
  }
}
