import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import t from 'tap';
import { shellWord } from '../../../cli/waf/shell-word.ts';

t.test('a shell reads one word, and it is the one that was meant', async (t) => {
  const words = fc.array(
    fc.string({ unit: fc.constantFrom(...'ab/ $`\'"\\;&|<>()*?[]{}~#!=%\t-é'), minLength: 0, maxLength: 12 }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(words, (wanted) => {
      const line = wanted.map(shellWord).join(' ');
      const read = execFileSync('sh', ['-c', String.raw`printf '%s\0' ${line}`], { cwd: '/' }).toString('utf8');
      t.same(read.split('\0').slice(0, -1), wanted, line);
    }),
    { seed: 20_260_806, numRuns: 100 },
  );
});

t.test('plain words stay as they are', async (t) => {
  for (const word of ['/search', 'ARGS:q', '942100', 'shop.example', '/caf%C3%A9']) t.equal(shellWord(word), word);
  t.equal(shellWord(''), "''");
  t.equal(shellWord('/shop/*'), "'/shop/*'");
});
