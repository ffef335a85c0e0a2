/**
 * `compileOperator`: from what a rule says to what the engine runs. An operator with a known argument is entered into the
 * search index; one with macros in it is made when its argument is known, and kept while few arguments occur.
 */
import { GatewayError } from '../../../core/errors.ts';
import type { OperatorDefinition } from '../seclang/definition.ts';
import type { Macro } from '../seclang/macro.ts';
import { SearchIndexBuilder } from '../text/search-index.ts';
import { Text } from '../text/text.ts';
import { ipMatch, ipMatchFromFile } from './addresses.ts';
import { validateByteRange, validateUrlEncoding, validateUtf8Encoding } from './encodings.ts';
import { detectSqli, detectXss } from './injections.ts';
import { comparisons, type Comparison, wholeNumber } from './numbers.ts';
import {
  anyText,
  type CompiledOperator,
  noText,
  type OperatorDependencies,
  type OperatorFactory,
  type OperatorPlan,
  type OperatorRun,
  type TextTest,
} from './operator.ts';
import { rx, rxGlobal, validateNid, verifyCard, verifyCpf, verifySsn, verifySvnr } from './patterns.ts';
import { pm, pmFromFile } from './phrases.ts';
import { beginsWith, contains, containsWord, endsWith, streq, within } from './words.ts';

const noMatch: OperatorFactory = () => ({ need: noText, test: () => false });
const unconditionalMatch: OperatorFactory = () => ({ need: anyText, test: () => true });

/** By name in lower case. */
const factories: ReadonlyMap<string, OperatorFactory> = new Map([
  ['beginswith', beginsWith],
  ['contains', contains],
  ['containsword', containsWord],
  ['detectsqli', detectSqli],
  ['detectxss', detectXss],
  ['endswith', endsWith],
  ['ipmatch', ipMatch],
  ['ipmatchf', ipMatchFromFile],
  ['ipmatchfromfile', ipMatchFromFile],
  ['nomatch', noMatch],
  ['pm', pm],
  ['pmf', pmFromFile],
  ['pmfromfile', pmFromFile],
  ['rx', rx],
  ['rxglobal', rxGlobal],
  ['streq', streq],
  ['strmatch', contains],
  ['unconditionalmatch', unconditionalMatch],
  ['validatebyterange', validateByteRange],
  ['validatenid', validateNid],
  ['validateurlencoding', validateUrlEncoding],
  ['validateutf8encoding', validateUtf8Encoding],
  ['verifycc', verifyCard],
  ['verifycpf', verifyCpf],
  ['verifyssn', verifySsn],
  ['verifysvnr', verifySvnr],
  ['within', within],
]);

/** Operators that are known and do not run here, each with the reason. */
const refused: ReadonlyMap<string, string> = new Map([
  ['fuzzyhash', 'it needs a library of fuzzy hashes'],
  ['geolookup', 'countries are looked up before the rules run'],
  ['gsblookup', 'its service has ended'],
  ['inspectfile', 'rules start no programs'],
  ['ipmatchfromdataset', 'data sets are not read'],
  ['pmfromdataset', 'data sets are not read'],
  ['rbl', 'rules wait for no name server'],
  ['restpath', 'paths of an API are no collection here'],
  ['rsub', 'rules do not change bodies'],
  ['validatedtd', 'documents are not validated'],
  ['validatehash', 'links are not signed'],
  ['validateschema', 'documents are not validated'],
]);

/**
 * The operator of a rule. The caller leaves the rule out when it cannot be used.
 * @throws GatewayError RULES_INVALID (an operator that is not supported, a bad argument, a missing data file), PATTERN_INVALID
 */
export function compileOperator(definition: OperatorDefinition, dependencies: OperatorDependencies): CompiledOperator {
  const { name, negated, argument, folder } = definition;
  const reason = refused.get(name);
  if (reason !== undefined) {
    throw new GatewayError('RULES_INVALID', `the operator @${name} is not supported: ${reason}`, {
      remedy: 'Remove the rule.',
    });
  }
  const key = JSON.stringify([name, argument.source, readsFiles(name) ? folder : '', negated]);
  const known = dependencies.compiled.get(key);
  if (known !== undefined) return known;
  const compiled = compile(definition, key, dependencies);
  dependencies.compiled.set(key, compiled);
  return compiled;
}

function readsFiles(name: string): boolean {
  return name.startsWith('pmf') || name.startsWith('ipmatchf');
}

function compile(definition: OperatorDefinition, key: string, dependencies: OperatorDependencies): CompiledOperator {
  const { name, argument } = definition;
  const text = plainText(argument);
  const comparison = comparisons.get(name);
  if (comparison !== undefined) return new NumberOperator(name, comparison, argument, text);
  const factory = factories.get(name);
  if (factory === undefined) throw new GatewayError('RULES_INVALID', `there is no operator @${name}`);
  if (text === null) return new ExpandedOperator(definition, factory, dependencies);
  const plan = factory(text, definition, dependencies);
  const number = dependencies.index.add(key, () => plan.need);
  return new IndexedOperator(definition, number, plan);
}

/** Null when it depends on the transaction. */
function plainText(macro: Macro): string | null {
  return macro.parts.every((part) => typeof part === 'string') ? macro.parts.join('') : null;
}

/** Longer texts are searched before an operator is tried on them: it may take its time. */
const longestUnsearched = 256;

/** Asks the index first, and tells it what a test has shown. */
class IndexedOperator implements CompiledOperator {
  readonly name: string;
  readonly number: number;
  readonly #bit: number;
  readonly #test: TextTest;
  readonly #exact: boolean;
  /** Only texts that have been searched remember what did not match. */
  readonly #searches: boolean;

  constructor(
    { name, negated }: OperatorDefinition,
    bit: number,
    { test, exact = false, costly = false }: OperatorPlan,
  ) {
    this.name = name;
    this.number = negated ? -1 : bit;
    this.#bit = bit;
    this.#test = test;
    this.#exact = exact;
    this.#searches = exact || costly;
  }

  test(text: Text, run: OperatorRun): boolean {
    // One operator is tried sooner than all are searched for.
    const search = this.#searches || text.isSearched || text.value.length > longestUnsearched;
    if (!(search ? text.mayMatch(this.#bit) : text.couldMatch(this.#bit))) return false;
    if (this.#exact && !run.captures) return true;
    if (this.#test(text, run, this.#bit)) return true;
    text.ruleOut(this.#bit);
    return false;
  }
}

class NumberOperator implements CompiledOperator {
  readonly name: string;
  readonly number = -1;
  readonly #comparison: Comparison;
  readonly #argument: Macro;
  /** Null when it depends on the transaction. */
  readonly #known: number | null;

  constructor(name: string, comparison: Comparison, argument: Macro, text: string | null) {
    this.name = name;
    this.#comparison = comparison;
    this.#argument = argument;
    this.#known = text === null ? null : wholeNumber(text);
  }

  test(text: Text, run: OperatorRun): boolean {
    const argument = this.#known ?? wholeNumber(run.argument(this.#argument));
    return this.#comparison(wholeNumber(text.value), argument);
  }
}

/** Arguments for which an operator with macros is kept. */
const mostArguments = 32;

/** An argument that does not compile matches nothing. */
class ExpandedOperator implements CompiledOperator {
  readonly name: string;
  readonly number = -1;
  readonly #definition: OperatorDefinition;
  readonly #factory: OperatorFactory;
  readonly #dependencies: OperatorDependencies;
  readonly #made = new Map<string, Made>();

  constructor(definition: OperatorDefinition, factory: OperatorFactory, dependencies: OperatorDependencies) {
    this.name = definition.name;
    this.#definition = definition;
    this.#factory = factory;
    this.#dependencies = dependencies;
  }

  test(text: Text, run: OperatorRun): boolean {
    const argument = run.argument(this.#definition.argument);
    let made = this.#made.get(argument);
    if (made === undefined) {
      if (this.#made.size >= mostArguments) this.#made.clear();
      made = this.#make(argument);
      this.#made.set(argument, made);
    }
    return made(text, run);
  }

  #make(argument: string): Made {
    try {
      const { test, exact } = this.#factory(argument, this.#definition, this.#dependencies);
      if (exact !== true) return (text, run) => test(text, run, -1);
      // What the index alone decides needs an index of its own.
      const builder = new SearchIndexBuilder();
      const { need } = this.#factory(argument, this.#definition, this.#dependencies);
      const number = builder.add('', () => need);
      const index = builder.build();
      return (text, run) => {
        const own = new Text(text.value, index);
        return own.mayMatch(number) && test(own, run, number);
      };
    } catch (error) {
      if (error instanceof GatewayError) return () => false;
      throw error;
    }
  }
}

type Made = (text: Text, run: OperatorRun) => boolean;
