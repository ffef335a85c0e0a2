/** The clauses of all operators, by the literals that make them true. A list of literals is a number. */
import { CharQuestion } from './char-condition.ts';
import type { SearchClause } from './search-clauses.ts';

export interface IndexedClause {
  readonly operator: number;
  readonly when: CharQuestion;
  /** Numbers of further lists, of each of which one literal is needed. */
  readonly also: readonly number[];
}

export class ClauseTable {
  readonly literals: string[] = [];
  /** By list; undefined for one that other clauses want besides their own. */
  readonly clauseOf: (IndexedClause | undefined)[] = [];
  readonly #listsOf: number[][] = [];
  readonly #numbers = new Map<string, number>();
  readonly #further = new Map<string, number>();

  add(operator: number, { literals, when, also }: SearchClause): void {
    const further = also.map((list) => this.#furtherList(list));
    this.#list(literals, { operator, when: new CharQuestion(when), also: further });
  }

  /** Where the lists of each literal start in `lists`; the last entry is where those of the last one end. */
  flat(): { readonly starts: Int32Array; readonly lists: Int32Array } {
    const starts = new Int32Array(this.#listsOf.length + 1);
    for (const [literal, lists] of this.#listsOf.entries()) starts[literal + 1] = (starts[literal] ?? 0) + lists.length;
    return { starts, lists: Int32Array.from(this.#listsOf.flat()) };
  }

  #furtherList(literals: readonly string[]): number {
    const key = JSON.stringify(literals);
    const known = this.#further.get(key);
    if (known !== undefined) return known;
    const list = this.#list(literals, undefined);
    this.#further.set(key, list);
    return list;
  }

  #list(literals: readonly string[], clause: IndexedClause | undefined): number {
    const list = this.clauseOf.push(clause) - 1;
    for (const literal of literals) this.#listsOf[this.#number(literal)]?.push(list);
    return list;
  }

  #number(literal: string): number {
    const known = this.#numbers.get(literal);
    if (known !== undefined) return known;
    const number = this.literals.push(literal) - 1;
    this.#numbers.set(literal, number);
    this.#listsOf.push([]);
    return number;
  }
}
