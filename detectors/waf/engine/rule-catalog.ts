/** The rules of a set by what `ctl` and hooks name them with. Chained rules are found by their first one. */
import { compilePattern, type Pattern } from '../../regex/compile-pattern.ts';
import type { IdRange } from '../seclang/definition.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { RuleNumbers } from './removals.ts';

export type RuleQuery =
  | { readonly by: 'id'; readonly ids: readonly IdRange[] }
  /** Regular expressions that match anywhere. */
  | { readonly by: 'tag'; readonly pattern: string }
  | { readonly by: 'msg'; readonly pattern: string }
  /** As rules have them. */
  | { readonly by: 'exact-tag'; readonly tag: string }
  | { readonly by: 'exact-msg'; readonly msg: string };

export class RuleCatalog {
  readonly #rules: CompiledRule[] = [];

  get size(): number {
    return this.#rules.length;
  }

  get rules(): readonly CompiledRule[] {
    return this.#rules;
  }

  add(rule: CompiledRule): void {
    this.#rules.push(rule);
  }

  /** @throws GatewayError PATTERN_INVALID */
  find(query: RuleQuery): readonly CompiledRule[] {
    return this.#rules.filter(this.#test(query));
  }

  /** @throws GatewayError PATTERN_INVALID */
  numbers(query: RuleQuery): RuleNumbers {
    return this.numbersOf(this.find(query));
  }

  numbersOf(rules: readonly CompiledRule[]): RuleNumbers {
    return new RuleNumbers(
      rules.map(({ index }) => index),
      this.size,
    );
  }

  #test(query: RuleQuery): (rule: CompiledRule) => boolean {
    switch (query.by) {
      case 'id':
        return ({ id }) => query.ids.some(({ first, last }) => first <= id && id <= last);
      case 'tag': {
        const pattern = patternOf(query.pattern);
        return ({ definition }) => definition.tags.some((tag) => pattern.test(tag.source));
      }
      case 'msg': {
        const pattern = patternOf(query.pattern);
        return ({ definition }) => pattern.test(definition.msg.source);
      }
      case 'exact-tag':
        return ({ definition }) => definition.tags.some((tag) => tag.source === query.tag);
      case 'exact-msg':
        return ({ definition }) => definition.msg.source === query.msg;
      default:
        return query satisfies never;
    }
  }
}

function patternOf(source: string): Pattern {
  return compilePattern(source, { subject: 'bytes', dotAll: true });
}
