/**
 * `{{…}}` in nuclei templates: values of names, and expressions with helper functions. What is neither stays as it is, for some
 * payloads are template injections themselves.
 */
import { type DslFunction, evaluateDsl } from './dsl-evaluate.ts';
import { type DslNode, namesIn, parseDsl } from './dsl-syntax.ts';
import { type DslValue, textOf } from './dsl-value.ts';

export interface ExpandScope {
  readonly names: ReadonlyMap<string, DslValue>;
  readonly functions: ReadonlyMap<string, DslFunction>;
}

const opening = '{{';
const closing = '}}';

/** Ends that are tried for one beginning: braces may stand inside of an expression. */
const mostEnds = 32;

/** Rounds of expansion: a value may hold markers of its own. */
const mostRounds = 4;

/** The text with everything replaced that can be. */
export function expandText(text: string, scope: ExpandScope): string {
  let current = text;
  for (let round = 0; round < mostRounds; round++) {
    const next = expressed(named(current, scope), scope);
    if (next === current) break;
    current = next;
  }
  return current;
}

/** Plain names first: `{{interactsh-url}}` is no expression, and `{{base64("{{randstr}}")}}` holds one. */
function named(text: string, { names }: ExpandScope): string {
  const marked = text.replaceAll(
    /§([\w.-]+)§|\u00c2\u00a7([\w.-]+)\u00c2\u00a7/g,
    (all, one?: string, two?: string) => {
      const value = names.get(one ?? two ?? '');
      return value === undefined ? all : textOf(value);
    },
  );
  return marked.replaceAll(/\{\{\s*([\w.-]+)\s*\}\}/g, (all, name: string) => {
    const value = names.get(name);
    return value === undefined ? all : textOf(value);
  });
}

function expressed(text: string, scope: ExpandScope): string {
  let result = '';
  let from = 0;
  for (;;) {
    const start = text.indexOf(opening, from);
    if (start === -1) return result + text.slice(from);
    const found = expressionAt(text, start + opening.length, scope);
    result += text.slice(from, start);
    if (found === null) {
      result += '{';
      from = start + 1;
    } else {
      result += found.value;
      from = found.end;
    }
  }
}

/** The first character of an expression, or a blank before it. */
const beginsExpression = /[\w\s"'`([!~-]/;

/** The shortest expression that starts here and can be evaluated. */
function expressionAt(text: string, start: number, scope: ExpandScope): { value: string; end: number } | null {
  if (!beginsExpression.test(text[start] ?? '')) return null;
  let end = text.indexOf(closing, start);
  for (let tried = 0; end !== -1 && tried < mostEnds; tried++) {
    const value = evaluated(text.slice(start, end), scope);
    if (value !== null) return { value, end: end + closing.length };
    end = text.indexOf(closing, end + 1);
  }
  return null;
}

function evaluated(source: string, scope: ExpandScope): string | null {
  try {
    const node = parseDsl(source);
    if (!isExpression(node, scope)) return null;
    return textOf(evaluateDsl(node, scope));
  } catch {
    // Payloads are full of braces that were never meant as expressions.
    return null;
  }
}

/** It calls a function or asks for a name that is known: `{{7*7}}` is an injection. */
function isExpression(node: DslNode, { names, functions }: ExpandScope): boolean {
  return callsIn(node).some((name) => functions.has(name)) || namesIn(node).some((name) => names.has(name));
}

function callsIn(node: DslNode): readonly string[] {
  switch (node.kind) {
    case 'value':
    case 'name':
      return [];
    case 'call':
      return [node.name, ...node.args.flatMap(callsIn)];
    case 'list':
      return node.items.flatMap(callsIn);
    case 'unary':
      return callsIn(node.operand);
    case 'binary':
      return [...callsIn(node.left), ...callsIn(node.right)];
    case 'choice':
      return [node.test, node.then, node.otherwise].flatMap(callsIn);
    default:
      return node satisfies never;
  }
}
