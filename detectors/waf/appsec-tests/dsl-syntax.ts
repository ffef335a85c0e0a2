/**
 * The expression language of nuclei templates: text to tree. Specification: nuclei's documentation, "Helper functions" and
 * "DSL matchers"; Knetic govaluate, whose operators and precedences it has.
 */
export type DslNode =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly DslNode[] }
  | { readonly kind: 'list'; readonly items: readonly DslNode[] }
  | { readonly kind: 'unary'; readonly operator: '!' | '-' | '~'; readonly operand: DslNode }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: DslNode; readonly right: DslNode }
  | { readonly kind: 'choice'; readonly test: DslNode; readonly then: DslNode; readonly otherwise: DslNode };

/** What is no expression. */
export class DslError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DslError';
  }
}

/** Binary operators, the weakest first; those of one row bind alike. */
const precedence: readonly (readonly string[])[] = [
  ['??'],
  ['||'],
  ['&&'],
  ['==', '!=', '<', '<=', '>', '>=', '=~', '!~', 'in'],
  ['|', '^', '&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**'],
];

const symbols = '** && || ?? == != <= >= =~ !~ << >> + - * / % < > ! ~ & | ^ ( ) [ ] , ? :'.split(' ');

type Token =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'symbol'; readonly text: string };

/** Nodes of one expression, and levels of its tree. */
const mostTokens = 4_000;
const deepest = 200;

/** @throws DslError */
export function parseDsl(text: string): DslNode {
  return new Parser(tokens(text)).whole();
}

/** The names that an expression asks for, functions left out. */
export function namesIn(node: DslNode): readonly string[] {
  switch (node.kind) {
    case 'value':
      return [];
    case 'name':
      return [node.name];
    case 'call':
      return node.args.flatMap(namesIn);
    case 'list':
      return node.items.flatMap(namesIn);
    case 'unary':
      return namesIn(node.operand);
    case 'binary':
      return [...namesIn(node.left), ...namesIn(node.right)];
    case 'choice':
      return [node.test, node.then, node.otherwise].flatMap(namesIn);
    default:
      return node satisfies never;
  }
}

function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at, at + 1);
    if (/\s/.test(rest)) {
      at++;
      continue;
    }
    const { token, length } = tokenAt(text, at);
    found.push(token);
    at += length;
    if (found.length > mostTokens) throw new DslError('the expression is too long');
  }
  return found;
}

function tokenAt(text: string, at: number): { token: Token; length: number } {
  const first = text[at] ?? '';
  if (first === '"' || first === "'" || first === '`') return quotedAt(text, at, first);
  const number = matchAt(/0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?/iy, text, at);
  if (number !== '') return { token: { kind: 'value', value: Number(number) }, length: number.length };
  const word = matchAt(/[A-Za-z_][\w.]*/y, text, at);
  if (word !== '') return { token: wordToken(word), length: word.length };
  const symbol = symbols.find((one) => text.startsWith(one, at));
  if (symbol === undefined) throw new DslError(`unexpected ${JSON.stringify(first)}`);
  return { token: { kind: 'symbol', text: symbol }, length: symbol.length };
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function wordToken(word: string): Token {
  switch (word) {
    case 'true':
    case 'false':
      return { kind: 'value', value: word === 'true' };
    case 'nil':
    case 'null':
      return { kind: 'value', value: null };
    case 'in':
      return { kind: 'symbol', text: 'in' };
    default:
      return { kind: 'word', text: word };
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

function quotedAt(text: string, at: number, quote: string): { token: Token; length: number } {
  let value = '';
  for (let index = at + 1; index < text.length; index++) {
    const character = text[index] ?? '';
    if (character === quote) return { token: { kind: 'value', value }, length: index + 1 - at };
    if (character !== '\\' || quote === '`') {
      value += character;
      continue;
    }
    index++;
    const hex = matchAt(/x[0-9a-f]{2}/iy, text, index);
    if (hex !== '') {
      value += String.fromCharCode(Number.parseInt(hex.slice(1), 16));
      index += 2;
    } else value += escapedCharacter(text[index] ?? '', quote);
  }
  throw new DslError('a text has no end');
}

/** What is no escape keeps its backslash: patterns are written without doubling it. */
function escapedCharacter(character: string, quote: string): string {
  if (character === quote || character === '\\') return character;
  return escapes[character] ?? `\\${character}`;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  whole(): DslNode {
    const node = this.#choice();
    if (this.#at < this.#tokens.length) throw new DslError('something follows the expression');
    return node;
  }

  #choice(): DslNode {
    if (++this.#depth > deepest) throw new DslError('the expression nests too deeply');
    let node = this.#binary(0);
    if (this.#take('?')) {
      const then = this.#choice();
      this.#need(':');
      node = { kind: 'choice', test: node, then, otherwise: this.#choice() };
    }
    this.#depth--;
    return node;
  }

  #binary(level: number): DslNode {
    const operators = precedence[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = operators.find((one) => this.#take(one));
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): DslNode {
    for (const operator of ['!', '-', '~'] as const) {
      if (!this.#take(operator)) continue;
      if (++this.#depth > deepest) throw new DslError('the expression nests too deeply');
      const operand = this.#unary();
      this.#depth--;
      return { kind: 'unary', operator, operand };
    }
    return this.#primary();
  }

  #primary(): DslNode {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new DslError('the expression breaks off');
    switch (token.kind) {
      case 'value':
        return { kind: 'value', value: token.value };
      case 'word':
        return this.#take('(')
          ? { kind: 'call', name: token.text, args: this.#list(')') }
          : { kind: 'name', name: token.text };
      case 'symbol':
        return this.#enclosed(token.text);
      default:
        return token satisfies never;
    }
  }

  /** `(a)`, `(a, b)` as a list, and `[a name]`. */
  #enclosed(symbol: string): DslNode {
    if (symbol === '[') {
      const token = this.#tokens[this.#at++];
      if (token?.kind !== 'word') throw new DslError('a name stands in brackets');
      this.#need(']');
      return { kind: 'name', name: token.text };
    }
    if (symbol !== '(') throw new DslError(`unexpected ${symbol}`);
    const items = this.#list(')');
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'list', items };
  }

  #list(end: string): readonly DslNode[] {
    const items: DslNode[] = [];
    if (this.#take(end)) return items;
    do items.push(this.#choice());
    while (this.#take(','));
    this.#need(end);
    return items;
  }

  #take(symbol: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'symbol' || token.text !== symbol) return false;
    this.#at++;
    return true;
  }

  #need(symbol: string): void {
    if (!this.#take(symbol)) throw new DslError(`${symbol} is missing`);
  }
}
