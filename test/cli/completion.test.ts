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

t.test('zsh', { skip: findProgram('zsh') === null && 'zsh is not installed' }, async (t) => {
  const { path } = await scriptOf(t, 'zsh');
  execFileSync('zsh', ['-n', path]);
  // The functions of zsh's completion system, written so that they say what they were handed.
  const script = `compdef() { : }; compset() { return 1 }; _files() { : }
    _describe() { local -a given; given=("\${(@P)@[-1]}"); print -rl -- "\${(@)given%%:*}" }
    compadd() { shift; print -rl -- "$@" }
    source "$1"; shift; words=("$@"); CURRENT=$#words; _portcullis`;
  for (const [line, offered] of cases) {
    const text = execFileSync('zsh', ['-f', '-c', script, 'zsh', path, 'portcullis', ...line.split(' ')]);
    const found = text.toString().split('\n');
    // zsh itself leaves out what does not begin as the word under the cursor.
    for (const word of offered) t.ok(found.includes(word), `${line} → ${word}`);
  }
});

t.test('fish', { skip: findProgram('fish') === null && 'fish is not installed' }, async (t) => {
  const { path } = await scriptOf(t, 'fish');
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
});

t.test('a shell that is not known', async (t) => {
  t.match(await run(['completion', 'powershell']), { status: 64, stderr: /bash, zsh or fish/ });
  t.match(await run(['completion']), { status: 64, stderr: /no shell was named/ });
});
