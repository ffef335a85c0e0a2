/**
 * Recognises the texts that an event gives again and again: `evt.Meta.x`, `Upper(evt.Meta.x)`, a variable. Two nodes with
 * the same key give the same text within one evaluation, cannot raise, and do nothing else, so that tests of them may be
 * merged and taken out of loops.
 */
import type { Node } from './ast.ts';
import type { Context } from './code.ts';

const caseHelpers: ReadonlySet<string> = new Set(['Upper', 'Lower', 'upper', 'lower']);

/** A name for what the node gives, or null when it is not known to be such a text. */
export function textSubject(node: Node, context: Context): string | null {
  if (context.typeOf(node).kind !== 'string') return null;
  if (node.kind === 'identifier') {
    const variable = context.variables.findLast(({ name }) => name === node.name);
    return variable === undefined ? null : `$${variable.slot}`;
  }
  if (node.kind === 'member') return eventPath(node, context);
  const name =
    node.kind === 'builtin'
      ? node.name
      : node.kind === 'call' && node.callee.kind === 'identifier'
        ? node.callee.name
        : '';
  if (!caseHelpers.has(name) || (node.kind !== 'call' && node.kind !== 'builtin')) return null;
  const [argument] = node.args;
  const inner = argument === undefined ? null : textSubject(argument, context);
  return inner === null ? null : `${name.toLowerCase()}(${inner})`;
}

/** `evt.Meta.x`, `evt.Line.Raw`: chains of names from `evt` through what is never nil. */
function eventPath(node: Node, context: Context): string | null {
  if (node.kind === 'identifier') return node.name === 'evt' && context.typeOf(node).kind === 'struct' ? 'evt' : null;
  if (node.kind !== 'member' || node.property.kind !== 'string') return null;
  const object = context.typeOf(node.object);
  const certain =
    object.kind === 'map' || (object.kind === 'struct' && (object.byValue || object.name === 'types.Event'));
  const before = certain ? eventPath(node.object, context) : null;
  return before === null ? null : `${before}.${node.property.value}`;
}
