/**
 * Takes an expression's text apart at its top-level `and`/`&&` or `or`/`||`. Only the text is read, so that each clause is
 * shown as its author wrote it; anything that could change the meaning of the parts (`??`, a conditional, `let`, a sequence,
 * a comment) is left whole.
 */

export interface Clauses {
  readonly joined: 'and' | 'or';
  /** Two or more, in order, without the parentheses around them. */
  readonly parts: readonly string[];
}

/** The clauses, or null when the text is one condition. */
export function splitClauses(source: string): Clauses | null {
  const text = withoutOuterParentheses(source.trim());
  const marks = topLevelMarks(text);
  if (marks === null) return null;
  // `or` binds weaker than `and`, so where both stand at the top, it joins.
  const joined = marks.some(({ word }) => word === 'or') ? 'or' : 'and';
  const parts: string[] = [];
  let from = 0;
  for (const mark of marks) {
    if (mark.word !== joined) continue;
    parts.push(text.slice(from, mark.start));
    from = mark.end;
  }
  if (parts.length === 0) return null;
  parts.push(text.slice(from));
  return { joined, parts: parts.map((part) => withoutOuterParentheses(part.trim())) };
}

interface Mark {
  readonly word: 'and' | 'or';
  readonly start: number;
  readonly end: number;
}

/** Strings, brackets, the joining words, and whatever forbids to split; everything else is skipped. */
const token =
  /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|`[^`]*`|[([{]|[)\]}]|&&|\|\||\?\.|\?\?|\/\/|\/\*|[?;|]|[A-Za-z_#$][\w$]*/g;

/** Null when the text may not be split. */
function topLevelMarks(text: string): Mark[] | null {
  const marks: Mark[] = [];
  let depth = 0;
  let memberEnd = -1;
  for (const match of text.matchAll(token)) {
    const [found] = match;
    const start = match.index;
    const end = start + found.length;
    if (found === '//' || found === '/*') return null;
    if (/^[([{]$/.test(found)) depth++;
    else if (/^[)\]}]$/.test(found)) depth--;
    else if (depth > 0) continue;
    else if (found === '?' || found === '??' || found === ';' || found === '|' || found === 'let') return null;
    else if (found === '?.') memberEnd = end;
    else if (found === '&&' || found === '||') marks.push({ word: found === '&&' ? 'and' : 'or', start, end });
    else if ((found === 'and' || found === 'or') && text[start - 1] !== '.' && memberEnd !== start)
      marks.push({ word: found, start, end });
  }
  return depth === 0 ? marks : null;
}

/** `(a and b)` → `a and b`; `(a) and (b)` stays. */
function withoutOuterParentheses(text: string): string {
  let inner = text;
  while (inner.startsWith('(') && closingOf(inner) === inner.length - 1) inner = inner.slice(1, -1).trim();
  return inner;
}

/** The index of the bracket that closes the first one, or -1. */
function closingOf(text: string): number {
  let depth = 0;
  for (const match of text.matchAll(token)) {
    if (/^[([{]$/.test(match[0])) depth++;
    if (/^[)\]}]$/.test(match[0]) && --depth === 0) return match.index;
  }
  return -1;
}
