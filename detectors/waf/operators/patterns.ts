/**
 * `@rx`, `@rxGlobal`, and the numbers of persons and cards that a pattern finds and a check digit confirms (`@verifyCC`,
 * `@verifyCPF`, `@verifySSN`, `@verifySVNR`, `@validateNid`). ModSecurity Reference Manual, "Operators".
 */
import { GatewayError } from '../../../core/errors.ts';
import { isAustrianInsurance, isBrazilianCpf, isCardNumber, isChileanRut, isUsSecurityNumber } from './check-digits.ts';
import { compilePatternTest, mostCaptures, type PatternTest } from './compile-pattern-test.ts';
import type { OperatorFactory, OperatorRun } from './operator.ts';

/** Matches of one text whose check digits are looked at. */
const mostConfirmations = 1_000;

/** An empty pattern matches every text. */
export const rx: OperatorFactory = (argument, _definition, { automata }) => {
  const pattern = compilePatternTest(argument, automata);
  return {
    need: pattern.need,
    test: (text, run) => {
      if (!pattern.test(text)) return false;
      if (run.captures) run.captured = pattern.capture(text.value);
      return true;
    },
  };
};

/** Captures the groups of match after match, until there are ten. */
export const rxGlobal: OperatorFactory = (argument, _definition, { automata }) => {
  const pattern = compilePatternTest(argument, automata);
  return {
    need: pattern.need,
    test: (text, run) => {
      if (!pattern.test(text)) return false;
      if (run.captures) run.captured = everyGroup(pattern, text.value);
      return true;
    },
  };
};

function everyGroup(pattern: PatternTest, text: string): readonly string[] {
  const groups: string[] = [];
  for (const match of text.matchAll(pattern.everyMatch())) {
    for (const group of match) groups.push(group ?? '');
    if (groups.length >= mostCaptures) break;
  }
  return groups.slice(0, mostCaptures);
}

export const verifyCard = confirmed(isCardNumber);
export const verifyCpf = confirmed(isBrazilianCpf);
export const verifySsn = confirmed(isUsSecurityNumber);
export const verifySvnr = confirmed(isAustrianInsurance);

const nationalNumbers: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['cl', isChileanRut],
  ['us', isUsSecurityNumber],
]);

/** `cl PATTERN`, `us PATTERN`. */
export const validateNid: OperatorFactory = (argument, definition, dependencies) => {
  const blank = argument.search(/[ \t]/);
  const country = blank === -1 ? argument : argument.slice(0, blank);
  const check = nationalNumbers.get(country);
  if (check === undefined || blank === -1) {
    throw new GatewayError('RULES_INVALID', `@validateNid knows no country ${JSON.stringify(country.slice(0, 20))}`, {
      remedy: 'Write cl or us, a blank and a pattern.',
    });
  }
  return confirmed(check)(argument.slice(blank).trim(), definition, dependencies);
};

/** True for a match of the pattern, at any place, that `check` confirms. The match is TX.0. */
function confirmed(check: (match: string) => boolean): OperatorFactory {
  return (argument, _definition, { automata }) => {
    const pattern = compilePatternTest(argument, automata);
    const regexp = pattern.everyMatch();
    const find = (text: string): string | null => {
      regexp.lastIndex = 0;
      for (let looks = 0; looks < mostConfirmations; looks++) {
        const match = regexp.exec(text);
        if (match === null) return null;
        if (check(match[0])) return match[0];
        regexp.lastIndex = match.index + 1;
      }
      return null;
    };
    return {
      need: pattern.need,
      test: (text, run: OperatorRun) => {
        const match = find(text.value);
        if (match !== null && run.captures) run.captured = [match];
        return match !== null;
      },
    };
  };
}
