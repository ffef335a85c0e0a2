/**
 * `@pm` and `@pmFromFile`: any of many phrases, in either case. The search index finds them in its one pass; only phrases of
 * a single character, which it does not look for, are looked for here. TX.0 is the phrase as it stands in the text.
 */
import { GatewayError } from '../../../core/errors.ts';
import { LiteralSet } from '../../regex/literal-set.ts';
import { trimBlanks } from '../seclang/ascii.ts';
import type { OperatorFactory, OperatorPlan } from './operator.ts';
import { needOfPhrases, shortestLiteral } from './search-need.ts';

/** Phrases of one operator; the largest list of the Core Rule Set has about 1,500. */
const mostPhrases = 100_000;

export const pm: OperatorFactory = (argument) =>
  planOf(
    withoutHex(argument)
      .split(/[ \t\r\n\v\f]+/)
      .filter((phrase) => phrase !== ''),
    argument,
  );

/** One file, or several separated by blanks. */
export const pmFromFile: OperatorFactory = (argument, { folder }, { readData }) => {
  const whole = readData(argument, folder);
  if (whole !== null) return planOf(linesOf(whole), argument);
  const texts = argument.split(/[ \t]+/).map((name) => {
    const text = /[ \t]/.test(argument) ? readData(name, folder) : null;
    if (text === null) throw missingFile(name);
    return text;
  });
  return planOf(texts.flatMap(linesOf), argument);
};

export function missingFile(name: string): GatewayError {
  return new GatewayError('RULES_INVALID', `the data file ${name} is not there`, {
    remedy: 'Put it into the folder of the rule file.',
  });
}

/** Trimmed lines without comments. */
export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(trimBlanks)
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Between two bars stand bytes: `a|42 43|d`, as Snort writes them. */
function withoutHex(argument: string): string {
  return argument.replace(/\|([0-9A-Fa-f]{2}(?: ?[0-9A-Fa-f]{2})*)\|/g, (_, bytes: string) =>
    Buffer.from(bytes.replaceAll(' ', ''), 'hex').toString('latin1'),
  );
}

function planOf(phrases: readonly string[], argument: string): OperatorPlan {
  if (phrases.length > mostPhrases) {
    throw new GatewayError('RULES_INVALID', `${argument.slice(0, 60)} has more than ${mostPhrases} phrases`);
  }
  const need = needOfPhrases(phrases);
  if (phrases.every((phrase) => phrase.length >= shortestLiteral)) {
    return {
      need,
      exact: true,
      test: (text, run, number) => {
        if (run.captures) run.captured = [text.index.findPhrase(text.value, number) ?? ''];
        return true;
      },
    };
  }
  const words = new LiteralSet(phrases, { caseInsensitive: true });
  return {
    need,
    test: (text, run) => {
      const word = words.find(text.value);
      if (word === -1) return false;
      if (run.captures) run.captured = [phrases[word] ?? ''];
      return true;
    },
  };
}
