/** Completion for bash 4 and later; it needs nothing of the bash-completion package. */
import { type CompletedOption, type CompletionTable, spellings } from './completion-table.ts';
import { quoted } from './shell-text.ts';

/** Stands for "a file"; no value of an option is called so. */
const fileMark = '@file';

export function bashCompletion({ verbs, known, next }: CompletionTable, program: string): string {
  const name = `_${program}`;
  const after = [...next].map(([before, words]): Answer => [before, words.map(({ word }) => word).join(' ')]);
  const options = verbs.map((verb): Answer => [verb.words, verb.options.flatMap(spellings).join(' ')]);
  const valued = verbs.map((verb): Answer => {
    return [
      verb.words,
      verb.options
        .filter(({ takesValue }) => takesValue)
        .flatMap(spellings)
        .join(' '),
    ];
  });
  const values = verbs.flatMap((verb) =>
    verb.options.flatMap((option) =>
      spellings(option).map((spelled): Answer => [`${verb.words} ${spelled}`, valuesOf(option)]),
    ),
  );
  const positionals = verbs.map((verb): Answer => [verb.words, verb.takesFiles ? fileMark : verb.choices.join(' ')]);
  return [
    `# Completion of ${program} for bash. Load it with: source <(${program} completion bash)`,
    `${name}_known() {\n  case "$1" in\n    ${known.map(quoted).join('|')}) return 0 ;;\n  esac\n  return 1\n}`,
    table(`${name}_next`, after),
    table(`${name}_options`, options),
    table(`${name}_valued`, valued),
    table(`${name}_values`, values),
    table(`${name}_positionals`, positionals),
    main(name),
    `complete -F ${name} ${program}`,
    '',
  ].join('\n\n');
}

type Answer = readonly [question: string, answer: string];

/** A shell function that answers a question with words. Many verbs have the same answer: one branch for each. */
function table(name: string, answers: readonly Answer[]): string {
  const byAnswer = new Map<string, string[]>();
  for (const [question, answer] of answers) {
    if (answer !== '') byAnswer.set(answer, [...(byAnswer.get(answer) ?? []), quoted(question)]);
  }
  const branches = [...byAnswer].map(([answer, questions]) => `    ${questions.join('|')}) echo ${quoted(answer)} ;;`);
  return `${name}() {\n  case "$1" in\n${branches.join('\n')}\n  esac\n}`;
}

function valuesOf({ choices, isFile }: CompletedOption): string {
  return isFile ? fileMark : choices.join(' ');
}

/** Walks along the line to find the verb, then offers what may stand at the cursor. For bash `--option=value` is three words. */
function main(name: string): string {
  return `${name}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" verb='' token offered index skip=0
  if [[ $word == '=' ]]; then
    word=''
  elif [[ $previous == '=' ]]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    token="\${COMP_WORDS[index]}"
    if ((skip)); then
      skip=0
    elif [[ $token == '=' ]]; then
      skip=1
    elif [[ $token == -* ]]; then
      if [[ " $(${name}_valued "$verb") " == *" $token "* && \${COMP_WORDS[index + 1]} != '=' ]]; then skip=1; fi
    elif ${name}_known "\${verb:+$verb }$token"; then
      verb="\${verb:+$verb }$token"
    fi
  done
  COMPREPLY=()
  if [[ $previous == -* && " $(${name}_valued "$verb") " == *" $previous "* ]]; then
    offered="$(${name}_values "$verb $previous")"
  elif [[ $word == -* ]]; then
    offered="$(${name}_options "$verb")"
  else
    offered="$(${name}_next "$verb") $(${name}_positionals "$verb")"
  fi
  if [[ $offered == *'${fileMark}'* ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$word")
  fi
}`;
}
