/**
 * Tokens → trees: the template itself and those that `define` and `block` name. Functions and variables are known when a
 * template is read, so a misspelt one is a fault at the start and not at the first attack.
 * Specification: Go text/template and text/template/parse.
 */
import type { Token } from './lexer.ts';
import { lexTemplate } from './lexer.ts';
import { parseNumber, unquoteCharacter, unquoteText } from './literals.ts';
import type { BranchNode, CommandNode, OperandNode, PipeNode, TemplateNode } from './syntax-tree.ts';
import { TokenCursor } from './token-cursor.ts';

export interface ParsedTemplates {
  readonly root: readonly TemplateNode[];
  readonly named: ReadonlyMap<string, readonly TemplateNode[]>;
}

/** Why a function cannot be called, or null when it can. */
export type FunctionCheck = (name: string) => string | null;

/** Parentheses and branches inside each other. */
const deepest = 100;

const keywords: ReadonlySet<string> = new Set('if else end range with template define block break continue'.split(' '));

/** @throws TemplateError for the first fault. */
export function parseTemplate(name: string, source: string, check: FunctionCheck): ParsedTemplates {
  return new Parser(new TokenCursor(name, source, lexTemplate(name, source)), check).run();
}

class Parser {
  readonly #cursor: TokenCursor;
  readonly #check: FunctionCheck;
  readonly #named = new Map<string, readonly TemplateNode[]>();
  #variables: string[] = ['$'];
  #ranges = 0;
  #depth = 0;

  constructor(cursor: TokenCursor, check: FunctionCheck) {
    this.#cursor = cursor;
    this.#check = check;
  }

  run(): ParsedTemplates {
    const root: TemplateNode[] = [];
    for (let token = this.#cursor.peek(); token.kind !== 'end'; token = this.#cursor.peek()) {
      if (this.#isKeyword('define')) this.#definition();
      else {
        const stop = this.#node(root);
        if (stop !== null) throw this.#cursor.fault(token.at, `unexpected {{${stop}}}`);
      }
    }
    return { root, named: this.#named };
  }

  /** One node into `into`; `end` or `else` instead, when that is what stands here (consumed up to that word). */
  #node(into: TemplateNode[]): 'end' | 'else' | null {
    const token = this.#cursor.take();
    if (token.kind === 'text') {
      into.push({ kind: 'text', text: token.text, at: token.at, end: token.end });
      return null;
    }
    const { at } = token;
    const word = this.#cursor.peekPastSpace();
    const keyword = word.kind === 'word' && keywords.has(word.text) ? word.text : null;
    if (keyword !== null) this.#cursor.takePastSpace();
    switch (keyword) {
      case 'if':
      case 'with':
      case 'range':
        into.push(this.#branch(keyword, at));
        return null;
      case 'template':
        into.push(this.#call(at));
        return null;
      case 'block':
        into.push(this.#block(at));
        return null;
      case 'break':
      case 'continue': {
        if (this.#ranges === 0) throw this.#cursor.fault(word.at, `{{${keyword}}} outside {{range}}`);
        into.push({ kind: keyword, at, end: this.#cursor.close(`{{${keyword}}}`) });
        return null;
      }
      case 'end':
        this.#cursor.close('end');
        return 'end';
      case 'else':
        return 'else';
      case 'define':
        throw this.#cursor.fault(word.at, 'unexpected {{define}}');
      default: {
        const pipe = this.#pipe('command', ['close']);
        into.push({ kind: 'action', pipe, at, end: this.#cursor.close('command') });
        return null;
      }
    }
  }

  /** Nodes up to `{{end}}` or `{{else`. */
  #list(): { readonly nodes: TemplateNode[]; readonly stop: 'end' | 'else' } {
    const nodes: TemplateNode[] = [];
    while (this.#cursor.peek().kind !== 'end') {
      const stop = this.#node(nodes);
      if (stop !== null) return { nodes, stop };
    }
    throw this.#cursor.fault(this.#cursor.peek().at, 'unexpected EOF');
  }

  #definition(): void {
    this.#cursor.take();
    this.#cursor.takePastSpace();
    const name = this.#templateName('define clause');
    this.#cursor.close('define clause');
    const outer = { variables: this.#variables, ranges: this.#ranges };
    this.#variables = ['$'];
    this.#ranges = 0;
    const { nodes, stop } = this.#list();
    if (stop !== 'end') throw this.#cursor.fault(this.#cursor.peek().at, 'unexpected {{else}} in define clause');
    this.#variables = outer.variables;
    this.#ranges = outer.ranges;
    this.#add(name, nodes);
  }

  #add(name: string, nodes: readonly TemplateNode[]): void {
    const before = this.#named.get(name);
    if (before !== undefined && !isBlank(before) && !isBlank(nodes)) {
      throw this.#cursor.fault(this.#cursor.peek().at, `multiple definition of template ${JSON.stringify(name)}`);
    }
    if (before === undefined || !isBlank(nodes)) this.#named.set(name, nodes);
  }

  #branch(kind: BranchNode['kind'], at: number): BranchNode {
    this.#enter();
    const variables = this.#variables.length;
    const pipe = this.#pipe(kind, ['close']);
    this.#cursor.close(kind);
    if (kind === 'range') this.#ranges++;
    const { nodes: body, stop } = this.#list();
    if (kind === 'range') this.#ranges--;
    const otherwise = stop === 'else' ? this.#otherwise(kind) : null;
    this.#variables.length = variables;
    this.#depth--;
    return { kind, pipe, body, otherwise, at, end: this.#cursor.before() };
  }

  #otherwise(kind: BranchNode['kind']): readonly TemplateNode[] {
    const word = this.#cursor.peekPastSpace();
    // `else if` is an `if` inside the `else` that shares its `end`; `else with` is the same of `with`.
    if (word.kind === 'word' && word.text === kind && kind !== 'range') {
      this.#cursor.takePastSpace();
      return [this.#branch(kind, word.at)];
    }
    this.#cursor.close('else');
    const { nodes, stop } = this.#list();
    if (stop === 'else') throw this.#cursor.fault(this.#cursor.peekPastSpace().at, `expected end; found {{else}}`);
    return nodes;
  }

  #call(at: number): TemplateNode {
    const name = this.#templateName('template clause');
    const pipe = this.#cursor.peekPastSpace().kind === 'close' ? null : this.#pipe('template clause', ['close']);
    return { kind: 'template', name, pipe, at, end: this.#cursor.close('template clause') };
  }

  #block(at: number): TemplateNode {
    this.#enter();
    const name = this.#templateName('block clause');
    const pipe = this.#pipe('block clause', ['close']);
    this.#cursor.close('block clause');
    const outer = { variables: this.#variables, ranges: this.#ranges };
    this.#variables = ['$'];
    this.#ranges = 0;
    const { nodes, stop } = this.#list();
    if (stop !== 'end') throw this.#cursor.fault(this.#cursor.peek().at, 'unexpected {{else}} in block clause');
    this.#variables = outer.variables;
    this.#ranges = outer.ranges;
    this.#add(name, nodes);
    this.#depth--;
    return { kind: 'template', name, pipe, at, end: this.#cursor.before() };
  }

  #templateName(where: string): string {
    const token = this.#cursor.takePastSpace();
    const name = token.kind === 'string' ? unquoteText(token.text) : null;
    if (name === null) throw this.#cursor.unexpected(token, where);
    return name;
  }

  /** `$x := a b | c d`, up to a token of `ends`, which is left. */
  #pipe(where: string, ends: readonly string[]): PipeNode {
    this.#enter();
    const { at } = this.#cursor.peekPastSpace();
    const { variables, assigns } = this.#declarations(where);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#cursor.peekPastSpace();
      if (ends.includes(token.kind) || (token.kind === 'sign' && ends.includes(token.text))) break;
      if (!startsOperand(token)) throw this.#cursor.unexpected(token, where);
      commands.push(this.#command());
    }
    this.#checkCommands(commands, where);
    this.#depth--;
    if (!assigns) this.#variables.push(...variables);
    return { kind: 'pipe', variables, assigns, commands, at, end: this.#cursor.before() };
  }

  #declarations(where: string): { readonly variables: readonly string[]; readonly assigns: boolean } {
    const start = this.#cursor.mark();
    const variables: string[] = [];
    for (;;) {
      const token = this.#cursor.takePastSpace();
      const sign = token.kind === 'variable' ? this.#cursor.peekPastSpace() : null;
      if (sign?.kind !== 'sign') break;
      if (sign.text === ':=' || sign.text === '=') {
        this.#cursor.takePastSpace();
        variables.push(token.text);
        const unknown = sign.text === '=' ? variables.find((name) => !this.#variables.includes(name)) : undefined;
        if (unknown !== undefined) throw this.#cursor.fault(token.at, `undefined variable ${JSON.stringify(unknown)}`);
        return { variables, assigns: sign.text === '=' };
      }
      if (sign.text !== ',' || where !== 'range' || variables.length === 1) {
        if (sign.text === ',') throw this.#cursor.fault(sign.at, `too many declarations in ${where}`);
        break;
      }
      this.#cursor.takePastSpace();
      variables.push(token.text);
    }
    this.#cursor.back(start);
    return { variables: [], assigns: false };
  }

  #checkCommands(commands: readonly CommandNode[], where: string): void {
    if (commands.length === 0) throw this.#cursor.fault(this.#cursor.peekPastSpace().at, `missing value for ${where}`);
    for (const [index, command] of commands.entries()) {
      const first = command.operands[0]?.kind;
      if (index > 0 && (first === 'literal' || first === 'number' || first === 'dot' || first === 'nil')) {
        throw this.#cursor.fault(command.at, `non executable command in pipeline stage ${index + 1}`);
      }
    }
  }

  /** Operands with spaces between, up to `|`, `)` or the end of the action. */
  #command(): CommandNode {
    const { at } = this.#cursor.peekPastSpace();
    const operands: OperandNode[] = [];
    let end = at;
    for (;;) {
      this.#cursor.skipSpace();
      const operand = this.#operand();
      if (operand !== null) {
        operands.push(operand);
        end = operand.end;
      }
      const token = this.#cursor.peek();
      if (token.kind === 'space') continue;
      if (token.kind === 'close' || (token.kind === 'sign' && token.text === ')')) break;
      if (token.kind !== 'sign' || token.text !== '|') throw this.#cursor.unexpected(token, 'operand');
      // Go lets a pipeline end in `|`.
      this.#cursor.take();
      break;
    }
    if (operands.length === 0) throw this.#cursor.fault(at, 'empty command');
    return { kind: 'command', operands, at, end };
  }

  #operand(): OperandNode | null {
    const base = this.#term();
    if (base === null || this.#cursor.peek().kind !== 'field') return base;
    const names: string[] = [];
    while (this.#cursor.peek().kind === 'field') names.push(this.#cursor.take().text.slice(1));
    const end = this.#cursor.before();
    switch (base.kind) {
      case 'field':
      case 'variable':
        return { ...base, names: [...base.names, ...names], end };
      case 'literal':
      case 'number':
      case 'nil':
      case 'dot':
        throw this.#cursor.fault(base.end, `unexpected . after term ${JSON.stringify(this.#cursor.textOf(base))}`);
      default:
        return { kind: 'chain', base, names, at: base.at, end };
    }
  }

  #term(): OperandNode | null {
    const token = this.#cursor.peek();
    if (!startsOperand(token)) return null;
    this.#cursor.take();
    const { at, end } = token;
    switch (token.kind) {
      case 'word':
        return this.#word(token);
      case 'dot':
        return { kind: 'dot', at, end };
      case 'variable':
        if (!this.#variables.includes(token.text)) {
          throw this.#cursor.fault(at, `undefined variable ${JSON.stringify(token.text)}`);
        }
        return { kind: 'variable', name: token.text, names: [], at, end };
      case 'field':
        return { kind: 'field', names: [token.text.slice(1)], at, end };
      case 'string': {
        const value = unquoteText(token.text);
        if (value === null) throw this.#cursor.fault(at, `invalid syntax: ${token.text}`);
        return { kind: 'literal', value, at, end };
      }
      case 'char':
      case 'number': {
        const value = token.kind === 'char' ? unquoteCharacter(token.text) : parseNumber(token.text);
        if (value === null) throw this.#cursor.fault(at, `illegal number syntax: ${JSON.stringify(token.text)}`);
        return { kind: 'number', value, at, end };
      }
      default: {
        const pipe = this.#pipe('parenthesized pipeline', [')']);
        this.#cursor.takePastSpace();
        return { ...pipe, at, end: this.#cursor.before() };
      }
    }
  }

  #word({ text, at, end }: Token): OperandNode {
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', at, end };
    if (text === 'nil') return { kind: 'nil', at, end };
    if (keywords.has(text)) throw this.#cursor.fault(at, `unexpected <${text}> in operand`);
    const refused = this.#check(text);
    if (refused !== null) throw this.#cursor.fault(at, refused);
    return { kind: 'function', name: text, at, end };
  }

  #enter(): void {
    if (++this.#depth > deepest) throw this.#cursor.fault(this.#cursor.peek().at, `nested more than ${deepest} deep`);
  }

  #isKeyword(keyword: string): boolean {
    if (this.#cursor.peek().kind !== 'open') return false;
    const word = this.#cursor.peek(this.#cursor.peek(1).kind === 'space' ? 2 : 1);
    return word.kind === 'word' && word.text === keyword;
  }
}

function startsOperand(token: Token): boolean {
  switch (token.kind) {
    case 'word':
    case 'dot':
    case 'variable':
    case 'field':
    case 'string':
    case 'char':
    case 'number':
      return true;
    case 'sign':
      return token.text === '(';
    default:
      return false;
  }
}

/** Nothing but white space: such a definition gives way to another of its name. */
function isBlank(nodes: readonly TemplateNode[]): boolean {
  return nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
}
