/**
 * The syntax tree of a pattern: what `parse-pattern.ts` makes of RE2's notation and what everything else reads. Inline
 * flags, names of classes and letter case are resolved by the parser, so that a node means the same wherever it stands.
 */
import type { CharSet } from './char-set.ts';

/** Empty-width assertions. `line-…` are `^` and `$` under the `m` flag; only `\n` ends a line, as in RE2. */
export type Position = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-edge' | 'not-word-edge';

export interface CharNode {
  readonly kind: 'char';
  /** One character of this set. */
  readonly set: CharSet;
}

export interface RepeatNode {
  readonly kind: 'repeat';
  readonly body: PatternNode;
  readonly min: number;
  /** `Infinity` when unbounded. */
  readonly max: number;
  readonly greedy: boolean;
}

export interface CaptureNode {
  readonly kind: 'capture';
  /** From 1, in the order of the opening parentheses. */
  readonly index: number;
  readonly name: string | null;
  readonly body: PatternNode;
}

export type PatternNode =
  | { readonly kind: 'empty' }
  | CharNode
  | { readonly kind: 'position'; readonly at: Position }
  | CaptureNode
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly PatternNode[] }
  | RepeatNode;

/** What a text is made of. */
export type Subject = 'text' | 'bytes';

export interface PatternOptions {
  /** `.` also matches `\n` (flag `s`). */
  readonly dotAll?: boolean;
  /** Flag `i`. ASCII letters fold to each other; in text also every other letter to its simple case variants, as in RE2. */
  readonly caseInsensitive?: boolean;
  /** `^` and `$` also match at line ends (flag `m`). */
  readonly multiline?: boolean;
  /**
   * `text` (the default): characters are code points, `\s` is RE2's `[\t\n\f\r ]`. `bytes`: the text holds one byte per
   * character (latin1), a character above U+007F in the pattern stands for its UTF-8 bytes, and `\s` also matches `\v`.
   */
  readonly subject?: Subject;
  /**
   * Which groups are remembered and numbered: all (the default), the named ones, or none. Remembering fewer is faster and
   * spares the second look that groups inside loops need.
   */
  readonly groups?: 'all' | 'named' | 'none';
}

export interface ParsedPattern {
  readonly root: PatternNode;
  /** By number; index 0 is the whole match. */
  readonly groupNames: readonly (string | null)[];
}

export const emptyNode: PatternNode = { kind: 'empty' };

/** True when the node can match without consuming a character. */
export function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'empty':
    case 'position':
      return true;
    case 'char':
      return false;
    case 'capture':
      return isNullable(node.body);
    case 'sequence':
      return node.parts.every(isNullable);
    case 'choice':
      return node.branches.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.body);
    default:
      return node satisfies never;
  }
}
