/**
 * Rules evaluated the plain way: every rule, every value, every transformation from the start, operators in a line of
 * JavaScript each. No index, nothing kept, nothing asleep. What the engine has to agree with.
 */
import { lowerAscii } from '../../../../detectors/waf/seclang/ascii.ts';
import { findTransformation } from '../../../../detectors/waf/transformations/find-transformation.ts';
import type {
  Effect,
  OperatorDefinition,
  RuleDefinition,
  RuleEntry,
  RuleProgram,
  Selector,
  Target,
} from '../../../../detectors/waf/seclang/definition.ts';
import type { Macro } from '../../../../detectors/waf/seclang/macro.ts';

export interface PlainRequest {
  readonly method: string;
  /** Decoded, in order. */
  readonly args: readonly (readonly [string, string])[];
  readonly headers: readonly (readonly [string, string])[];
}

export interface PlainOutcome {
  readonly fired: readonly string[];
  readonly tx: ReadonlyMap<string, string>;
}

interface Value {
  readonly label: string;
  readonly variable: string;
  readonly name: string;
  readonly value: string;
}

export class PlainEvaluator {
  readonly #request: PlainRequest;
  readonly #tx = new Map<string, string>();
  readonly #fired: string[] = [];
  #matched: Value[] = [];
  #last: Value = { label: '', variable: '', name: '', value: '' };
  readonly #removedRules: ((id: number, tags: readonly string[]) => boolean)[] = [];
  readonly #removedTargets: { readonly rule: (id: number) => boolean; readonly target: Target }[] = [];

  constructor(request: PlainRequest) {
    this.#request = request;
  }

  run({ entries }: RuleProgram): PlainOutcome {
    for (const phase of [1, 2, 5]) this.#runPhase(entries, phase);
    return { fired: this.#fired, tx: this.#tx };
  }

  #runPhase(entries: readonly RuleEntry[], phase: number): void {
    let skipping = 0;
    let marker: string | null = null;
    for (const entry of entries) {
      if (entry.kind === 'marker') {
        if (entry.name === marker) marker = null;
        continue;
      }
      if (entry.phase !== phase || marker !== null) continue;
      if (skipping > 0) {
        skipping--;
        continue;
      }
      const tags = entry.tags.map(({ source }) => source);
      if (this.#removedRules.some((removes) => removes(entry.id, tags))) continue;
      if (!this.#runRule(entry)) continue;
      if (entry.flow.kind === 'skip') skipping = entry.flow.rules;
      if (entry.flow.kind === 'skip-after') marker = entry.flow.marker;
    }
  }

  #runRule(head: RuleDefinition): boolean {
    this.#matched = [];
    for (let link: RuleDefinition | null = head; link !== null; link = link.chained) {
      if (!this.#runLink(link, head.id)) return false;
    }
    if (head.log) this.#fired.push(`${head.id} ${this.#expand(head.logdata)}`);
    return true;
  }

  #runLink(rule: RuleDefinition, id: number): boolean {
    if (rule.operator === null) {
      for (const effect of rule.effects) this.#apply(effect);
      return true;
    }
    let any = false;
    for (const target of rule.targets) {
      for (const value of this.#valuesOf(target, rule.excluded)) {
        if (this.#isExcluded(rule, id, value)) continue;
        for (const text of transformed(rule, value.value)) {
          if (this.#tryText(rule, rule.operator, { ...value, value: text })) any = true;
        }
      }
    }
    return any;
  }

  /** A count leaves out what the rule excludes, and is a value all the same. */
  #isExcluded({ excluded }: RuleDefinition, id: number, { label, variable, name }: Value): boolean {
    const removed = this.#removedTargets.flatMap(({ rule, target }) => (rule(id) ? [target] : []));
    return [...(label.startsWith('&') ? [] : excluded), ...removed].some(
      (one) => one.variable === variable && selects(one.selector, name),
    );
  }

  #tryText(rule: RuleDefinition, operator: OperatorDefinition, value: Value): boolean {
    const groups = matchGroups(operator.name, value.value, this.#expand(operator.argument));
    if ((groups === null) !== operator.negated) return false;
    this.#last = value;
    if (!value.variable.startsWith('MATCHED')) this.#matched.push(value);
    if (rule.capture && groups !== null) for (const [index, group] of groups.entries()) this.#tx.set(`${index}`, group);
    for (const effect of rule.effects) this.#apply(effect);
    return true;
  }

  #valuesOf(target: Target, excluded: readonly Target[]): readonly Value[] {
    const { variable, selector } = target;
    const all = this.#collection(variable).filter(({ name }) => selects(selector, name));
    if (!target.count) return all;
    const kept = all.filter(
      ({ name }) => !excluded.some((one) => one.variable === variable && selects(one.selector, name)),
    );
    const name = selector.kind === 'key' ? selector.written : selector.kind === 'pattern' ? `/${selector.source}/` : '';
    return [{ label: `&${variable}${name === '' ? '' : `:${name}`}`, variable, name, value: String(kept.length) }];
  }

  #collection(variable: string): readonly Value[] {
    const named = (pairs: readonly (readonly [string, string])[]): readonly Value[] =>
      pairs.map(([name, value]) => ({ label: `${variable}:${name}`, variable, name, value }));
    const { args, headers, method } = this.#request;
    switch (variable) {
      case 'ARGS':
        return named(args);
      case 'ARGS_NAMES':
        return named(args.map(([name]) => [name, name]));
      case 'REQUEST_HEADERS':
        return named(headers);
      case 'TX':
        // Names that rules have go before those that are made at run time.
        return named([...this.#tx].sort(([one], [other]) => Number(one.includes('_')) - Number(other.includes('_'))));
      case 'REQUEST_METHOD':
        return [{ label: variable, variable, name: '', value: method }];
      case 'MATCHED_VAR':
        return [{ ...this.#last, variable }];
      case 'MATCHED_VARS':
        return this.#matched.map((value) => ({ ...value, variable }));
      default:
        throw new Error(`${variable} is not generated`);
    }
  }

  #apply(effect: Effect): void {
    if (effect.kind === 'control') {
      const { control } = effect;
      if (control.kind === 'remove-by-id') {
        this.#removedRules.push((id) => control.ids.some(({ first, last }) => first <= id && id <= last));
      } else if (control.kind === 'remove-by-tag') {
        this.#removedRules.push((_, tags) => tags.some((tag) => tag.includes(control.pattern)));
      } else if (control.kind === 'remove-target-by-id') {
        const rule = (id: number): boolean => control.ids.some(({ first, last }) => first <= id && id <= last);
        this.#removedTargets.push({ rule, target: control.target });
      }
      return;
    }
    if (effect.kind !== 'setvar') throw new Error(`${effect.kind} is not generated`);
    const key = lowerAscii(this.#expand(effect.key));
    const value = this.#expand(effect.value);
    const now = Number.parseInt(this.#tx.get(key) ?? '0', 10) || 0;
    const by = Number.parseInt(value, 10) || 0;
    if (effect.arithmetic === 'unset') this.#tx.delete(key);
    else if (effect.arithmetic === 'set') this.#tx.set(key, value);
    else this.#tx.set(key, String(effect.arithmetic === 'add' ? now + by : now - by));
  }

  #expand({ parts }: Macro): string {
    return parts
      .map((part) => {
        if (typeof part === 'string') return part;
        if (part.variable === 'MATCHED_VAR') return this.#last.value;
        if (part.variable === 'MATCHED_VAR_NAME') return this.#last.label;
        if (part.variable === 'TX') return this.#tx.get(part.key ?? '') ?? '';
        return this.#collection(part.variable).find(({ name }) => name.toLowerCase() === part.key)?.value ?? '';
      })
      .join('');
  }
}

function selects(selector: Selector, name: string): boolean {
  if (selector.kind === 'key') return name.toLowerCase() === selector.key;
  if (selector.kind === 'pattern') return new RegExp(selector.source, 'i').test(name);
  return true;
}

/** What the operator is shown: the last text, or each that differs from the one before. */
function transformed({ transformations, multiMatch }: RuleDefinition, value: string): readonly string[] {
  const texts = [value];
  for (const name of transformations) {
    const before = texts.at(-1) ?? '';
    const after = findTransformation(name)?.apply(before) ?? before;
    if (after !== before) texts.push(after);
  }
  return multiMatch ? texts : texts.slice(-1);
}

/** Null: it does not match; otherwise what it captures. */
function matchGroups(name: string, value: string, argument: string): readonly string[] | null {
  const number = (text: string): number => Number.parseInt(text, 10) || 0;
  const when = (matches: boolean): readonly string[] | null => (matches ? [] : null);
  switch (name) {
    case 'rx':
      return new RegExp(argument, 's').exec(value)?.map((group) => group ?? '') ?? null;
    case 'pm':
      return firstPhrase(value, argument.split(' '));
    case 'contains':
      return when(value.includes(argument));
    case 'streq':
      return when(value === argument);
    case 'beginswith':
      return when(value.startsWith(argument));
    case 'endswith':
      return when(value.endsWith(argument));
    case 'within':
      return when(argument.includes(value));
    case 'eq':
      return when(number(value) === number(argument));
    case 'ge':
      return when(number(value) >= number(argument));
    case 'lt':
      return when(number(value) < number(argument));
    default:
      throw new Error(`${name} is not generated`);
  }
}

/** The one that begins first, of those the longest, as it stands in the value. */
function firstPhrase(value: string, phrases: readonly string[]): readonly string[] | null {
  const found = phrases
    .map((phrase) => ({ at: value.toLowerCase().indexOf(phrase.toLowerCase()), length: phrase.length }))
    .filter(({ at }) => at !== -1)
    .sort((one, other) => one.at - other.at || other.length - one.length)[0];
  return found === undefined ? null : [value.slice(found.at, found.at + found.length)];
}
