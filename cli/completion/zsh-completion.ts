/** Completion for zsh, with a description beside each word. */
import { type CompletedOption, type CompletedVerb, type CompletionTable, spellings } from './completion-table.ts';
import { described, quoted } from './shell-text.ts';

export function zshCompletion({ verbs, known, next }: CompletionTable, program: string): string {
  const name = `_${program}`;
  const after = [...next].map(([before, words]) =>
    describing(
      before,
      '-t commands verb',
      words.map(({ word, summary }) => described(word, summary)),
    ),
  );
  const options = verbs.map((verb) =>
    describing(
      verb.words,
      '-o -t options option',
      verb.options.flatMap((option) => spellings(option).map((spelled) => described(spelled, option.help))),
    ),
  );
  return [
    `#compdef ${program}`,
    `# Completion of ${program} for zsh: put it as _${program} into a folder of $fpath, or load it with: source <(${program} completion zsh)`,
    `${name}_known() {\n  case "$1" in\n    ${known.map(quoted).join('|')}) return 0 ;;\n  esac\n  return 1\n}`,
    `${name}_next() {\n  local -a offered\n  case "$1" in\n${after.join('\n')}\n  esac\n}`,
    `${name}_options() {\n  local -a offered\n  case "$1" in\n${options.join('\n')}\n  esac\n}`,
    `${name}_valued() {\n  case "$1" in\n${valuedBranches(verbs).join('\n')}\n  esac\n  return 1\n}`,
    `${name}_values() {\n  case "$1" in\n${valueBranches(verbs).join('\n')}\n  esac\n}`,
    `${name}_positionals() {\n  case "$1" in\n${positionalBranches(verbs).join('\n')}\n  esac\n}`,
    main(name),
    // Sourced, it registers itself; from $fpath, the file is the function.
    `if [[ $funcstack[1] == ${name} ]]; then\n  ${name} "$@"\nelse\n  compdef ${name} ${program}\nfi`,
    '',
  ].join('\n\n');
}

/** `_describe` wants the name of an array. */
function describing(question: string, how: string, words: readonly string[]): string {
  return `    ${quoted(question)}) offered=(${words.join(' ')}); _describe ${how} offered ;;`;
}

function valuedBranches(verbs: readonly CompletedVerb[]): readonly string[] {
  const questions = verbs.flatMap((verb) =>
    verb.options.filter(({ takesValue }) => takesValue).flatMap((option) => questionsOf(verb, option)),
  );
  return questions.length === 0 ? [] : [`    ${questions.join('|')}) return 0 ;;`];
}

function valueBranches(verbs: readonly CompletedVerb[]): readonly string[] {
  const byAnswer = new Map<string, string[]>();
  for (const verb of verbs) {
    for (const option of verb.options) {
      const answer = option.isFile ? '_files' : option.choices.length > 0 ? `compadd -- ${words(option.choices)}` : '';
      if (answer !== '') byAnswer.set(answer, [...(byAnswer.get(answer) ?? []), ...questionsOf(verb, option)]);
    }
  }
  return [...byAnswer].map(([answer, questions]) => `    ${questions.join('|')}) ${answer} ;;`);
}

function positionalBranches(verbs: readonly CompletedVerb[]): readonly string[] {
  return verbs.flatMap(({ words: verb, choices, takesFiles }) => {
    if (takesFiles) return [`    ${quoted(verb)}) _files ;;`];
    return choices.length > 0 ? [`    ${quoted(verb)}) compadd -- ${words(choices)} ;;`] : [];
  });
}

function questionsOf(verb: CompletedVerb, option: CompletedOption): readonly string[] {
  return spellings(option).map((spelled) => quoted(`${verb.words} ${spelled}`));
}

function words(choices: readonly string[]): string {
  return choices.map(quoted).join(' ');
}

/** Walks along the line to find the verb, then offers what may stand at the cursor. */
function main(name: string): string {
  return `${name}() {
  local verb='' token previous=\${words[CURRENT-1]} index skip=0
  if compset -P '--*='; then
    previous=\${words[CURRENT]%%=*}
  fi
  for ((index = 2; index < CURRENT; index++)); do
    token=\${words[index]}
    if ((skip)); then
      skip=0
    elif [[ $token == -* ]]; then
      if ${name}_valued "$verb $token"; then skip=1; fi
    elif ${name}_known "\${verb:+$verb }$token"; then
      verb="\${verb:+$verb }$token"
    fi
  done
  if [[ $previous == -* ]] && ${name}_valued "$verb $previous"; then
    ${name}_values "$verb $previous"
  elif [[ \${words[CURRENT]} == -* ]]; then
    ${name}_options "$verb"
  else
    ${name}_next "$verb"
    ${name}_positionals "$verb"
  fi
}`;
}
