/** The scripts are asked by the shells themselves; zsh and fish only where they are installed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { commonOptions } from '../../cli/command.ts';
import { commands } from '../../cli/commands.ts';
import { completionTable } from '../../cli/completion/completion-table.ts';
import { findProgram } from '../support/real-components.ts';
import { run } from './run.ts';

async function scriptOf(t: Test, shell: string): Promise<{ path: string; folder: string }> {
  const { status, stdout } = await run(['completion', shell]);
  t.equal(status, 0);
  const folder = mkdtempSync(join(tmpdir(), 'completion-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, `_portcullis`);
  writeFileSync(path, stdout);
  return { path, folder };
}

/** Line after line, the last word being the one under the cursor, and words that must be offered. */
const cases: readonly (readonly [line: string, offered: readonly string[], not: readonly string[]])[] = [
  ['dec', ['decisions'], ['alerts']],
  ['decisions ', ['list', 'add', 'delete'], ['suggest', 'decisions']],
  ['decisions add --du', ['--duration'], ['--ip']],
  ['waf exceptions ', ['suggest', 'add', 'list', 'remove'], ['install']],
  ['-o json alerts ', ['list', 'inspect'], ['json']],
  ['-o ', ['human', 'json', 'raw'], ['decisions']],
  ['decisions list -o j', ['json'], ['human']],
  ['decisions add -R delete --sc', ['--scope'], ['--scenario']],
  ['decisions remove --ori', ['--origin'], []],
  ['completion ', ['bash', 'zsh', 'fish'], ['list']],
  ['help ', ['decisions', 'serve'], ['--help']],
];

t.test('the table knows every verb, every option and every alias', async (t) => {
  const { verbs, known, next } = completionTable(commands);
  for (const { name, aliases = [], options } of commands) {
    for (const words of [name, ...aliases]) {
      const verb = verbs.find((one) => one.words === words);
      t.same(
        verb?.options.map((option) => option.name),
        Object.keys({ ...options, ...commonOptions }).map((option) => `--${option}`),
        words,
      );
      t.ok(known.includes(words), words);
    }
    const parts = name.split(' ');
    for (const [index, word] of parts.entries())
      t.ok(
        next.get(parts.slice(0, index).join(' '))?.some((one) => one.word === word),
        name,
      );
  }
});

t.test('bash', { skip: findProgram('bash') === null && 'bash is not installed' }, async (t) => {
  const { path, folder } = await scriptOf(t, 'bash');
  execFileSync('bash', ['-n', path]);
  const ask = (words: readonly string[], cwd = '/'): string[] => {
    const script =
      'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _portcullis; printf "%s\\n" "${COMPREPLY[@]}"';
    const text = execFileSync('bash', ['--norc', '-c', script, 'bash', path, 'portcullis', ...words], { cwd });
    return text.toString().split('\n').filter(Boolean);
  };
  for (const [line, offered, not] of cases) {
    const found = ask(line.split(' '));
    for (const word of offered) t.ok(found.includes(word), `${line} → ${word}`);
    for (const word of not) t.notOk(found.includes(word), `${line} → not ${word}`);
  }
  t.equal(cases.length, 11);
  t.same(ask(['alerts', 'list', '--output', '=', 'r']), ['raw'], 'bash takes --output=r apart');
  t.same(ask(['alerts', 'list', '--output', '=']), ['human', 'json', 'raw']);
  t.same(ask(['alerts', 'list', '--output', '=', 'raw', '--sce']), ['--scenario']);
  writeFileSync(join(folder, 'settings of mine.yaml'), '');
  t.same(ask(['serve', '--config', 'sett'], folder), ['settings of mine.yaml']);
  const complete = execFileSync('bash', ['--norc', '-c', 'source "$1"; complete -p portcullis', 'bash', path]);
  t.equal(complete.toString(), 'complete -F _portcullis portcullis\n');
});

/**
 * A zsh in a terminal of its own, which loads the script as `$2` says, is typed each line and the tab key, and tells what
 * its completion system takes of what it is offered. From the manual: zshcompwid(1), `compadd -A`; zshmodules(1), zpty.
 */
const typing = `zmodload zsh/zpty
  zpty shell zsh -f -i
  zpty -w shell "PROMPT=; autoload -U compinit; fpath=($1 \\$fpath); compinit -D -u; $2; source $1/hooks; print rea''dy"
  while zpty -r shell line; do [[ $line == *ready* ]] && break; done
  for asked in "\${@:3}"; do
    zpty -w -n shell $'\\C-u'"portcullis $asked"$'\\t'
    while zpty -r shell line; do print -r -- $line; [[ $line == *finished* ]] && break; done
  done
  zpty -d shell`;
const hooks = `answer() { zle complete-word; print finished }
  zle -N answer
  bindkey '^I' answer
  zstyle ':completion:*' insert-tab false
  compadd() {
    if [[ \${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then
      local -a taken; builtin compadd -A taken "$@"; print -rl -- "taken:"$^taken
    fi
    builtin compadd "$@"
  }`;

t.test('zsh', { skip: findProgram('zsh') === null && 'zsh is not installed' }, async (t) => {
  const { folder, path } = await scriptOf(t, 'zsh');
  execFileSync('zsh', ['-n', path]);
  writeFileSync(join(folder, 'hooks'), hooks);
  writeFileSync(join(folder, 'settings of mine.yaml'), '');
  const ask = (lines: readonly string[], load = ':'): string[][] => {
    const args = ['-f', '-c', typing, 'zsh', folder, load, ...lines];
    const text = execFileSync('zsh', args, { cwd: folder, timeout: 60_000, env: { ...process.env, TERM: 'dumb' } });
    const answers = text.toString().split('finished').slice(0, -1);
    return answers.map((answer) => [...answer.matchAll(/taken:([^\r\n]*)/g)].map(([, word = '']) => word));
  };
  const answers = ask(cases.map(([line]) => line));
  t.equal(answers.length, cases.length);
  for (const [index, [line, offered, not]] of cases.entries()) {
    const found = answers[index] ?? [];
    for (const word of offered) t.ok(found.includes(word), `${line} → ${word}`);
    for (const word of not) t.notOk(found.includes(word), `${line} → not ${word}`);
  }
  t.same(ask(['alerts list --output=r', 'serve --config sett', 'serve --config=sett']), [
    ['raw'],
    ['settings\\ of\\ mine.yaml'],
    ['settings\\ of\\ mine.yaml'],
  ]);
  t.same(ask(['decisions list --sce'], `source ${path}`), [['--scenario']], 'sourced, it registers itself');
});

t.test('fish', { skip: findProgram('fish') === null && 'fish is not installed' }, async (t) => {
  const { path, folder } = await scriptOf(t, 'fish');
  execFileSync('fish', ['--no-execute', path]);
  for (const [line, offered, not] of cases) {
    const text = execFileSync('fish', ['--no-config', '-c', `source ${path}; complete -C "portcullis ${line}"`]);
    const found = text
      .toString()
      .split('\n')
      .map((one) => one.split('\t', 1)[0] ?? '');
    for (const word of offered) t.ok(found.includes(word), `${line} → ${word}`);
    for (const word of not) t.notOk(found.includes(word), `${line} → not ${word}`);
  }
  writeFileSync(join(folder, 'settings of mine.yaml'), '');
  const ask = `source ${path}; complete -C "portcullis serve --config sett"`;
  const files = execFileSync('fish', ['--no-config', '-c', ask], { cwd: folder });
  t.equal(files.toString(), 'settings of mine.yaml\n');
});

t.test('a shell that is not known', async (t) => {
  t.match(await run(['completion', 'powershell']), { status: 64, stderr: /bash, zsh or fish/ });
  t.match(await run(['completion']), { status: 64, stderr: /no shell was named/ });
});
