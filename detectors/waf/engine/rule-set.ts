/** A compiled set of rules: what requests are run through, and what listings say about it. */
import type { RuleDefinition, SecLangFault } from '../seclang/definition.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { EngineOptions } from './engine-options.ts';
import type { RuleNumbers } from './removals.ts';
import type { RuleQuery } from './rule-catalog.ts';
import { Transaction, type TransactionParts } from './transaction.ts';
import type { TransactionRequest } from './transaction-types.ts';

export interface RuleSetStats {
  /** First rules of chains and rules without a chain. */
  readonly rules: number;
  readonly chained: number;
  /** Rules that are run only when the search index says that they may match. */
  readonly indexed: number;
  /** Tables of the search index, in bytes. */
  readonly indexBytes: number;
}

export interface RuleSet {
  /** `budgetMs`: instead of the time budget of the options. */
  begin(request: TransactionRequest, budgetMs?: number): Transaction;
  /** In the order of the files: all phases. */
  readonly rules: readonly RuleDefinition[];
  /** Those of the program, and those found while compiling. */
  readonly faults: readonly SecLangFault[];
  readonly stats: RuleSetStats;
  readonly options: EngineOptions;
  /** For all transactions that begin from now on. How many rules there are of that id. */
  removeById(id: number): number;
  /** `tag` as a rule has it. */
  removeByTag(tag: string): number;
  /** `msg` as a rule has it. */
  removeByMsg(msg: string): number;
}

/** Made by `compileRuleSet`. */
export class CompiledRuleSet implements RuleSet {
  readonly rules: readonly RuleDefinition[];
  readonly faults: readonly SecLangFault[];
  readonly stats: RuleSetStats;
  readonly options: EngineOptions;
  readonly #parts: TransactionParts;
  readonly #removed = new Set<CompiledRule>();
  /** The same as numbers; null: none. */
  #removedNumbers: RuleNumbers | null = null;

  constructor(parts: TransactionParts, faults: readonly SecLangFault[], stats: RuleSetStats) {
    this.#parts = parts;
    this.rules = parts.catalog.rules.map(({ definition }) => definition);
    this.faults = faults;
    this.stats = stats;
    this.options = parts.state.options;
  }

  begin(request: TransactionRequest, budgetMs?: number): Transaction {
    const transaction = new Transaction(request, this.#parts, budgetMs);
    if (this.#removedNumbers !== null) transaction.removeRules(this.#removedNumbers);
    return transaction;
  }

  removeById(id: number): number {
    return this.#remove({ by: 'id', ids: [{ first: id, last: id }] });
  }

  removeByTag(tag: string): number {
    return this.#remove({ by: 'exact-tag', tag });
  }

  removeByMsg(msg: string): number {
    return this.#remove({ by: 'exact-msg', msg });
  }

  #remove(query: RuleQuery): number {
    const { catalog } = this.#parts;
    const found = catalog.find(query);
    for (const rule of found) this.#removed.add(rule);
    if (this.#removed.size > 0) this.#removedNumbers = catalog.numbersOf([...this.#removed]);
    return found.length;
  }
}
