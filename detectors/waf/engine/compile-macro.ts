/** Macros to functions: `%{TX.score}` becomes one access. What is not set expands to nothing. */
import { lowerAscii } from '../seclang/ascii.ts';
import type { Macro, MacroReference } from '../seclang/macro.ts';
import type { TransactionState } from './transaction-state.ts';
import type { TxLayout } from './tx-variables.ts';
import { collections, isScalar, scalars } from './variables.ts';

export interface CompiledMacro {
  /** The text of a macro that is the same for every request, otherwise null. */
  readonly constant: string | null;
  expand(state: TransactionState): string;
}

/** A macro longer than this is cut, so that variables which hold each other cannot grow without end. */
const longest = 65_536;

export function compileMacro({ parts }: Macro, layout: TxLayout): CompiledMacro {
  if (parts.every((part) => typeof part === 'string')) {
    const constant = parts.join('');
    return { constant, expand: () => constant };
  }
  const readers = parts.map((part) => (typeof part === 'string' ? () => part : compileReference(part, layout)));
  const [only] = readers;
  if (only !== undefined && readers.length === 1) return { constant: null, expand: only };
  const expand = (state: TransactionState): string => {
    let text = '';
    for (const read of readers) text += read(state);
    return text.length > longest ? text.slice(0, longest) : text;
  };
  return { constant: null, expand };
}

/** The macros in arguments of operators, each compiled once. */
export class MacroTable {
  readonly #layout: TxLayout;
  readonly #compiled = new Map<Macro, CompiledMacro>();

  constructor(layout: TxLayout) {
    this.#layout = layout;
  }

  /** Compiles the macro when it is not known: before the first transaction, so that TX has a place for what it names. */
  of(macro: Macro): CompiledMacro {
    let compiled = this.#compiled.get(macro);
    if (compiled === undefined) this.#compiled.set(macro, (compiled = compileMacro(macro, this.#layout)));
    return compiled;
  }
}

/** The name of a variable: in lower case. */
export function compileKey(macro: Macro, layout: TxLayout): CompiledMacro {
  const compiled = compileMacro(macro, layout);
  if (compiled.constant !== null) {
    const key = lowerAscii(compiled.constant);
    return { constant: key, expand: () => key };
  }
  const [prefix, reference, ...others] = macro.parts;
  // `tx.header_name_%{tx.0}`: the text knows its lower case.
  if (typeof prefix === 'string' && typeof reference === 'object' && others.length === 0) {
    const { variable, key } = reference;
    if (variable === 'TX' && key !== null) {
      const start = lowerAscii(prefix);
      const slot = layout.slotOf(key);
      return { constant: null, expand: ({ tx }) => start + (tx.slots[slot]?.lower ?? '') };
    }
  }
  return { constant: null, expand: (state) => lowerAscii(compiled.expand(state)) };
}

function compileReference({ variable, key }: MacroReference, layout: TxLayout): (state: TransactionState) => string {
  if (isScalar(variable)) return scalars[variable].read;
  if (variable === 'TX') {
    if (key === null) return () => '';
    const slot = layout.slotOf(key);
    return (state) => state.tx.slots[slot]?.value ?? '';
  }
  const { read } = collections[variable];
  return (state) => {
    for (const entry of read(state)) if (key === null || entry.key === key) return entry.text.value;
    return '';
  };
}
