/** The tree of a template. Every node knows its place in the text: `at` is its first character, `end` the one after it. */

interface Placed {
  readonly at: number;
  readonly end: number;
}

export interface TextNode extends Placed {
  readonly kind: 'text';
  readonly text: string;
}

export interface ActionNode extends Placed {
  readonly kind: 'action';
  readonly pipe: PipeNode;
}

/** `if`, `with` and `range`. */
export interface BranchNode extends Placed {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: PipeNode;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[] | null;
}

export interface CallNode extends Placed {
  readonly kind: 'template';
  readonly name: string;
  readonly pipe: PipeNode | null;
}

export interface JumpNode extends Placed {
  readonly kind: 'break' | 'continue';
}

export type TemplateNode = TextNode | ActionNode | BranchNode | CallNode | JumpNode;

/** `$a, $b := command | command`. */
export interface PipeNode extends Placed {
  readonly kind: 'pipe';
  readonly variables: readonly string[];
  /** `=` instead of `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly CommandNode[];
}

export interface CommandNode extends Placed {
  readonly kind: 'command';
  /** At least one. */
  readonly operands: readonly OperandNode[];
}

export interface FieldNode extends Placed {
  readonly kind: 'field';
  readonly names: readonly string[];
}

export interface VariableNode extends Placed {
  readonly kind: 'variable';
  readonly name: string;
  readonly names: readonly string[];
}

export interface ChainNode extends Placed {
  readonly kind: 'chain';
  readonly base: OperandNode;
  readonly names: readonly string[];
}

export interface FunctionNode extends Placed {
  readonly kind: 'function';
  readonly name: string;
}

/** An untyped constant: an integer literal is also a float where one is wanted, and the other way round when exact. */
export interface NumberNode extends Placed {
  readonly kind: 'number';
  readonly value: bigint | number;
}

export interface LiteralNode extends Placed {
  readonly kind: 'literal';
  readonly value: string | boolean;
}

export interface PlainNode extends Placed {
  readonly kind: 'dot' | 'nil';
}

export type OperandNode =
  | FieldNode
  | VariableNode
  | ChainNode
  | FunctionNode
  | NumberNode
  | LiteralNode
  | PlainNode
  | PipeNode;
