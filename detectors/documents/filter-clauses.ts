/**
 * What a filter needs in order to be true, read from its tree: clauses of which every one must hold, each a list of atoms of
 * which one must. Only what is certain is said: a part that is not understood yields no clause. An effect (`SetMeta`) ends
 * the reading, because whatever stands behind it happens only after it.
 */
import type { Node } from '../expr/ast.ts';
import type { DataFiles } from '../expr/data-files.ts';
import { lower, upper } from '../expr/text.ts';
import { requiredLiterals } from './required-literals.ts';

/**
 * `equals`: the field has exactly this value. `folded`: it has it but for letter case. `contains`: the field in lower case contains this lower-case text, or the field
 * holds a character that is not ASCII (whose case is not looked into; the same goes for `folded`).
 */
export interface Atom {
  readonly kind: 'equals' | 'folded' | 'contains';
  /** `evt.Meta.http_path`: a key of one of the string maps. */
  readonly path: string;
  readonly value: string;
}

/** One of the atoms holds. No atom at all: the filter is never true. */
export type Clause = readonly Atom[];

/** Clauses that `filter` needs. `writtenPaths` may change while an event is poured, so nothing is said about them. */
export function clausesOf(filter: Node, files: DataFiles, writtenPaths: ReadonlySet<string>): readonly Clause[] {
  const reader = new ClauseReader(files);
  return reader
    .clauses(filter, noBindings)
    .filter((clause) => clause.every(({ path }) => !isWritten(path, writtenPaths)));
}

function isWritten(path: string, written: ReadonlySet<string>): boolean {
  const { map } = splitPath(path);
  return written.has(path) || written.has(`${map}.*`) || written.has(map) || written.has('evt');
}

/** The string maps that clauses are about. */
export type StringMapPath = 'evt.Meta' | 'evt.Parsed' | 'evt.Enriched' | 'evt.Line.Labels';

export const stringMaps: readonly StringMapPath[] = ['evt.Meta', 'evt.Parsed', 'evt.Enriched', 'evt.Line.Labels'];

/** The map of an atom's path, and the key in it, which may hold dots. */
export function splitPath(path: string): { readonly map: StringMapPath; readonly key: string } {
  const map = stringMaps.find((each) => path.startsWith(`${each}.`)) ?? 'evt.Meta';
  return { map, key: path.slice(map.length + 1) };
}

/** What names mean here: those bound by `let`, and the element of the list that a predicate runs over. */
interface Bindings {
  readonly names: ReadonlyMap<string, { readonly node: Node; readonly bindings: Bindings }>;
  readonly element: string | null;
}

/** A field as a filter looks at it. */
interface Subject {
  readonly path: string;
  /** Texts without which the functions around the field change nothing but its case and its ends. */
  readonly unless: readonly string[];
  /** Its ends may have been cut off. */
  readonly shortened: boolean;
}

const noBindings: Bindings = { names: new Map(), element: null };

/** A union of more atoms than this is not worth its table. */
const mostAtoms = 4_096;

/** The text operators that imply `contains`. */
const textOperators: ReadonlySet<string> = new Set(['contains', 'startsWith', 'endsWith']);

/** Functions whose result differs from their argument in letter case only. */
const caseFunctions: ReadonlySet<string> = new Set(['Upper', 'Lower', 'upper', 'lower']);

/** Functions that decode, with the characters without which they change nothing. */
const decoders: ReadonlyMap<string, readonly string[]> = new Map([
  ['PathUnescape', ['%']],
  ['QueryUnescape', ['%', '+']],
]);

/** Helpers that leave something behind besides their result. */
const effectful: ReadonlySet<string> = new Set(
  'UnmarshalJSON ParseKV ParseKVLax SetInStash SendAlert HTTPGet HTTPHead HTTPPost HTTPRequest LogInfo'.split(' '),
);

class ClauseReader {
  private readonly files: DataFiles;

  constructor(files: DataFiles) {
    this.files = files;
  }

  clauses(node: Node, bindings: Bindings): readonly Clause[] {
    switch (node.kind) {
      case 'bool':
        return node.value ? [] : [[]];
      case 'binary':
        return this.binary(node, bindings);
      case 'builtin':
        return node.name === 'any' ? this.any(node.args, bindings) : [];
      case 'call':
        return this.regexpInFile(node, bindings);
      case 'conditional':
        return this.conditional(node, bindings);
      case 'let': {
        if (hasEffect(node.value)) return [];
        const names = new Map(bindings.names).set(node.name, { node: node.value, bindings });
        return this.clauses(node.body, { ...bindings, names });
      }
      case 'chain':
      case 'predicate':
        return this.clauses(node.body, bindings);
      case 'sequence': {
        const last = node.items.at(-1);
        const before = node.items.slice(0, -1);
        return last === undefined || before.some(hasEffect) ? [] : this.clauses(last, bindings);
      }
      case 'identifier': {
        const bound = bindings.names.get(node.name);
        return bound === undefined ? [] : this.clauses(bound.node, bound.bindings);
      }
      default:
        return [];
    }
  }

  private binary(node: Node & { kind: 'binary' }, bindings: Bindings): readonly Clause[] {
    const { operator, left, right } = node;
    if (operator === 'and') return this.every(operands(node), bindings);
    if (operator === 'or') return either(operands(node).map((operand) => this.clauses(operand, bindings)));
    if (operator === '==') return this.equals(left, right, bindings) ?? this.equals(right, left, bindings) ?? [];
    if (operator === 'in' && right.kind === 'array') {
      const each = right.items.map((item) => this.equals(left, item, bindings) ?? []);
      return either(each);
    }
    if (textOperators.has(operator)) {
      const text = this.constant(right, bindings);
      return text === null ? [] : this.contains(left, [text], bindings);
    }
    if (operator === 'matches') {
      const pattern = this.constant(right, bindings);
      const literals = pattern === null ? null : requiredLiterals(pattern);
      return literals === null ? [] : this.contains(left, literals, bindings);
    }
    return [];
  }

  /** What all parts need, up to the first that leaves something behind. */
  private every(parts: readonly Node[], bindings: Bindings): readonly Clause[] {
    const effect = parts.findIndex(hasEffect);
    const read = effect === -1 ? parts : parts.slice(0, effect + 1);
    return read.flatMap((part) => this.clauses(part, bindings));
  }

  /** The clause of `field == constant`, or null when the two are not that. */
  private equals(field: Node, constant: Node, bindings: Bindings): readonly Clause[] | null {
    const value = this.constant(constant, bindings);
    if (value === null) return null;
    const path = this.path(field, bindings);
    if (path !== null) return [[{ kind: 'equals', path, value }]];
    const read = this.subject(field, bindings);
    if (read === null || read.shortened || read.unless.length > 0) return this.contains(field, [value], bindings);
    return [[{ kind: 'folded', path: read.path, value: value.toLowerCase() }]];
  }

  /** The clause of `subject contains one of literals`; empty literals are in every text. */
  private contains(subject: Node, literals: readonly string[], bindings: Bindings): readonly Clause[] {
    const read = this.subject(subject, bindings);
    if (read === null || literals.includes('')) return [];
    const values = new Set([...literals.map((literal) => literal.toLowerCase()), ...read.unless]);
    return [[...values].map((value) => ({ kind: 'contains', path: read.path, value }))];
  }

  /** `any(File('name'), predicate)`: the predicate for one of the lines. */
  private any(args: readonly Node[], bindings: Bindings): readonly Clause[] {
    const [list, predicate] = args;
    if (list?.kind !== 'call' || list.callee.kind !== 'identifier' || list.callee.name !== 'File') return [];
    const name = list.args[0] === undefined ? null : this.constant(list.args[0], bindings);
    if (name === null || predicate?.kind !== 'predicate') return [];
    const lines = this.files.lines(name);
    return either(lines.map((element) => this.clauses(predicate.body, { ...bindings, element })));
  }

  /** `RegexpInFile(subject, 'name')`: what all patterns of the file require together. */
  private regexpInFile({ callee, args }: Node & { kind: 'call' }, bindings: Bindings): readonly Clause[] {
    const [subject, file] = args;
    if (callee.kind !== 'identifier' || callee.name !== 'RegexpInFile' || subject === undefined) return [];
    const name = file === undefined ? null : this.constant(file, bindings);
    if (name === null) return [];
    const required = this.files.patterns(name).map(({ requires }) => requires ?? null);
    if (required.some((literals) => literals === null)) return [];
    return either(required.map((literals) => this.contains(subject, literals ?? [], bindings)));
  }

  private conditional(node: Node & { kind: 'conditional' }, bindings: Bindings): readonly Clause[] {
    return either([this.every([node.test, node.then], bindings), this.clauses(node.otherwise, bindings)]);
  }

  /** A field under functions that do not hide it. */
  private subject(node: Node, bindings: Bindings): Subject | null {
    if (node.kind === 'call' || node.kind === 'builtin') {
      const name = node.kind === 'builtin' ? node.name : node.callee.kind === 'identifier' ? node.callee.name : '';
      const shortens = name === 'TrimSpace';
      const unless = shortens || caseFunctions.has(name) ? [] : decoders.get(name);
      const [argument] = node.args;
      if (unless === undefined || argument === undefined || node.args.length !== 1) return null;
      const inner = this.subject(argument, bindings);
      if (inner === null) return null;
      return { path: inner.path, unless: [...inner.unless, ...unless], shortened: inner.shortened || shortens };
    }
    if (node.kind === 'identifier') {
      const bound = bindings.names.get(node.name);
      if (bound !== undefined) return this.subject(bound.node, bound.bindings);
    }
    const path = this.path(node, bindings);
    return path === null ? null : { path, unless: [], shortened: false };
  }

  /** `evt.Meta.x` and the like: a key of a string map of the event, known by its name. */
  private path(node: Node, bindings: Bindings): string | null {
    if (node.kind === 'chain') return this.path(node.body, bindings);
    if (node.kind === 'identifier') {
      const bound = bindings.names.get(node.name);
      return bound === undefined ? null : this.path(bound.node, bound.bindings);
    }
    if (node.kind !== 'member' || node.property.kind !== 'string') return null;
    const map = memberPath(node.object);
    if (!stringMaps.some((each) => each === map) || bindings.names.has('evt')) return null;
    return `${map}.${node.property.value}`;
  }

  /** The text that an expression always gives, or null. */
  private constant(node: Node, bindings: Bindings): string | null {
    switch (node.kind) {
      case 'string':
        return node.value;
      case 'pointer':
        return node.name === '' ? bindings.element : null;
      case 'identifier': {
        const bound = bindings.names.get(node.name);
        return bound === undefined ? null : this.constant(bound.node, bound.bindings);
      }
      case 'binary': {
        if (node.operator !== '+') return null;
        const left = this.constant(node.left, bindings);
        const right = this.constant(node.right, bindings);
        return left === null || right === null ? null : left + right;
      }
      case 'call':
      case 'builtin':
        return this.constantCall(node, bindings);
      default:
        return null;
    }
  }

  private constantCall(node: Node & { kind: 'call' | 'builtin' }, bindings: Bindings): string | null {
    const name = node.kind === 'builtin' ? node.name : node.callee.kind === 'identifier' ? node.callee.name : '';
    const args = node.args.map((argument) => this.constant(argument, bindings));
    const [first = null, second = null] = args;
    if (first === null) return null;
    if (name === 'JsonExtract') return second === null ? null : plainMember(first, second);
    if (args.length !== 1) return null;
    if (name === 'Upper' || name === 'upper') return upper(first);
    return name === 'Lower' || name === 'lower' ? lower(first) : null;
  }
}

/** `evt.Line.Labels` of members that are named by texts; "" for anything else. */
export function memberPath(node: Node): string {
  if (node.kind === 'identifier') return node.name;
  if (node.kind !== 'member' || node.property.kind !== 'string') return '';
  return `${memberPath(node.object)}.${node.property.value}`;
}

/** The text of a member of a JSON object where it needs no decoding and no path; null where there is any doubt. */
function plainMember(json: string, key: string): string | null {
  if (json.includes('\\') || /[.[\]]/.test(key)) return null;
  try {
    const value: unknown = (JSON.parse(json) as Record<string, unknown> | null)?.[key];
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

/**
 * What holds when one of several parts does: the union of one clause from each. Empty where a part needs nothing; parts that
 * are never true count for nothing, and a part that is left alone keeps all its clauses.
 */
function either(parts: readonly (readonly Clause[])[]): readonly Clause[] {
  const possible = parts.filter((clauses) => !clauses.some((clause) => clause.length === 0));
  const [only] = possible;
  if (only === undefined) return [[]];
  if (possible.length === 1) return only;
  const atoms = new Map<string, Atom>();
  for (const clauses of possible) {
    const [first, ...others] = clauses;
    if (first === undefined) return [];
    const best = others.reduce(
      (chosen, clause) => (selectivity(clause) > selectivity(chosen) ? clause : chosen),
      first,
    );
    for (const atom of best) atoms.set(`${atom.kind} ${atom.path} ${atom.value}`, atom);
    if (atoms.size > mostAtoms) return [];
  }
  return [[...atoms.values()]];
}

/** A guess at how seldom a clause holds: long texts are rarer than short ones, and than equality with a common word. */
export function selectivity(clause: Clause): number {
  if (clause.length === 0) return Number.POSITIVE_INFINITY;
  const least = Math.min(...clause.map(({ kind, value }) => (kind === 'contains' ? value.length : 3)));
  return least - clause.length / mostAtoms;
}

/** The operands of `a and b and c …`, which is a tree as deep as it is long: walked, not recursed into. */
function operands(chain: Node & { kind: 'binary' }): readonly Node[] {
  const found: Node[] = [];
  let node: Node = chain;
  while (node.kind === 'binary' && node.operator === chain.operator) {
    found.push(node.right);
    node = node.left;
  }
  found.push(node);
  return found.toReversed();
}

/** Whether evaluating the node can leave something behind. Methods whose name begins with Set or Parse do. */
function hasEffect(node: Node): boolean {
  const waiting: Node[] = [node];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.kind === 'call' && isEffect(next.callee)) return true;
    waiting.push(...partsOf(next));
  }
  return false;
}

function isEffect(callee: Node): boolean {
  if (callee.kind === 'identifier') return effectful.has(callee.name);
  return callee.kind === 'member' && callee.property.kind === 'string' && /^(?:Set|Parse)/.test(callee.property.value);
}

function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'call':
      return [node.callee, ...node.args];
    case 'builtin':
      return node.args;
    case 'unary':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'member':
      return [node.object, node.property];
    case 'chain':
    case 'predicate':
      return [node.body];
    case 'slice':
      return [node.object, node.from, node.to].filter((part) => part !== null);
    case 'conditional':
      return [node.test, node.then, node.otherwise];
    case 'comparisons':
      return node.operands;
    case 'array':
    case 'sequence':
      return node.items;
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case 'let':
      return [node.value, node.body];
    case 'nil':
    case 'bool':
    case 'int':
    case 'float':
    case 'string':
    case 'identifier':
    case 'pointer':
      return [];
    default:
      return node satisfies never;
  }
}
