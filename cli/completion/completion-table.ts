/** What shells complete, taken from the table of verbs: which words may follow which, and what each option takes. */
import { type Command, type CommandOption, type CommandOptions, commonOptions } from '../command.ts';

export interface CompletedOption {
  /** With its dashes. */
  readonly name: string;
  readonly short: string | null;
  readonly takesValue: boolean;
  /** Values to offer; none for those that nobody can know. */
  readonly choices: readonly string[];
  readonly isFile: boolean;
  readonly help: string;
}

export interface CompletedVerb {
  /** `decisions add`; "" stands for what may be said before any verb. Aliases have entries of their own. */
  readonly words: string;
  readonly options: readonly CompletedOption[];
  /** What may stand after the words, besides options. */
  readonly choices: readonly string[];
  /** What stands after the words are files. */
  readonly takesFiles: boolean;
}

export interface CompletedWord {
  readonly word: string;
  readonly summary: string;
}

export interface CompletionTable {
  readonly verbs: readonly CompletedVerb[];
  /** Beginnings of verbs: `waf`, `waf exceptions`, `decisions list`. */
  readonly known: readonly string[];
  /** By the words before: "" → `decisions`, `alerts`…; `decisions` → `list`, `add`…. */
  readonly next: ReadonlyMap<string, readonly CompletedWord[]>;
}

const files: ReadonlySet<string> = new Set(['<file>', '<folder>', '<path>']);

export function completionTable(commands: readonly Command[]): CompletionTable {
  const next = new Map<string, CompletedWord[]>();
  const known = new Set<string>();
  for (const { name, aliases = [], summary } of commands) {
    for (const words of [name, ...aliases]) {
      const parts = words.split(' ');
      for (const [index, word] of parts.entries()) {
        const before = parts.slice(0, index).join(' ');
        known.add(before === '' ? word : `${before} ${word}`);
        // Other spellings are understood once they are typed, and not offered beside the first.
        if (words !== name) continue;
        const offered = next.get(before) ?? [];
        const isWhole = index === parts.length - 1;
        if (!offered.some((one) => one.word === word))
          offered.push({ word, summary: isWhole ? summary : familySummary(parts.slice(0, index + 1), commands) });
        next.set(before, offered);
      }
    }
  }
  next.get('')?.push({ word: 'help', summary: 'help about any verb' });
  const verbs = commands.flatMap((command) =>
    [command.name, ...(command.aliases ?? [])].map((words) => verbOf(words, command)),
  );
  const before: CompletedVerb = { words: '', options: optionsOf({}), choices: [], takesFiles: false };
  return { verbs: [before, ...verbs], known: [...known], next };
}

/** The verbs of a family: `list, add, delete`. */
function familySummary(family: readonly string[], commands: readonly Command[]): string {
  const beginning = `${family.join(' ')} `;
  const members = commands.filter(({ name }) => name.startsWith(beginning));
  return [...new Set(members.map(({ name }) => name.slice(beginning.length).split(' ', 1)[0] ?? ''))].join(', ');
}

function verbOf(words: string, { options, positionals, usage }: Command): CompletedVerb {
  return {
    words,
    options: optionsOf(options),
    choices: positionals.choices ?? [],
    takesFiles: positionals.most > 0 && [...files].some((placeholder) => usage.includes(placeholder)),
  };
}

function optionsOf(options: CommandOptions): readonly CompletedOption[] {
  return Object.entries({ ...options, ...commonOptions }).map(([name, option]) => optionOf(name, option));
}

function optionOf(name: string, { type, short, placeholder = '', choices = [], help }: CommandOption): CompletedOption {
  return {
    name: `--${name}`,
    short: short === undefined ? null : `-${short}`,
    takesValue: type === 'string',
    choices,
    isFile: files.has(placeholder),
    help,
  };
}

/** Both spellings of an option. */
export function spellings({ name, short }: CompletedOption): readonly string[] {
  return short === null ? [name] : [name, short];
}
