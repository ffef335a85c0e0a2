/**
 * `any(File('list'), {text contains #})` and its like: the list becomes one automaton or set when it is first asked, and
 * again when the file's list is another one. `Upper(#)` and other pure functions of the line are applied to the list then.
 */
import type { BuiltinNode, Node } from './ast.ts';
import type { Context, Run } from './code.ts';
import { literalFile } from './compile-in.ts';
import { anyTextTest, type TextPredicate } from './text-tests.ts';
import { textSubject } from './text-subject.ts';

const operators = ['==', 'contains', 'startsWith', 'endsWith', 'matches'] as const;
type Operator = (typeof operators)[number];

/** The closure, or null when the call is not of this shape. */
export function fileMatch(node: BuiltinNode, context: Context): Run | null {
  const [collection, predicate] = node.args;
  if (collection === undefined || predicate?.kind !== 'predicate' || literalFile(collection, context) === null)
    return null;
  const { body } = predicate;
  if (body.kind !== 'binary') return null;
  const operator = operators.find((one) => one === body.operator);
  if (operator === undefined) return null;
  const swapped = operator === '==' && lineCases(body.left) !== null;
  const [subject, line] = swapped ? [body.right, body.left] : [body.left, body.right];
  const cases = lineCases(line);
  if (cases === null || textSubject(subject, context) === null) return null;
  return matchRun(context.run(collection), context.run(subject), cases, operator, context);
}

/** The helpers around `#`, outermost last; null when the node is anything else. */
function lineCases(node: Node): readonly string[] | null {
  if (node.kind === 'pointer') return node.name === '' ? [] : null;
  if (node.kind !== 'call' || node.callee.kind !== 'identifier' || node.args.length !== 1) return null;
  const { name } = node.callee;
  const inner = node.args[0] === undefined ? null : lineCases(node.args[0]);
  return inner === null || !lineHelpers.has(name) ? null : [...inner, name];
}

/** Pure, of one text, giving one text, and never raising. */
const lineHelpers: ReadonlySet<string> = new Set(['Upper', 'Lower', 'TrimSpace', 'PathUnescape', 'QueryUnescape']);

function matchRun(list: Run, subject: Run, cases: readonly string[], operator: Operator, context: Context): Run {
  let known: unknown = null;
  let test: TextPredicate = () => false;
  return (scope, locals) => {
    const lines = list(scope, locals);
    if (lines !== known && Array.isArray(lines)) {
      test = prepared(lines as readonly string[], cases, operator, context);
      known = lines;
    }
    return test(subject(scope, locals) as string);
  };
}

function prepared(
  lines: readonly string[],
  cases: readonly string[],
  operator: Operator,
  context: Context,
): TextPredicate {
  const { helpers } = context.tools;
  const change = (line: string): string => {
    let text: unknown = line;
    for (const name of cases) text = (helpers[name]?.run as ((text: unknown) => unknown) | undefined)?.(text);
    return typeof text === 'string' ? text : '';
  };
  const words = lines.map(change);
  if (operator !== 'matches') return anyTextTest([{ operator, words }]);
  return anyPattern(words, context);
}

/** A damaged pattern raises when its turn comes, as it would without preparation. */
function anyPattern(sources: readonly string[], context: Context): TextPredicate {
  return (text) => {
    for (const source of sources) if (context.tools.pattern(source).test(text)) return true;
    return false;
  };
}
