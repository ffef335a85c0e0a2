/**
 * What RE2 means, written for plainness: a graph of states, walked depth first in order of preference, where a state that
 * was tried at a position is not tried there again (RE2's BitState). The reference for `compilePattern` in the tests; it
 * shares nothing with it but the syntax tree.
 */
import type { ParsedPattern, PatternNode, Position } from '../../../detectors/regex/syntax.ts';

type State =
  | { kind: 'accept' }
  | { kind: 'read'; has: (point: number) => boolean; next: State }
  | { kind: 'check'; at: Position; next: State }
  | { kind: 'note'; slot: number; next: State }
  | { kind: 'try'; states: State[] };

/** Spans by group number, whole match first; undefined for a group that took no part. Null when nothing matches. */
export type ModelMatch = readonly ([number, number] | undefined)[] | null;

export function modelMatch(parsed: ParsedPattern, text: string, bytes = false): ModelMatch {
  const start = graphOf(parsed.root, { kind: 'accept' });
  const slots = new Map<number, number>();
  for (let from = 0; from <= text.length; from++) {
    if (!bytes && from > 0 && (text.codePointAt(from - 1) ?? 0) > 0xffff) continue;
    const tried = new Map<State, Set<number>>();
    const end = walk(start, from, text, bytes, slots, tried);
    if (end === null) continue;
    const spans: ([number, number] | undefined)[] = [[from, end]];
    for (let group = 1; group < parsed.groupNames.length; group++) {
      const opened = slots.get(group * 2);
      const closed = slots.get(group * 2 + 1);
      spans.push(opened === undefined || closed === undefined ? undefined : [opened, closed]);
    }
    return spans;
  }
  return null;
}

function walk(
  state: State,
  at: number,
  text: string,
  bytes: boolean,
  slots: Map<number, number>,
  tried: Map<State, Set<number>>,
): number | null {
  const positions = tried.get(state) ?? new Set();
  if (positions.has(at)) return null;
  tried.set(state, positions.add(at));
  switch (state.kind) {
    case 'accept':
      return at;
    case 'read': {
      if (at >= text.length) return null;
      const point = bytes ? text.charCodeAt(at) : (text.codePointAt(at) ?? 0);
      const after = at + (point > 0xffff ? 2 : 1);
      return state.has(point) ? walk(state.next, after, text, bytes, slots, tried) : null;
    }
    case 'check':
      return holds(state.at, text, at) ? walk(state.next, at, text, bytes, slots, tried) : null;
    case 'note': {
      const before = slots.get(state.slot);
      slots.set(state.slot, at);
      const end = walk(state.next, at, text, bytes, slots, tried);
      if (end === null && before === undefined) slots.delete(state.slot);
      if (end === null && before !== undefined) slots.set(state.slot, before);
      return end;
    }
    case 'try': {
      for (const next of state.states) {
        const end = walk(next, at, text, bytes, slots, tried);
        if (end !== null) return end;
      }
      return null;
    }
    default:
      return state satisfies never;
  }
}

function graphOf(node: PatternNode, next: State): State {
  switch (node.kind) {
    case 'empty':
      return { kind: 'try', states: [next] };
    case 'char': {
      const { set } = node;
      const has = (point: number): boolean => {
        for (let index = 0; index < set.length; index += 2) {
          if (point >= (set[index] ?? 0) && point <= (set[index + 1] ?? 0)) return true;
        }
        return false;
      };
      return { kind: 'read', has, next };
    }
    case 'position':
      return { kind: 'check', at: node.at, next };
    case 'capture':
      return {
        kind: 'note',
        slot: node.index * 2,
        next: graphOf(node.body, { kind: 'note', slot: node.index * 2 + 1, next }),
      };
    case 'sequence':
      return node.parts.reduceRight((following, part) => graphOf(part, following), next);
    case 'choice':
      return { kind: 'try', states: node.branches.map((branch) => graphOf(branch, next)) };
    case 'repeat':
      return rounds(node.body, node.min, node.max, node.greedy, next);
    default:
      return node satisfies never;
  }
}

/**
 * `x{3,}` is `xxx+` and `x{2,4}` is `xx(?:x(?:x)?)?`, as RE2 unrolls them. `x*` is one state that asks for another round, but
 * `(?:x+)?` when `x` can match nothing: that decides which groups a last, empty round leaves behind.
 */
function rounds(body: PatternNode, min: number, max: number, greedy: boolean, next: State): State {
  const orSkip = (more: State): State => ({ kind: 'try', states: greedy ? [more, next] : [next, more] });
  if (min > 1 || (min === 1 && max !== Infinity)) {
    return graphOf(body, rounds(body, min - 1, max - 1, greedy, next));
  }
  if (max === 0) return { kind: 'try', states: [next] };
  if (max !== Infinity) return orSkip(graphOf(body, rounds(body, 0, max - 1, greedy, next)));
  const again: State & { kind: 'try' } = { kind: 'try', states: [] };
  const first = graphOf(body, again);
  if (min === 0 && !canBeEmpty(body)) {
    again.states = greedy ? [first, next] : [next, first];
    return again;
  }
  again.states = greedy ? [first, next] : [next, first];
  return min === 1 ? first : orSkip(first);
}

/** Whether a position without width is at `at`, as RE2 has it: words are ASCII. */
export function holds(position: Position, text: string, at: number): boolean {
  const word = (index: number): boolean => /^[0-9A-Za-z_]$/.test(text.charAt(index));
  switch (position) {
    case 'text-start':
      return at === 0;
    case 'text-end':
      return at === text.length;
    case 'line-start':
      return at === 0 || text.charAt(at - 1) === '\n';
    case 'line-end':
      return at === text.length || text.charAt(at) === '\n';
    case 'word-edge':
      return word(at - 1) !== word(at);
    case 'not-word-edge':
      return word(at - 1) === word(at);
    default:
      return position satisfies never;
  }
}

function canBeEmpty(node: PatternNode): boolean {
  if (node.kind === 'char') return false;
  if (node.kind === 'capture') return canBeEmpty(node.body);
  if (node.kind === 'sequence') return node.parts.every(canBeEmpty);
  if (node.kind === 'choice') return node.branches.some(canBeEmpty);
  return node.kind !== 'repeat' || node.min === 0 || canBeEmpty(node.body);
}
