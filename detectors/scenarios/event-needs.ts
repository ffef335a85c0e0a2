/**
 * What must be kept of an event so that expressions can look at it again when its bucket overflows. Meta, Enriched and the
 * times are kept anyway; most expressions ask for nothing else, some for single fields of Parsed.
 */
import type { Expression } from '../expr/compile.ts';

export interface EventNeeds {
  /** Keys of Parsed. */
  readonly parsed: readonly string[];
  /** The event as it is: an expression reads something else, or something only known at run time. */
  readonly whole: boolean;
}

/** Paths that every kept event can answer, whatever key follows. */
const alwaysKept: readonly string[] = ['evt.Meta', 'evt.Enriched', 'match', 'req', 'queue', 'leaky', 'signal'];

const keptFields: ReadonlySet<string> = new Set([
  'evt.Type',
  'evt.ExpectMode',
  'evt.Time',
  'evt.MarshaledTime',
  'evt.Whitelisted',
  'evt.Process',
]);

/** What `expressions` need of the events that they are evaluated over. */
export function neededOf(expressions: readonly Pick<Expression, 'reads'>[]): EventNeeds {
  const parsed = new Set<string>();
  for (const path of expressions.flatMap(({ reads }) => [...reads])) {
    if (keptFields.has(path) || alwaysKept.some((kept) => path === kept || path.startsWith(`${kept}.`))) continue;
    const key = path.startsWith('evt.Parsed.') ? path.slice('evt.Parsed.'.length) : '*';
    if (key.endsWith('*')) return { parsed: [], whole: true };
    parsed.add(key);
  }
  return { parsed: [...parsed], whole: false };
}

/** Whether `expressions` look back at the events of their bucket. */
export function looksBack(expressions: readonly Pick<Expression, 'reads'>[]): boolean {
  return expressions.some(({ reads }) =>
    [...reads].some((path) => path === 'queue' || path.startsWith('leaky.Queue') || path.startsWith('leaky.*')),
  );
}
