/**
 * `createGrokRegistry`: the namespace of named patterns that parsers read and add to (`pattern_syntax`), and the way from a
 * grok pattern to something that runs. Parsers and postoverflows have one each.
 * Specification: CrowdSec's fork of grokky, `host.go` and `pattern.go`; `pkg/parser/node.go` for the order of definitions.
 */
import { parsePattern } from '../regex/parse-pattern.ts';
import { PatternError } from '../regex/pattern-error.ts';
import { CompiledGrok, type Grok, GrokMatcher } from './compiled-grok.ts';
import { type Definition, defineText, expand, unusedMark, writtenOffset } from './definition.ts';
import { GrokError } from './grok-error.ts';
import { libraryTables } from './library/index.ts';
import type { GrokTable } from './library/table.ts';

export interface GrokRegistry {
  /**
   * False: the name was already defined, and the old definition stays.
   * @throws GrokError when `body` refers to an unknown name (later ones count as unknown) or is no regular expression.
   */
  define(name: string, body: string): boolean;
  /** @throws GrokError that names the unknown reference or the mistake, with its offset in `pattern`. */
  compile(pattern: string): Grok;
  /**
   * The pattern of a name, as `grok.name` has it.
   * @throws GrokError when the name is not defined.
   */
  named(name: string): Grok;
}

/** Compiled patterns by their expansion, for registries to share: V8 is slow to compile what is this large. */
export type GrokMatchers = Map<string, GrokMatcher>;

/**
 * The library's names are defined from the start; it is trusted to hold nothing but regular expressions. Names are the
 * registry's own, whoever shares its `matchers`.
 */
export function createGrokRegistry(
  library: readonly GrokTable[] = libraryTables,
  matchers: GrokMatchers = new Map(),
): GrokRegistry {
  const registry = new Registry(matchers);
  for (const table of library) for (const [name, body] of Object.entries(table)) registry.add(name, body);
  return registry;
}

class Registry implements GrokRegistry {
  readonly #definitions = new Map<string, Definition>();
  readonly #matchers: GrokMatchers;

  constructor(matchers: GrokMatchers) {
    this.#matchers = matchers;
  }

  /** Without looking whether the body is a regular expression: a test does that for the library. */
  add(name: string, body: string): void {
    this.#definitions.set(name, this.#resolve(body));
  }

  define(name: string, body: string): boolean {
    if (this.#definitions.has(name)) return false;
    const definition = this.#resolve(body);
    checked(definition, unusedMark(definition), parsePattern);
    this.#definitions.set(name, definition);
    return true;
  }

  compile(pattern: string): Grok {
    return this.#grok(this.#resolve(pattern));
  }

  named(name: string): Grok {
    const definition = this.#definitions.get(name);
    if (definition === undefined) {
      throw new GrokError(
        name,
        0,
        `the pattern ${name} is not defined`,
        'Define it in pattern_syntax, or correct its name.',
      );
    }
    return this.#grok(definition);
  }

  #resolve(text: string): Definition {
    return defineText(text, (name) => this.#definitions.get(name) ?? null);
  }

  #grok(definition: Definition): Grok {
    const mark = unusedMark(definition);
    const matcher = checked(definition, mark, (source) => {
      const known = this.#matchers.get(source) ?? new GrokMatcher(source, mark);
      this.#matchers.set(source, known);
      return known;
    });
    return new CompiledGrok(definition, matcher);
  }
}

/** What `use` makes of the expansion; a mistake in it is told with its place in the text as it was written. */
function checked<T>(definition: Definition, mark: string, use: (source: string) => T): T {
  try {
    return use(expand(definition, mark));
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const offset = error.position === null ? 0 : writtenOffset(definition, mark, error.position);
    throw new GrokError(definition.text, offset, error.reason, error.remedy ?? '');
  }
}
