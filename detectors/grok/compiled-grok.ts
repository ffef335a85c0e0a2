/**
 * `CompiledGrok`: a grok pattern as parsers run it on each line. What a line must hold at least is looked for before the
 * regular expression runs: most lines that a parser sees are for another of its patterns.
 */
import type { StringMap } from '../event.ts';
import { compileParsed, type Pattern } from '../regex/compile-pattern.ts';
import type { Definition } from './definition.ts';
import { type LiteralFilter, literalFilterOf } from './literal-filter.ts';
import { parsePattern } from '../regex/parse-pattern.ts';
import type { PatternNode } from '../regex/syntax.ts';
import { type GrokReach, reachOf } from './reach.ts';

export interface Grok {
  /** The pattern as it was written. */
  readonly source: string;
  /** The names of what it yields, each once. */
  readonly fields: readonly string[];
  /**
   * The leftmost match anywhere in `subject`: writes every field into `into` (`""` for one that took no part) and returns
   * true. Otherwise returns false and leaves `into` as it was. A pattern without fields never succeeds, as in CrowdSec.
   */
  exec(subject: string, into: StringMap): boolean;
  /** How much of the pattern is found in a text that does not match. Compiles patterns: not for the path of a line. */
  reach(subject: string): GrokReach | null;
}

/** The part that patterns with equal expansions share. */
export class GrokMatcher {
  /** In the order of their groups in the expansion. */
  readonly fields: readonly string[];
  readonly #groups: readonly number[];
  readonly #pattern: Pattern;
  /** Until the first line, from which on the filter holds what is wanted of it. */
  #root: PatternNode | null;
  #filter: LiteralFilter | null = null;

  /**
   * `expansion` is RE2 syntax; a group named `mark` and a field's name yields that field.
   * @throws PatternError
   */
  constructor(expansion: string, mark: string) {
    const parsed = parsePattern(expansion, { groups: 'named' });
    this.#root = parsed.root;
    this.#pattern = compileParsed(expansion, parsed, 'text');
    const fields: string[] = [];
    const groups: number[] = [];
    for (const [group, name] of parsed.groupNames.entries()) {
      if (!name?.startsWith(mark)) continue;
      fields.push(name.slice(mark.length));
      groups.push(group);
    }
    this.fields = fields;
    this.#groups = groups;
  }

  exec(subject: string, into: StringMap): boolean {
    if (this.#root !== null) this.#prepare(this.#root);
    if (this.#filter !== null && !this.#filter(subject)) return false;
    const { fields } = this;
    if (fields.length === 0) return false;
    const match = this.#pattern.exec(subject);
    if (match === null) return false;
    const groups = this.#groups;
    for (let index = 0; index < fields.length; index++) {
      into[fields[index] ?? ''] = match[groups[index] ?? 0] ?? '';
    }
    return true;
  }

  #prepare(root: PatternNode): void {
    this.#filter = literalFilterOf(root);
    this.#root = null;
  }
}

export class CompiledGrok implements Grok {
  readonly source: string;
  readonly fields: readonly string[];
  readonly #definition: Definition;
  readonly #matcher: GrokMatcher;

  constructor(definition: Definition, matcher: GrokMatcher) {
    this.source = definition.text;
    this.fields = matcher.fields;
    this.#definition = definition;
    this.#matcher = matcher;
  }

  reach(subject: string): GrokReach | null {
    return reachOf(this.#definition, subject);
  }

  exec(subject: string, into: StringMap): boolean {
    return this.#matcher.exec(subject, into);
  }
}
