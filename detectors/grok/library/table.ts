/** How the library is written down. */

/**
 * Definitions by name. Order matters: a definition may refer to those before it, in its table or in one before.
 * The names and the fields are CrowdSec's, since parsers refer to them; the definitions are ours.
 */
export type GrokTable = Readonly<Record<string, string>>;

/** Alternatives, the first that leads to a match is taken. */
export function oneOf(...alternatives: readonly string[]): string {
  return alternatives.join('|');
}

/** References to all the names, as alternatives. */
export function anyName(...names: readonly string[]): string {
  return names.map((name) => `%{${name}}`).join('|');
}

/** The table with a name before each of its names. */
export function prefixed(prefix: string, table: GrokTable): GrokTable {
  return Object.fromEntries(Object.entries(table).map(([name, body]) => [prefix + name, body]));
}
