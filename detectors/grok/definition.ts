/**
 * One grok text with its references resolved, and its expansion to a regular expression. Everything that was written
 * between references is kept to the letter: a reference becomes a group, whatever stands around it.
 *
 * Which reference yields a field follows grokky (`Host.Compile`): of a name written twice in one text the last reference
 * yields it, even where that one takes no part in the match; a name written in the text itself hides the same name further
 * down; of several further down, the last yields it.
 */
import { GrokError } from './grok-error.ts';

/** Of the expanded text, in UTF-16 units: what `parsePattern` reads at most. */
const maxExpanded = 131_072;
/** References within references. The stock library needs 6. */
const maxDepth = 40;

export interface Reference {
  readonly start: number;
  readonly end: number;
  /** Of `%{IP:source_ip}`, `source_ip`. */
  readonly field: string | null;
  readonly target: Definition;
}

export interface Definition {
  readonly text: string;
  readonly references: readonly Reference[];
  /** For each field, in order of first mention, the index of the reference that yields it. */
  readonly yields: ReadonlyMap<string, number>;
  /** At least as many UTF-16 units as the expansion has. */
  readonly expandedLength: number;
  readonly depth: number;
}

/** @throws GrokError for a name that `find` does not know, and for an expansion without measure. */
export function defineText(text: string, find: (name: string) => Definition | null): Definition {
  const references: Reference[] = [];
  let expandedLength = text.length;
  let depth = 0;
  for (const match of text.matchAll(/%\{(\w+)(?::(\w+))?\}/g)) {
    const [written, name = '', field = null] = match;
    const target = find(name);
    if (target === null) {
      throw new GrokError(text, match.index, `the pattern ${name} is not defined`, definedBefore);
    }
    references.push({ start: match.index, end: match.index + written.length, field, target });
    expandedLength += target.expandedLength + groupOverhead + (field?.length ?? 0);
    depth = Math.max(depth, target.depth + 1);
    if (expandedLength > maxExpanded) {
      throw new GrokError(text, match.index, `it expands to more than ${maxExpanded} characters`, 'Write less.');
    }
    if (depth > maxDepth) {
      throw new GrokError(text, match.index, `references are nested deeper than ${maxDepth}`, 'Write fewer levels.');
    }
  }
  return { text, references, yields: yieldsOf(references), expandedLength, depth };
}

const definedBefore = 'Define it in an earlier file or line, in pattern_syntax, or correct its name.';
/** Of `(?P<` … `>` … `)` around a body, with the longest mark that `markFor` makes. */
const groupOverhead = 16;

function yieldsOf(references: readonly Reference[]): ReadonlyMap<string, number> {
  const own = new Set(references.map((reference) => reference.field));
  const yields = new Map<string, number>();
  for (const [index, { field, target }] of references.entries()) {
    if (field !== null) yields.set(field, index);
    for (const nested of target.yields.keys()) if (!own.has(nested)) yields.set(nested, index);
  }
  return yields;
}

/** The regular expression, RE2 syntax: a named group `mark + field` for each of its fields and no other group of its own. */
export function expand(definition: Definition, mark: string): string {
  return piecesOf(definition, new Set(definition.yields.keys()), mark).join('');
}

/** By turns: text between references as it was written, and the group that a reference becomes. */
function piecesOf(definition: Definition, wanted: ReadonlySet<string>, mark: string): string[] {
  const { text, references, yields } = definition;
  const pieces: string[] = [];
  let copied = 0;
  for (const [index, { start, end, field, target }] of references.entries()) {
    const isYielded = (name: string): boolean => wanted.has(name) && yields.get(name) === index;
    const below = new Set(target.yields.keys().filter((name) => name !== field && isYielded(name)));
    const opening = field !== null && isYielded(field) ? `(?P<${mark}${field}>` : '(?:';
    pieces.push(text.slice(copied, start), `${opening}${piecesOf(target, below, mark).join('')})`);
    copied = end;
  }
  pieces.push(text.slice(copied));
  return pieces;
}

/** Where in the definition's text the unit at `position` of its expansion comes from; within a reference, its start. */
export function writtenOffset(definition: Definition, mark: string, position: number): number {
  let before = 0;
  for (const [index, piece] of piecesOf(definition, new Set(definition.yields.keys()), mark).entries()) {
    const reference = definition.references[index >> 1];
    if (position < before + piece.length || reference === undefined) {
      if (index % 2 === 1) return reference?.start ?? 0;
      return (definition.references[(index >> 1) - 1]?.end ?? 0) + position - before;
    }
    before += piece.length;
  }
  return definition.text.length;
}

/** The beginning of a group name that no group written in the definition or below it has. */
export function unusedMark(definition: Definition): string {
  let mark = 'f_';
  while (mentions(definition, `<${mark}`)) mark = `f${mark}`;
  return mark;
}

function mentions(definition: Definition, text: string): boolean {
  return definition.text.includes(text) || definition.references.some(({ target }) => mentions(target, text));
}
