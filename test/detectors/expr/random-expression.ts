/**
 * Expressions from a tape of numbers: each choice takes the next number, and a tape that has run out gives the simplest
 * choice, so that a shorter tape is a simpler expression and fast-check can shrink. Mostly well typed, not always.
 */

type Kind = 'bool' | 'string' | 'int' | 'float' | 'ints' | 'strings' | 'any';

interface Surroundings {
  readonly depth: number;
  /** The type of `#`, inside a predicate. */
  readonly element: Kind | null;
}

const words = ['"a"', '"admin"', '".env"', '""', "'É🦆'", '"ADMIN"', '"x.php"', '"12"', '"/login"', '"-3"'];
const texts = ['evt.Meta.a', 'evt.Meta.b', 'evt.Parsed.c', 'evt.Meta.missing', 'evt.Meta["a"]', 'v1'];
const unknowns = [
  'evt.Unmarshaled.text',
  'evt.Unmarshaled.number',
  'evt.Unmarshaled.flag',
  'evt.Unmarshaled.none',
  'evt.Unmarshaled.list',
  'evt.Unmarshaled.tree',
  'evt.Unmarshaled.tree.leaf',
  'evt.Unmarshaled.none?.leaf.deeper',
  'evt.Unmarshaled.tree?.leaf',
  'evt.Unmarshaled.list[0]',
  'evt.Unmarshaled.list[-1]',
  'evt.Unmarshaled.none.leaf',
];
/** Terms that raise for some events: nothing may be moved across them. */
const raising = ['evt.Unmarshaled.number > 1', 'evt.Unmarshaled.text', 'int(evt.Meta.b) == 1'];
const comparisons = ['==', '!=', '<', '>', '<=', '>='];
const textOperators = ['contains', 'startsWith', 'endsWith', 'not contains', 'not startsWith', '==', '!='];
const fileNames = ['words.txt', 'suffixes.txt', 'empty.txt', 'unknown.txt'];

export function expressionFrom(tape: readonly number[]): string {
  const generator = new Generator(tape);
  const kind = generator.pick<Kind | 'chain'>([
    'bool',
    'chain',
    'chain',
    'string',
    'int',
    'float',
    'ints',
    'strings',
    'any',
  ]);
  const top: Surroundings = { depth: 5, element: null };
  const first = generator
    .make('string', { ...top, depth: 2 })
    .replaceAll('v1', 'evt.Meta.a')
    .replaceAll('v2', '1');
  return `let v1 = ${first}; let v2 = ${generator.make('int', { depth: 0, element: null }).replaceAll('v2', '3')}; ${kind === 'chain' ? generator.textChain(top) : generator.make(kind, top)}`;
}

class Generator {
  readonly #tape: readonly number[];
  #at = 0;

  constructor(tape: readonly number[]) {
    this.#tape = tape;
  }

  #number(below: number): number {
    return (this.#tape[this.#at++] ?? 0) % below;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.#number(choices.length)] as T;
  }

  make(kind: Kind, around: Surroundings): string {
    // Now and then something of a type that nobody knows, which may raise.
    if (around.depth > 0 && kind !== 'any' && this.#number(12) === 11) return this.make('any', around);
    const inner = { ...around, depth: around.depth - 1 };
    const leaf = around.depth <= 0 || this.#number(5) === 0;
    switch (kind) {
      case 'bool':
        return leaf ? this.#boolLeaf(around) : this.#bool(inner);
      case 'string':
        return leaf ? this.#stringLeaf(around) : this.#string(inner);
      case 'int':
        return leaf ? this.#intLeaf(around) : this.#int(inner);
      case 'float':
        return leaf ? this.pick(['1.5', '0.0', '2.0', '-7.25']) : this.#float(inner);
      case 'ints':
        return leaf ? this.pick(['[1, 2, 3]', '[]', '1..4', '[3, 1]']) : this.#list('ints', 'int', inner);
      case 'strings':
        return leaf ? this.pick(['["a", "admin"]', 'File("words.txt")', '[]']) : this.#list('strings', 'string', inner);
      case 'any':
        return leaf ? this.#anyLeaf(around) : this.#any(inner);
      default:
        return kind satisfies never;
    }
  }

  #boolLeaf(around: Surroundings): string {
    return around.element === 'bool' && this.#number(2) === 0
      ? '#'
      : this.pick(['true', 'false', `${this.pick(texts)} == "a"`]);
  }

  #stringLeaf(around: Surroundings): string {
    return around.element === 'string' && this.#number(2) === 0 ? '#' : this.pick([...words, ...texts]);
  }

  #intLeaf(around: Surroundings): string {
    if (around.element === 'int' && this.#number(2) === 0) return '#';
    if (around.element !== null && this.#number(6) === 5) return '#index';
    return this.pick(['0', '1', '2', '-1', '12', '9223372036854775807', 'v2']);
  }

  #anyLeaf(around: Surroundings): string {
    return around.element !== null && this.#number(3) === 0 ? '#' : this.pick([...unknowns, 'nil']);
  }

  #bool(at: Surroundings): string {
    const two = (kind: Kind, signs: readonly string[]): string =>
      `(${this.make(kind, at)} ${this.pick(signs)} ${this.make(kind, at)})`;
    switch (this.#number(15)) {
      case 0:
        return two('int', comparisons);
      case 1:
        return two('string', [...textOperators, '<', '>=']);
      case 2:
        return two('bool', ['and', '&&', 'or', '||']);
      case 3:
        return `not (${this.make('bool', at)})`;
      case 4:
        return `(${this.make('string', at)} in ${this.make('strings', at)})`;
      case 5:
        return `(${this.make('int', at)} in ${this.make('ints', at)})`;
      case 6:
        return this.textChain(at);
      case 7:
        return `${this.pick(['any', 'all', 'none'])}(${this.make('strings', at)}, {${this.make('bool', { ...at, element: 'string' })}})`;
      case 8:
        return `${this.pick(['any', 'all', 'none'])}(${this.make('ints', at)}, ${this.make('bool', { ...at, element: 'int' })})`;
      case 9:
        return this.#fileMatch();
      case 10:
        return two('any', ['==', '!=']);
      case 11:
        return `(${this.make('any', at)} ${this.pick(['in', 'not in'])} [1, "a", nil, true, 2.5])`;
      case 12:
        return `(${this.make('int', at)} < ${this.make('int', at)} <= ${this.make('int', at)})`;
      case 13:
        return `(${this.make('string', at)} matches "${this.pick(['^a', 'n$', '[.]e', 'DMI', '^$'])}")`;
      default:
        return this.#choice('bool', at);
    }
  }

  /** What the compiler merges: several tests of one text, with something else among them. */
  textChain(at: Surroundings): string {
    const subject = this.pick([...texts.slice(0, 4), 'Upper(evt.Meta.a)', 'Lower(evt.Meta.b)', 'v1']);
    const terms = Array.from({ length: 2 + this.#number(5) }, () =>
      this.#number(5) === 4
        ? this.pick([...raising, this.make('bool', { ...at, depth: Math.min(at.depth, 1) })])
        : `${subject} ${this.pick(['contains', 'startsWith', 'endsWith', '==', 'contains', 'in'])} `.replace(
            /in $/,
            `in [${this.pick(words)}] or ${subject} == `,
          ) + this.pick(words),
    );
    return `(${terms.join(this.pick([' or ', ' || ', ' or ']))})`;
  }

  /** What the compiler turns into sets and automata. */
  #fileMatch(): string {
    const subject = this.pick([...texts.slice(0, 4), 'Upper(evt.Meta.a)', 'Lower(evt.Meta.b)', 'v1']);
    const line = this.pick(['#', 'Upper(#)', 'Lower(#)']);
    const operator = this.pick(['contains', 'startsWith', 'endsWith', '==', 'matches']);
    const file = operator === 'matches' ? 'patterns.txt' : this.pick(fileNames);
    return `any(File("${file}"), {${subject} ${operator} ${operator === 'matches' ? '#' : line}})`;
  }

  #string(at: Surroundings): string {
    switch (this.#number(6)) {
      case 0:
        return `(${this.make('string', at)} + ${this.make('string', at)})`;
      case 1:
        return `Upper(${this.make('string', at)})`;
      case 2:
        return `Lower(${this.make('string', at)})`;
      case 3:
        return `(${this.make('string', at)})[${this.pick(['0', '1', '-2', ''])}:${this.pick(['2', '-1', '', '9'])}]`;
      case 4:
        return this.#choice('string', at);
      default:
        return `reduce(${this.make('strings', at)}, #acc + #, ${this.make('string', at)})`;
    }
  }

  #int(at: Surroundings): string {
    switch (this.#number(8)) {
      case 0:
        return `(${this.make('int', at)} ${this.pick(['+', '-', '*', '%'])} ${this.make('int', at)})`;
      case 1:
        return `len(${this.make(this.pick<Kind>(['string', 'ints', 'strings']), at)})`;
      case 2:
        return `-(${this.make('int', at)})`;
      case 3:
        return `int(${this.make(this.pick<Kind>(['float', 'string', 'any']), at)})`;
      case 4:
        return `count(${this.make('ints', at)}, # > ${this.make('int', at)})`;
      case 5:
        return `sum(${this.make('ints', at)}, # * 2)`;
      case 6:
        return `(${this.make('ints', at)})[${this.pick(['0', '-1', '2'])}]`;
      default:
        return this.#choice('int', at);
    }
  }

  #float(at: Surroundings): string {
    return this.pick([
      `(${this.make('int', at)} / ${this.make('int', at)})`,
      `(${this.make('float', at)} ${this.pick(['+', '-', '*'])} ${this.make('int', at)})`,
    ]);
  }

  #list(kind: 'ints' | 'strings', element: 'int' | 'string', at: Surroundings): string {
    switch (this.#number(5)) {
      case 0:
        return `filter(${this.make(kind, at)}, {${this.make('bool', { ...at, element })}})`;
      case 1:
        return `map(${this.make('ints', at)}, {${this.make(element, { ...at, element: 'int' })}})`;
      case 2:
        return `(${this.make(kind, at)})[${this.pick(['', '1', '-2'])}:${this.pick(['', '2', '-1'])}]`;
      case 3:
        return `[${this.make(element, at)}, ${this.make(element, at)}]`;
      default:
        return kind === 'strings' ? `Split(${this.make('string', at)}, ${this.pick(['"a"', '"."', '""'])})` : '1..3';
    }
  }

  #any(at: Surroundings): string {
    switch (this.#number(5)) {
      case 0:
        return `(${this.make('any', at)} ?? ${this.make('any', at)})`;
      case 1:
        return `find(${this.make('strings', at)}, {${this.make('bool', { ...at, element: 'string' })}})`;
      case 2:
        return `{a: ${this.make('int', at)}, "b": ${this.make('any', at)}}.${this.pick(['a', 'b', 'c'])}`;
      case 3:
        return this.#choice('any', at);
      default:
        return `(${this.make('any', at)} + ${this.make('any', at)})`;
    }
  }

  #choice(kind: Kind, at: Surroundings): string {
    return `(${this.make('bool', at)} ? ${this.make(kind, at)} : ${this.make(kind, at)})`;
  }
}
