/**
 * Tokens to a tree, by precedence climbing with expr-lang's table (`grammar.ts`). Long flat chains (`a or b or c …`) are
 * built in a loop; only nesting recurses, and nesting is limited, so that no source can exhaust the stack.
 * One file: the grammar's rules call each other in a circle.
 */
import type { GatewayError } from '../../core/errors.ts';
import type { BinaryOperator, MapEntry, Node } from './ast.ts';
import { binaryRules, chainedComparisons, negatable, predicateShapes, unaryRules } from './grammar.ts';
import { type Token, tokenize } from './lexer.ts';
import { InvalidExpression } from './source-error.ts';

/** How deep parentheses, calls, operators' right sides and branches may nest. */
const deepestNesting = 250;

export interface ParserOptions {
  /** Whether `name(...)` is a function of the language itself. */
  readonly isBuiltin: (name: string) => boolean;
  /** The most nodes that the tree may have. */
  readonly nodeLimit: number;
}

/** @throws InvalidExpression */
export function parse(source: string, options: ParserOptions): Node {
  return new Parser(source, options).expression();
}

class Parser {
  readonly #source: string;
  readonly #options: ParserOptions;
  readonly #tokens: readonly Token[];
  #position = 0;
  #nodes = 0;
  #nesting = 0;
  #predicates = 0;

  constructor(source: string, options: ParserOptions) {
    this.#source = source;
    this.#options = options;
    this.#tokens = tokenize(source);
  }

  expression(): Node {
    const node = this.#sequence();
    if (this.#token.kind !== 'EOF') throw this.#unexpected(this.#token);
    return node;
  }

  get #token(): Token {
    // The last token is EOF and is never passed.
    return this.#tokens[this.#position] as Token;
  }

  #next(): Token {
    const token = this.#token;
    if (token.kind !== 'EOF') this.#position++;
    return token;
  }

  #is(kind: Token['kind'], value?: string): boolean {
    const token = this.#token;
    return token.kind === kind && (value === undefined || token.value === value);
  }

  #take(kind: Token['kind'], value?: string): boolean {
    if (!this.#is(kind, value)) return false;
    this.#next();
    return true;
  }

  #expect(kind: Token['kind'], value?: string): Token {
    if (!this.#is(kind, value)) throw this.#unexpected(this.#token);
    return this.#next();
  }

  #unexpected(token: Token): GatewayError {
    const shown = token.kind === 'EOF' ? 'EOF' : `${token.kind}(${JSON.stringify(token.value)})`;
    return this.#error(token.at, `unexpected token ${shown}`);
  }

  #error(at: number, message: string): GatewayError {
    return new InvalidExpression(this.#source, at, message);
  }

  #node<T extends Node>(node: T): T {
    if (++this.#nodes > this.#options.nodeLimit) {
      throw this.#error(node.at, `expression exceeds the maximum of ${this.#options.nodeLimit} nodes`);
    }
    return node;
  }

  #sequence(): Node {
    const { at } = this.#token;
    const items = [this.#operand(0)];
    while (this.#take('Operator', ';')) {
      if (this.#is('EOF')) break;
      items.push(this.#operand(0));
    }
    const [only] = items;
    return items.length === 1 && only ? only : this.#node({ kind: 'sequence', at, items });
  }

  /** Everything that binds at least as strongly as `precedence`. */
  #operand(precedence: number): Node {
    if (++this.#nesting > deepestNesting) {
      throw this.#error(this.#token.at, `expression is nested more than ${deepestNesting} levels deep`);
    }
    const node = this.#unguarded(precedence);
    this.#nesting--;
    return node;
  }

  #unguarded(precedence: number): Node {
    if (precedence === 0 && this.#is('Operator', 'let')) return this.#declaration();
    if (precedence === 0 && this.#is('Operator', 'if')) return this.#branches();
    let left = this.#primary();
    let previous = '';
    while (this.#token.kind === 'Operator') {
      const joined = this.#infix(left, precedence, previous);
      if (joined === null) break;
      left = joined.node;
      previous = joined.operator;
    }
    return precedence === 0 ? this.#ternary(left) : left;
  }

  /** `left` with the infix operator that follows it, or null when none that binds strongly enough does. */
  #infix(left: Node, precedence: number, previous: string): { node: Node; operator: string } | null {
    const start = this.#position;
    const negation = this.#is('Operator', 'not') ? this.#next() : null;
    const sign = this.#token;
    if (negation && !negatable.has(sign.value)) throw this.#unexpected(sign);
    if (sign.value === '|' && precedence === 0) {
      this.#next();
      return { node: this.#pipe(left), operator: '|' };
    }
    const rule = sign.kind === 'Operator' ? binaryRules.get(sign.value) : undefined;
    if (rule === undefined || rule.precedence < precedence) {
      this.#position = start;
      return null;
    }
    this.#next();
    if (previous === '??' && sign.value !== '??') {
      throw this.#error(
        sign.at,
        `Operator (${sign.value}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses.`,
      );
    }
    if (chainedComparisons.has(sign.value)) return { node: this.#comparison(left, sign), operator: sign.value };
    const right = this.#operand(rule.right ? rule.precedence : rule.precedence + 1);
    const node = this.#node({ kind: 'binary', at: sign.at, operator: rule.operator, left, right });
    if (negation === null) return { node, operator: sign.value };
    const negated = this.#node({ kind: 'unary', at: negation.at, operator: 'not', operand: node });
    return { node: negated, operator: sign.value };
  }

  /** One comparison, or the chain `a < b <= c`. */
  #comparison(first: Node, firstSign: Token): Node {
    const operands = [first];
    const operators: { operator: BinaryOperator; at: number }[] = [];
    let sign = firstSign;
    for (;;) {
      const rule = binaryRules.get(sign.value);
      if (rule === undefined) throw this.#unexpected(sign);
      operators.push({ operator: rule.operator, at: sign.at });
      operands.push(this.#operand(rule.precedence + 1));
      if (this.#token.kind !== 'Operator' || !chainedComparisons.has(this.#token.value)) break;
      sign = this.#next();
    }
    const [left, right] = operands;
    const [only] = operators;
    if (operators.length === 1 && left && right && only) {
      return this.#node({ kind: 'binary', at: only.at, operator: only.operator, left, right });
    }
    return this.#node({ kind: 'comparisons', at: firstSign.at, operands, operators });
  }

  #pipe(left: Node): Node {
    return this.#postfix(this.#call(this.#expect('Identifier'), [left]));
  }

  #declaration(): Node {
    const { at } = this.#expect('Operator', 'let');
    const name = this.#expect('Identifier').value;
    this.#expect('Operator', '=');
    const value = this.#operand(0);
    this.#expect('Operator', ';');
    return this.#node({ kind: 'let', at, name, value, body: this.#nested(() => this.#sequence()) });
  }

  /** Guards the recursions that do not pass `#operand`. */
  #nested(read: () => Node): Node {
    if (++this.#nesting > deepestNesting) {
      throw this.#error(this.#token.at, `expression is nested more than ${deepestNesting} levels deep`);
    }
    const node = read();
    this.#nesting--;
    return node;
  }

  #branches(): Node {
    const { at } = this.#expect('Operator', 'if');
    const test = this.#operand(0);
    const then = this.#block();
    this.#expect('Operator', 'else');
    const otherwise = this.#is('Operator', 'if') ? this.#nested(() => this.#branches()) : this.#block();
    return this.#node({ kind: 'conditional', at, test, then, otherwise });
  }

  #block(): Node {
    this.#expect('Bracket', '{');
    const body = this.#sequence();
    this.#expect('Bracket', '}');
    return body;
  }

  #ternary(first: Node): Node {
    let node = first;
    while (this.#is('Operator', '?')) {
      const { at } = this.#next();
      let then = node;
      if (!this.#take('Operator', ':')) {
        then = this.#operand(0);
        this.#expect('Operator', ':');
      }
      const otherwise = this.#operand(0);
      node = this.#node({ kind: 'conditional', at, test: node, then, otherwise });
    }
    return node;
  }

  #primary(): Node {
    const token = this.#token;
    const unary = token.kind === 'Operator' ? unaryRules.get(token.value) : undefined;
    if (unary) {
      this.#next();
      const operand = this.#operand(unary.precedence);
      return this.#postfix(this.#node({ kind: 'unary', at: token.at, operator: unary.operator, operand }));
    }
    if (this.#take('Bracket', '(')) {
      const node = this.#sequence();
      this.#expect('Bracket', ')');
      return this.#postfix(node);
    }
    if (this.#is('Operator', '#') || this.#is('Operator', '.')) return this.#pointer();
    if (this.#take('Operator', '::')) return this.#postfix(this.#call(this.#expect('Identifier'), []));
    return this.#secondary();
  }

  #pointer(): Node {
    const { at, value } = this.#token;
    if (this.#predicates === 0) throw this.#error(at, 'cannot use pointer accessor outside predicate');
    let name = '';
    if (value === '#') {
      this.#next();
      if (this.#is('Identifier') && this.#token.at === at + 1) name = this.#next().value;
    }
    return this.#postfix(this.#node({ kind: 'pointer', at, name }));
  }

  #secondary(): Node {
    const token = this.#token;
    const { at } = token;
    if (token.kind === 'Identifier') {
      this.#next();
      return this.#postfix(this.#named(token));
    }
    if (token.kind === 'Number') {
      this.#next();
      return this.#postfix(this.#number(token));
    }
    if (token.kind === 'String') {
      this.#next();
      return this.#postfix(this.#node({ kind: 'string', at, value: token.value }));
    }
    if (this.#is('Bracket', '[')) return this.#postfix(this.#array());
    if (this.#is('Bracket', '{')) return this.#postfix(this.#map());
    throw this.#unexpected(token);
  }

  #named(token: Token): Node {
    const { at, value } = token;
    if (value === 'true' || value === 'false') return this.#node({ kind: 'bool', at, value: value === 'true' });
    if (value === 'nil') return this.#node({ kind: 'nil', at });
    if (this.#is('Bracket', '(')) return this.#call(token, []);
    return this.#node({ kind: 'identifier', at, name: value });
  }

  #number(token: Token): Node {
    const text = token.value.replaceAll('_', '').toLowerCase();
    const { at } = token;
    if (/^0[xob]|^\d+$/.test(text)) {
      if (!/^(?:0x[\da-f]+|0o[0-7]+|0b[01]+|\d+)$/.test(text))
        throw this.#error(at, `invalid integer literal: ${text}`);
      const value = BigInt(text);
      if (value > 0x7fff_ffff_ffff_ffffn) throw this.#error(at, 'integer literal is too large');
      return this.#node({ kind: 'int', at, value });
    }
    const value = Number(text);
    if (!Number.isFinite(value)) throw this.#error(at, `invalid float literal: ${text}`);
    return this.#node({ kind: 'float', at, value });
  }

  /** The call of `name`, which has been read; `piped` holds the left side of a pipe. */
  #call(name: Token, piped: Node[]): Node {
    const shapes = predicateShapes.get(name.value);
    if (shapes) {
      const args = this.#predicateArguments(shapes, piped);
      return this.#node({ kind: 'builtin', at: name.at, name: name.value, args });
    }
    const args = this.#arguments(piped);
    if (this.#options.isBuiltin(name.value)) {
      return this.#node({ kind: 'builtin', at: name.at, name: name.value, args });
    }
    const callee = this.#node({ kind: 'identifier', at: name.at, name: name.value });
    return this.#node({ kind: 'call', at: name.at, callee, args });
  }

  #predicateArguments(shapes: readonly string[], piped: Node[]): Node[] {
    this.#expect('Bracket', '(');
    const args = [...piped];
    const read = shapes.slice(piped.length);
    for (const [index, shape] of read.entries()) {
      if (this.#is('Bracket', ')')) {
        if (shape.startsWith('optional')) break;
        throw this.#error(this.#token.at, `expected at least ${read.length} arguments`);
      }
      if (index > 0) this.#expect('Operator', ',');
      if (index > 0 && shape.startsWith('optional') && this.#is('Bracket', ')')) break;
      args.push(shape.endsWith('predicate') ? this.#predicate() : this.#operand(0));
    }
    this.#take('Operator', ',');
    this.#expect('Bracket', ')');
    return args;
  }

  #predicate(): Node {
    const { at } = this.#token;
    this.#predicates++;
    let body: Node;
    if (this.#is('Bracket', '{')) body = this.#block();
    else {
      body = this.#operand(0);
      if (this.#is('Operator', ';')) throw this.#error(this.#token.at, 'wrap predicate with brackets { and }');
    }
    this.#predicates--;
    return this.#node({ kind: 'predicate', at, body });
  }

  #arguments(piped: Node[]): Node[] {
    const args = [...piped];
    this.#expect('Bracket', '(');
    let first = true;
    while (!this.#is('Bracket', ')')) {
      if (!first) this.#expect('Operator', ',');
      if (!first && this.#is('Bracket', ')')) break;
      args.push(this.#operand(0));
      first = false;
    }
    this.#expect('Bracket', ')');
    return args;
  }

  #array(): Node {
    const { at } = this.#expect('Bracket', '[');
    const items: Node[] = [];
    while (!this.#is('Bracket', ']')) {
      if (items.length > 0) {
        this.#expect('Operator', ',');
        if (this.#is('Bracket', ']')) break;
      }
      items.push(this.#operand(0));
    }
    this.#expect('Bracket', ']');
    return this.#node({ kind: 'array', at, items });
  }

  #map(): Node {
    const { at } = this.#expect('Bracket', '{');
    const entries: MapEntry[] = [];
    while (!this.#is('Bracket', '}')) {
      if (entries.length > 0) {
        this.#expect('Operator', ',');
        if (this.#is('Bracket', '}')) break;
      }
      const key = this.#mapKey();
      this.#expect('Operator', ':');
      entries.push({ key, value: this.#operand(0) });
    }
    this.#expect('Bracket', '}');
    return this.#node({ kind: 'map', at, entries });
  }

  #mapKey(): Node {
    const token = this.#token;
    if (token.kind === 'Number' || token.kind === 'String' || token.kind === 'Identifier') {
      this.#next();
      return this.#node({ kind: 'string', at: token.at, value: token.value });
    }
    if (this.#is('Bracket', '(')) return this.#operand(0);
    throw this.#error(
      token.at,
      'a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses',
    );
  }

  #postfix(first: Node): Node {
    let node = first;
    for (;;) {
      if (this.#is('Operator', '.') || this.#is('Operator', '?.')) {
        const optional = this.#next().value === '?.';
        node = optional && this.#is('Bracket', '[') ? this.#index(node, true) : this.#property(node, optional);
      } else if (this.#is('Bracket', '[')) node = this.#index(node, false);
      else return node;
    }
  }

  #property(object: Node, optional: boolean): Node {
    const name = this.#next();
    const isName = name.kind === 'Identifier' || (name.kind === 'Operator' && /^[a-zA-Z]+$/.test(name.value));
    if (!isName) throw this.#error(name.at, 'expected name');
    const property = this.#node({ kind: 'string', at: name.at, value: name.value });
    const chained = object.kind === 'chain';
    const inner = object.kind === 'chain' ? object.body : object;
    let node: Node = this.#node({ kind: 'member', at: name.at, object: inner, property, optional });
    if (this.#is('Bracket', '(')) {
      node = this.#node({ kind: 'call', at: name.at, callee: node, args: this.#arguments([]) });
    }
    return chained || optional ? this.#node({ kind: 'chain', at: name.at, body: node }) : node;
  }

  #index(object: Node, optional: boolean): Node {
    const { at } = this.#expect('Bracket', '[');
    const from = this.#is('Operator', ':') ? null : this.#operand(0);
    if (this.#take('Operator', ':')) {
      const to = this.#is('Bracket', ']') ? null : this.#operand(0);
      this.#expect('Bracket', ']');
      return this.#node({ kind: 'slice', at, object, from, to });
    }
    this.#expect('Bracket', ']');
    if (from === null) throw this.#unexpected(this.#token);
    const chained = object.kind === 'chain';
    const inner = object.kind === 'chain' ? object.body : object;
    const node: Node = this.#node({ kind: 'member', at, object: inner, property: from, optional });
    return chained || optional ? this.#node({ kind: 'chain', at, body: node }) : node;
  }
}
