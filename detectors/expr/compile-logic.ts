/**
 * `or` and `and`. A chain of any length is one loop. Tests of one text in an `or` chain are merged: a thousand
 * `x contains 'a' or x contains 'b' …` become one pass over `x`. Merged tests can neither raise nor write, so they may be
 * moved ahead of other terms of which the same is true, and are never moved across any other.
 */
import type { BinaryNode, Node } from './ast.ts';
import { type Code, constantCode, type Context, dynamicCode, type Run } from './code.ts';
import { ExpressionError } from './source-error.ts';
import { anyTextTest, type TextTest } from './text-tests.ts';
import { textSubject } from './text-subject.ts';
import { goType } from './values.ts';

interface Term {
  readonly code: Code;
  /** Whether the checker knows that it is a boolean. */
  readonly known: boolean;
  readonly at: number;
}

export function compileLogic(node: BinaryNode, operator: 'or' | 'and', context: Context): Code {
  const nodes: Node[] = [];
  let first: Node = node;
  while (first.kind === 'binary' && first.operator === operator) {
    nodes.push(first.right);
    first = first.left;
  }
  nodes.push(first);
  nodes.reverse();
  const terms = operator === 'or' ? mergedTerms(nodes, context) : nodes.map((term) => termOf(term, context));
  return chainCode(terms, operator === 'or', context);
}

function termOf(node: Node, context: Context): Term {
  return {
    code: context.compile(node),
    known: context.typeOf(node).kind === 'bool',
    at: node.at,
  };
}

/** Merges from this many tests of one text on. */
const fewestMerged = 2;

interface Group {
  readonly subject: Node;
  readonly tests: TextTest[];
  /** Where in the chain the first of the tests stands. */
  readonly first: number;
}

function mergedTerms(nodes: readonly Node[], context: Context): Term[] {
  const member = groupTests(nodes, context);
  const terms: Term[] = [];
  for (const [index, node] of nodes.entries()) {
    const group = member[index];
    if (!group || group.tests.length < fewestMerged) terms.push(termOf(node, context));
    else if (group.first === index) {
      const subject = context.run(group.subject);
      const holds = anyTextTest(group.tests);
      const run: Run = (scope, locals) => holds(subject(scope, locals) as string);
      terms.push({ code: dynamicCode(run), known: true, at: node.at });
    }
  }
  return terms;
}

/** The group of each term, null for those that are no tests. Groups end at a term that may raise or write. */
function groupTests(nodes: readonly Node[], context: Context): (Group | null)[] {
  const groups = new Map<string, Group>();
  return nodes.map((node, index) => {
    const found = testOf(node, context);
    if (found === null) {
      if (!isCalm(node, context)) groups.clear();
      return null;
    }
    const group = groups.get(found.key) ?? { subject: found.subject, tests: [], first: index };
    group.tests.push(found.test);
    groups.set(found.key, group);
    return group;
  });
}

/** Whether evaluating the node can neither raise nor change anything. */
function isCalm(node: Node, context: Context): boolean {
  if (node.kind === 'unary') return node.operator === 'not' && isCalm(node.operand, context);
  if (node.kind !== 'binary') return node.kind === 'bool';
  if (node.operator === 'and' || node.operator === 'or') {
    let left: Node = node;
    while (left.kind === 'binary' && left.operator === node.operator) {
      if (!isCalm(left.right, context)) return false;
      left = left.left;
    }
    return isCalm(left, context);
  }
  if (testOf(node, context) !== null) return true;
  const isText = textSubject(node.left, context) !== null;
  return isText && node.right.kind === 'string' && (node.operator === '!=' || node.operator === 'matches');
}

/** `subject operator 'literal'`, or `subject in ['…', …]`. */
function testOf(node: Node, context: Context): { key: string; subject: Node; test: TextTest } | null {
  if (node.kind !== 'binary') return null;
  const key = textSubject(node.left, context);
  if (key === null) return null;
  const subject = node.left;
  const { operator } = node;
  if (operator === 'in' && node.right.kind === 'array') {
    const words = node.right.items.flatMap((item) => (item.kind === 'string' ? item.value : []));
    return words.length === node.right.items.length ? { key, subject, test: { operator: 'in', words } } : null;
  }
  if (operator !== '==' && operator !== 'contains' && operator !== 'startsWith' && operator !== 'endsWith') return null;
  const { constant } = context.compile(node.right);
  if (typeof constant?.value !== 'string') return null;
  return { key, subject, test: { operator, words: [constant.value] } };
}

function chainCode(terms: readonly Term[], decisive: boolean, context: Context): Code {
  const kept: Term[] = [];
  for (const term of terms) {
    if (term.code.constant === null) kept.push(term);
    else if (term.code.constant.value === decisive) {
      // Nothing behind a constant that decides is ever evaluated; what stands before it may still raise.
      kept.push(term);
      break;
    } else if (typeof term.code.constant.value !== 'boolean') kept.push(term);
  }
  const [only] = kept;
  if (only === undefined) return constantCode(!decisive);
  if (kept.length === 1 && only.known) return only.code;
  return dynamicCode(chainRun(kept, decisive, context));
}

function chainRun(terms: readonly Term[], decisive: boolean, context: Context): Run {
  const runs = terms.map((term) => (term.known ? term.code.run : checked(term, decisive, context)));
  const [first, second, third] = runs;
  if (first && second && runs.length === 2) {
    return decisive
      ? (scope, locals) => first(scope, locals) === true || second(scope, locals) === true
      : (scope, locals) => first(scope, locals) === true && second(scope, locals) === true;
  }
  if (first && second && third && runs.length === 3 && !decisive) {
    return (scope, locals) =>
      first(scope, locals) === true && second(scope, locals) === true && third(scope, locals) === true;
  }
  return (scope, locals) => {
    for (const run of runs) if (run(scope, locals) === decisive) return decisive;
    return !decisive;
  };
}

/** A term whose type only the run time knows. */
function checked(term: Term, decisive: boolean, context: Context): Run {
  const { source } = context;
  const { run } = term.code;
  const operator = decisive ? 'or' : 'and';
  return (scope, locals) => {
    const value = run(scope, locals);
    if (typeof value === 'boolean') return value;
    throw new ExpressionError(source, term.at, `invalid operation: ${operator} wants bool, got ${goType(value)}`);
  };
}
