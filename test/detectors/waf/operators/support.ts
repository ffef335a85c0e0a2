/** Operators outside of an engine: one operator, one text. */
import { AutomatonMemory } from '../../../../detectors/regex/lazy-automaton.ts';
import type {
  CompiledOperator,
  OperatorDependencies,
  OperatorRun,
} from '../../../../detectors/waf/operators/operator.ts';
import { compileOperator } from '../../../../detectors/waf/operators/compile-operator.ts';
import type { OperatorDefinition } from '../../../../detectors/waf/seclang/definition.ts';
import { parseMacro } from '../../../../detectors/waf/seclang/parse-macro.ts';
import { SearchIndexBuilder } from '../../../../detectors/waf/text/search-index.ts';
import { TextPool } from '../../../../detectors/waf/text/text-pool.ts';

export interface Answer {
  readonly matches: boolean;
  readonly captured: readonly string[] | null;
}

export type Given = Partial<Omit<OperatorDependencies, 'index' | 'compiled'>>;

export function definitionOf(name: string, argument: string, negated = false): OperatorDefinition {
  return { name: name.toLowerCase(), negated, argument: parseMacro(argument, null), folder: '' };
}

export function dependenciesOf(given: Given = {}): OperatorDependencies {
  return {
    index: new SearchIndexBuilder(),
    compiled: new Map(),
    automata: new AutomatonMemory(),
    readData: () => null,
    detectSqli: () => null,
    detectXss: () => false,
    ...given,
  };
}

export class Run implements OperatorRun {
  readonly captures: boolean;
  captured: readonly string[] | null = null;
  readonly #expanded: string;

  constructor(captures = true, expanded = '') {
    this.captures = captures;
    this.#expanded = expanded;
  }

  argument(): string {
    return this.#expanded;
  }
}

/** What an operator says to a text, asked twice: the second time the text knows it. */
export function ask(name: string, argument: string, text: string, given: Given = {}): Answer {
  const dependencies = dependenciesOf(given);
  const operator = compileOperator(definitionOf(name, argument), dependencies);
  return answer(operator, text, new TextPool(dependencies.index.build()));
}

export function answer(operator: CompiledOperator, value: string, pool: TextPool): Answer {
  const run = new Run();
  const matches = operator.test(pool.text(value), run);
  if (operator.test(pool.text(value), new Run(false)) !== matches)
    throw new Error(`${operator.name} wavers on ${value}`);
  return { matches, captured: run.captured };
}
