/**
 * What a text must contain for a regular expression to match it: alternatives of which one is there, in lower case. Used to
 * leave out filters whose `matches` cannot be true; so it may say too little and never too much.
 */
import { clip } from '../regex/char-set.ts';
import { parsePattern } from '../regex/parse-pattern.ts';
import type { PatternNode } from '../regex/syntax.ts';

const lastAscii = 0x7f;

/** More alternatives than this are not worth a look. */
const mostAlternatives = 64;

/**
 * The alternatives for RE2 pattern `source`, or null when nothing is known. Holds for texts of ASCII characters only: the
 * caller treats any other text as one that may match.
 */
export function requiredLiterals(source: string): readonly string[] | null {
  try {
    return required(parsePattern(source).root);
  } catch {
    // A pattern that does not parse raises when it is used, which is no match either; the filter tells.
    return null;
  }
}

function required(node: PatternNode): readonly string[] | null {
  const exact = exactText(node);
  if (exact !== null) return exact === '' ? null : [exact];
  switch (node.kind) {
    case 'capture':
      return required(node.body);
    case 'repeat':
      return node.min >= 1 ? required(node.body) : null;
    case 'sequence':
      return requiredOfSequence(node.parts);
    case 'choice':
      return requiredOfChoice(node.branches);
    case 'char':
    case 'empty':
    case 'position':
      return null;
    default:
      return node satisfies never;
  }
}

/** The best of what the parts need: runs of exact text, and each part's own alternatives. */
function requiredOfSequence(parts: readonly PatternNode[]): readonly string[] | null {
  let best: readonly string[] | null = null;
  let run = '';
  for (const part of parts) {
    const exact = exactText(part);
    if (exact !== null) {
      run += exact;
      continue;
    }
    best = better(best, run === '' ? null : [run]);
    best = better(best, required(part));
    run = '';
  }
  return better(best, run === '' ? null : [run]);
}

function requiredOfChoice(branches: readonly PatternNode[]): readonly string[] | null {
  const all: string[] = [];
  for (const branch of branches) {
    const alternatives = required(branch);
    if (alternatives === null) return null;
    all.push(...alternatives);
  }
  return all.length <= mostAlternatives ? all : null;
}

/** The one text that the node matches but for letter case, or null when there are several. */
function exactText(node: PatternNode): string | null {
  switch (node.kind) {
    case 'empty':
    case 'position':
      return '';
    case 'char':
      return exactChar(clip(node.set, 0, lastAscii));
    case 'capture':
      return exactText(node.body);
    case 'sequence': {
      const texts = node.parts.map(exactText);
      return texts.includes(null) ? null : texts.join('');
    }
    case 'choice':
      return node.branches.length === 1 && node.branches[0] !== undefined ? exactText(node.branches[0]) : null;
    case 'repeat':
      return null;
    default:
      return node satisfies never;
  }
}

function exactChar(set: readonly number[]): string | null {
  let exact: string | null = null;
  for (let index = 0; index < set.length; index += 2) {
    for (let code = set[index] ?? 0; code <= (set[index + 1] ?? -1); code++) {
      const lower = String.fromCharCode(code).toLowerCase();
      if (exact !== null && exact !== lower) return null;
      exact = lower;
    }
  }
  return exact;
}

/** The alternatives whose shortest member is longest; of equals the fewer. */
export function better(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  if (a === null || b === null) return a ?? b;
  const [shortestA, shortestB] = [shortest(a), shortest(b)];
  if (shortestA !== shortestB) return shortestA > shortestB ? a : b;
  return a.length <= b.length ? a : b;
}

function shortest(texts: readonly string[]): number {
  return texts.reduce((least, text) => Math.min(least, text.length), Number.POSITIVE_INFINITY);
}
