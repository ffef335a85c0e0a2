/** Completion for fish, with a description beside each word. */
import { type CompletedOption, type CompletedVerb, type CompletionTable, spellings } from './completion-table.ts';
import { fishQuoted } from './shell-text.ts';

export function fishCompletion({ verbs, known, next }: CompletionTable, program: string): string {
  const name = `__${program}`;
  const valued = [
    ...new Set(verbs.flatMap(({ options }) => options.filter(({ takesValue }) => takesValue).flatMap(spellings))),
  ];
  return [
    `# Completion of ${program} for fish. Load it with: ${program} completion fish | source`,
    main(name, known, valued),
    `complete -c ${program} -f`,
    ...[...next].flatMap(([before, words]) =>
      words.map(
        ({ word, summary }) =>
          `complete -c ${program} -n ${condition(name, before)} -a ${fishQuoted(word)} -d ${fishQuoted(summary)}`,
      ),
    ),
    ...verbs.flatMap((verb) => linesOf(verb, name, program)),
    '',
  ].join('\n');
}

function linesOf(verb: CompletedVerb, name: string, program: string): readonly string[] {
  const when = condition(name, verb.words);
  const start = `complete -c ${program} -n ${when}`;
  const positionals = verb.takesFiles
    ? [`${start} -F`]
    : verb.choices.length > 0
      ? [`${start} -a ${fishQuoted(verb.choices.join(' '))}`]
      : [];
  return [...positionals, ...verb.options.map((option) => `${start} ${optionText(option)}`)];
}

function optionText({ name, short, takesValue, choices, isFile, help }: CompletedOption): string {
  const parts = [`-l ${name.slice(2)}`];
  if (short !== null) parts.push(`-s ${short.slice(1)}`);
  // -x: the value is no file; -r: it may be one.
  if (takesValue) parts.push(isFile ? '-r -F' : '-x');
  if (choices.length > 0) parts.push(`-a ${fishQuoted(choices.join(' '))}`);
  return [...parts, `-d ${fishQuoted(help)}`].join(' ');
}

function condition(name: string, words: string): string {
  return fishQuoted(`${name}_at ${words === '' ? '""' : `"${words}"`}`);
}

/** Walks along the line to find the verb; options that take a value take it in every verb that has them, or nowhere. */
function main(name: string, known: readonly string[], valued: readonly string[]): string {
  return `function ${name}_at -a wanted
    set -l tokens (commandline -opc)
    set -l verb ''
    set -l skip 0
    for token in $tokens[2..-1]
        if test $skip = 1
            set skip 0
        else if string match -q -- '-*' $token
            if contains -- $token ${valued.map(fishQuoted).join(' ')}
                set skip 1
            end
        else if contains -- (string trim -- "$verb $token") ${known.map(fishQuoted).join(' ')}
            set verb (string trim -- "$verb $token")
        end
    end
    test "$verb" = "$wanted"
end
`;
}
