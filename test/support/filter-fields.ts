/**
 * Events that a filter accepts, made out of the filter: a walk through its syntax tree gathers, for each field of the event,
 * what the filter's own literals ask of its text. Of alternatives one is drawn. What must not hold is left to chance, and so
 * is whether two wishes for one field go together: the caller draws again until the event is accepted.
 */
import type { BinaryNode, Node } from '../../detectors/expr/ast.ts';
import { parse } from '../../detectors/expr/parser.ts';
import { parsePattern } from '../../detectors/regex/parse-pattern.ts';
import { textFor } from '../detectors/grok/text-generator.ts';
import type { Fraction } from './seeded.ts';

/** Texts by the dotted path below `evt`: `Meta.log_type`, `Unmarshaled.cloudtrail.eventSource`. */
export type FilterFields = ReadonlyMap<string, string>;

/** What is asked of one text. */
interface Wish {
  equal: string | null;
  readonly starts: string[];
  readonly parts: string[];
  readonly ends: string[];
}

/** Two literals were asked for in one place, or a list without elements: another draw may fare better. */
class Contradiction extends Error {}

/** Those of the language's functions that filters call; a name more or less only changes the kind of the node. */
const builtins: ReadonlySet<string> = new Set(
  'all any count filter find float get hasPrefix hasSuffix int len lower map none one split string trim upper'.split(
    ' ',
  ),
);

/** The tree of a filter, to be walked by `fieldsFor` as often as needed. */
export function readFilter(source: string): Node {
  return parse(source, { isBuiltin: (name) => builtins.has(name), nodeLimit: 10_000 });
}

/**
 * One draw, or null where it contradicts itself.
 * @param linesOf the lines of a data file, by the name that expressions use
 */
export function fieldsFor(
  filter: Node,
  fraction: Fraction,
  linesOf: (file: string) => readonly string[] = () => [],
): FilterFields | null {
  const draw = new Draw(fraction, linesOf);
  try {
    draw.ask(filter, true);
  } catch (thrown) {
    if (thrown instanceof Contradiction) return null;
    throw thrown;
  }
  return draw.fields();
}

class Draw {
  readonly #wishes = new Map<string, Wish>();
  readonly #fraction: Fraction;
  readonly #linesOf: (file: string) => readonly string[];
  /** What `let` names stand for. */
  readonly #fieldsByName = new Map<string, string>();
  /** What `#` stands for inside a predicate. */
  #element: string | null = null;

  constructor(fraction: Fraction, linesOf: (file: string) => readonly string[]) {
    this.#fraction = fraction;
    this.#linesOf = linesOf;
  }

  fields(): FilterFields {
    return new Map(Array.from(this.#wishes, ([field, wish]) => [field, this.#textOf(wish)]));
  }

  ask(node: Node, wanted: boolean): void {
    switch (node.kind) {
      case 'unary':
        if (node.operator === 'not') this.ask(node.operand, !wanted);
        return;
      case 'let': {
        const field = this.#fieldOf(node.value);
        if (field !== null) this.#fieldsByName.set(node.name, field);
        this.ask(node.body, wanted);
        return;
      }
      case 'chain':
      case 'predicate':
        this.ask(node.body, wanted);
        return;
      case 'conditional':
        this.ask(node.test, true);
        this.ask(node.then, wanted);
        return;
      case 'binary':
        this.#askBinary(node, wanted);
        return;
      case 'call':
      case 'builtin':
        if (wanted) this.#askCall(node);
        return;
      default:
      // Comparisons of three and the like: no filter needs them understood.
    }
  }

  #askBinary(node: BinaryNode, wanted: boolean): void {
    const { operator, left, right } = node;
    if (operator === 'and' || operator === 'or') {
      const both = (operator === 'and') === wanted;
      for (const side of both ? [left, right] : [this.#pick([left, right])]) this.ask(side, wanted);
      return;
    }
    const field = this.#fieldOf(left);
    if (field === null) return;
    if (operator === '!=') this.#compare(field, '==', node, !wanted);
    else this.#compare(field, operator, node, wanted);
  }

  #compare(field: string, operator: BinaryNode['operator'], { left, right }: BinaryNode, wanted: boolean): void {
    if (!wanted) {
      // Anything but an empty text will mostly do, and inside unmarshaled objects it has to be there.
      const notEmpty = (operator === '==' || operator === 'in') && this.#textsOf(right).includes('');
      if (notEmpty || field.startsWith('Unmarshaled.')) this.#part(field, 'v');
      return;
    }
    const texts = this.#textsOf(right);
    if (texts.length === 0) return;
    const text = this.#pick(texts);
    if (left.kind === 'builtin' && left.name === 'len') {
      this.#part(field, '7'.repeat(Number(text) + (operator === '>' ? 1 : 0)));
      return;
    }
    if (operator === '==' || operator === 'in') this.#equal(field, text);
    else if (operator === 'startsWith') this.#wish(field).starts.push(text);
    else if (operator === 'contains') this.#part(field, text);
    else if (operator === 'endsWith') this.#wish(field).ends.push(text);
    else if (operator === 'matches') this.#part(field, this.#matching(text));
    // `<` holds of most short texts, arithmetic is nobody's filter.
    else if (operator === '>' || operator === '>=') this.#equal(field, String(Number(text) + 1));
  }

  #askCall(node: Extract<Node, { kind: 'call' | 'builtin' }>): void {
    const name = nameOf(node);
    const [first, second] = node.args;
    if (first === undefined || second === undefined) return;
    if (name === 'any' || name === 'all') {
      this.#element = this.#pick(this.#textsOf(first));
      this.ask(second, true);
      return;
    }
    const field = this.#fieldOf(first);
    if (name !== 'RegexpInFile' || field === null) return;
    const patterns = this.#textsOf(second).flatMap((file) => this.#linesOf(file));
    this.#part(field, this.#matching(this.#pick(patterns)));
  }

  /** The field that an operand reads, bare or through functions: `Lower(evt.Parsed.verb)`. */
  #fieldOf(node: Node): string | null {
    if (node.kind === 'chain') return this.#fieldOf(node.body);
    if (node.kind === 'identifier') return this.#fieldsByName.get(node.name) ?? null;
    if (node.kind === 'call' || node.kind === 'builtin') {
      const [argument] = node.args;
      return argument === undefined ? null : this.#fieldOf(argument);
    }
    const path = pathOf(node);
    return path === null || path.length < 2 ? null : path.join('.');
  }

  #wish(field: string): Wish {
    const wish = this.#wishes.get(field) ?? { equal: null, starts: [], parts: [], ends: [] };
    this.#wishes.set(field, wish);
    return wish;
  }

  #part(field: string, text: string): void {
    this.#wish(field).parts.push(text);
  }

  #equal(field: string, text: string): void {
    const wish = this.#wish(field);
    if (wish.equal !== null && wish.equal !== text) throw new Contradiction(field);
    wish.equal = text;
  }

  #textOf({ equal, starts, parts, ends }: Wish): string {
    return equal ?? [...new Set([...starts, ...parts, ...ends])].join(this.#pick(['', ' ']));
  }

  /** A text of one line in which the pattern matches. */
  #matching(pattern: string): string {
    const { root } = parsePattern(pattern, { groups: 'none' });
    return textFor(root, this.#fraction).replaceAll(/[\0-\x1f]/g, ' ');
  }

  /** The texts that an operand may stand for: one of a literal, many of a list, none where they are only known at run time. */
  #textsOf(node: Node): readonly string[] {
    switch (node.kind) {
      case 'string':
        return [node.value];
      case 'bool':
      case 'int':
      case 'float':
        return [String(node.value)];
      case 'pointer':
        return this.#element === null ? [] : [this.#element];
      case 'array':
        return node.items.flatMap((item) => this.#textsOf(item));
      case 'binary':
        if (node.operator !== '+') return [];
        return this.#textsOf(node.left).flatMap((left) => this.#textsOf(node.right).map((right) => left + right));
      case 'call':
      case 'builtin': {
        const texts = node.args.slice(0, 1).flatMap((argument) => this.#textsOf(argument));
        const name = nameOf(node).toLowerCase();
        if (name === 'file') return texts.flatMap((file) => this.#linesOf(file));
        if (name === 'upper') return texts.map((text) => text.toUpperCase());
        return name === 'lower' ? texts.map((text) => text.toLowerCase()) : texts;
      }
      default:
        return [];
    }
  }

  #pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new Contradiction('nothing to choose from');
    return items[Math.floor(this.#fraction() * items.length)] as Item;
  }
}

/** The names below `evt`. */
function pathOf(node: Node): string[] | null {
  if (node.kind === 'identifier') return node.name === 'evt' ? [] : null;
  if (node.kind !== 'member' || node.property.kind !== 'string') return null;
  const path = pathOf(node.object);
  return path === null ? null : [...path, node.property.value];
}

function nameOf(node: Extract<Node, { kind: 'call' | 'builtin' }>): string {
  if (node.kind === 'builtin') return node.name;
  return node.callee.kind === 'identifier' ? node.callee.name : '';
}
