/**
 * The patterns of a `regexp` data file as one test. A list of user agents has 600 patterns and is asked with every request,
 * so the literals that the patterns require are looked for in one pass, and only patterns whose literal is there are tried.
 * The same few texts are asked again and again, so the last answers are remembered.
 */
import type { PatternTest } from '../expr/data-files.ts';
import { compilePattern } from '../regex/compile-pattern.ts';
import { LiteralSet } from '../regex/literal-set.ts';
import { ownCopy } from './own-copy.ts';
import { requiredLiterals } from './required-literals.ts';

/**
 * How many answers are remembered, and for texts of how many characters: at most some 512 KB for each list. A shorter text is
 * asked anew for less than remembering it costs, where no pattern has to be tried on every text.
 */
const mostAnswers = 1_024;
const shortestAnswered = 64;
const longestAnswered = 512;

const beyondAscii = /[^\x00-\x7f]/;

/** One test that holds when any of `sources` (RE2 syntax, all valid) matches; an empty list for none. */
export function createPatternList(sources: readonly string[]): readonly PatternTest[] {
  return sources.length === 0 ? [] : [new AnyPattern(sources)];
}

class AnyPattern implements PatternTest {
  readonly requires: readonly string[] | null;
  private readonly patterns: readonly PatternTest[];
  /** Patterns of which no literal is known. */
  private readonly always: readonly PatternTest[];
  private readonly literals: LiteralSet;
  /** By literal: the patterns that require it or one of its alternatives. */
  private readonly byLiteral: readonly (readonly PatternTest[])[];
  private readonly answers = new Map<string, boolean>();
  private readonly shortestAnswered: number;

  constructor(sources: readonly string[]) {
    const byLiteral = new Map<string, PatternTest[]>();
    const always: PatternTest[] = [];
    this.patterns = sources.map((source) => {
      const pattern = compilePattern(source);
      const alternatives = requiredLiterals(source);
      if (alternatives === null) always.push(pattern);
      for (const literal of new Set(alternatives)) byLiteral.set(literal, [...(byLiteral.get(literal) ?? []), pattern]);
      return pattern;
    });
    this.always = always;
    this.shortestAnswered = always.length === 0 ? shortestAnswered : 0;
    this.literals = new LiteralSet([...byLiteral.keys()], {
      caseInsensitive: true,
    });
    this.byLiteral = [...byLiteral.values()];
    this.requires = always.length === 0 ? [...byLiteral.keys()] : null;
  }

  test(text: string): boolean {
    if (text.length > longestAnswered || text.length < this.shortestAnswered) return this.find(text);
    const known = this.answers.get(text);
    if (known !== undefined) return known;
    const answer = this.find(text);
    if (this.answers.size >= mostAnswers) this.answers.clear();
    this.answers.set(ownCopy(text), answer);
    return answer;
  }

  private find(text: string): boolean {
    // What patterns require is known for ASCII letters only: other letters have case variants among them.
    if (beyondAscii.test(text)) return this.patterns.some((pattern) => pattern.test(text));
    if (this.always.some((pattern) => pattern.test(text))) return true;
    let tried: Set<PatternTest> | null = null;
    let found = false;
    this.literals.each(text, (literal) => {
      tried ??= new Set();
      for (const pattern of this.byLiteral[literal] ?? []) {
        if (tried.has(pattern)) continue;
        tried.add(pattern);
        found ||= pattern.test(text);
      }
      return !found;
    });
    return found;
  }
}
