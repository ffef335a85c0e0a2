/** The tree that the parser builds: plain objects, told apart by `kind`. `at` is the offset in the source, for messages. */

export type UnaryOperator = 'not' | '-' | '+';

export type BinaryOperator =
  | 'or'
  | 'and'
  | '=='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | 'in'
  | 'matches'
  | 'contains'
  | 'startsWith'
  | 'endsWith'
  | '..'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '**'
  | '??';

export type Node =
  | { readonly kind: 'nil'; readonly at: number }
  | { readonly kind: 'bool'; readonly at: number; readonly value: boolean }
  | { readonly kind: 'int'; readonly at: number; readonly value: bigint }
  | { readonly kind: 'float'; readonly at: number; readonly value: number }
  | { readonly kind: 'string'; readonly at: number; readonly value: string }
  | { readonly kind: 'identifier'; readonly at: number; readonly name: string }
  /** `#`, `#acc`, `#index`: "" is the element itself. */
  | { readonly kind: 'pointer'; readonly at: number; readonly name: string }
  | { readonly kind: 'unary'; readonly at: number; readonly operator: UnaryOperator; readonly operand: Node }
  | BinaryNode
  | ComparisonsNode
  | MemberNode
  /** Where `?.` stops: a nil before it makes the whole chain nil. */
  | { readonly kind: 'chain'; readonly at: number; readonly body: Node }
  | {
      readonly kind: 'slice';
      readonly at: number;
      readonly object: Node;
      readonly from: Node | null;
      readonly to: Node | null;
    }
  | CallNode
  | BuiltinNode
  | { readonly kind: 'predicate'; readonly at: number; readonly body: Node }
  | {
      readonly kind: 'conditional';
      readonly at: number;
      readonly test: Node;
      readonly then: Node;
      readonly otherwise: Node;
    }
  | { readonly kind: 'array'; readonly at: number; readonly items: readonly Node[] }
  | { readonly kind: 'map'; readonly at: number; readonly entries: readonly MapEntry[] }
  | { readonly kind: 'let'; readonly at: number; readonly name: string; readonly value: Node; readonly body: Node }
  | { readonly kind: 'sequence'; readonly at: number; readonly items: readonly Node[] };

export interface BinaryNode {
  readonly kind: 'binary';
  readonly at: number;
  readonly operator: BinaryOperator;
  readonly left: Node;
  readonly right: Node;
}

/** `a < b <= c`: every neighbouring pair must hold; each operand is evaluated at most once. */
export interface ComparisonsNode {
  readonly kind: 'comparisons';
  readonly at: number;
  readonly operands: readonly Node[];
  readonly operators: readonly { readonly operator: BinaryOperator; readonly at: number }[];
}

export interface MemberNode {
  readonly kind: 'member';
  readonly at: number;
  readonly object: Node;
  /** A string node for `.name`, any expression for `[…]`. */
  readonly property: Node;
  readonly optional: boolean;
}

/** A helper (`callee` is an identifier) or a method (`callee` is a member). */
export interface CallNode {
  readonly kind: 'call';
  readonly at: number;
  readonly callee: Node;
  readonly args: readonly Node[];
}

/** A function of the language itself; a predicate argument is a `predicate` node. */
export interface BuiltinNode {
  readonly kind: 'builtin';
  readonly at: number;
  readonly name: string;
  readonly args: readonly Node[];
}

export interface MapEntry {
  readonly key: Node;
  readonly value: Node;
}

/** The offset at which the node's text starts; `at` is where its operator or name stands. `if` starts at its own offset. */
export function startOf(node: Node): number {
  let current = node;
  for (;;) {
    if (current.kind === 'binary') current = current.left;
    else if (current.kind === 'comparisons') current = current.operands[0] as Node;
    else if (current.kind === 'member' || current.kind === 'slice') current = current.object;
    else if (current.kind === 'chain') current = current.body;
    else if (current.kind === 'call') current = current.callee;
    else if (current.kind === 'conditional' && current.test.at < current.at) current = current.test;
    else return current.at;
  }
}
