import * as fc from 'fast-check';
import t from 'tap';
import { parse, stringify } from 'yaml';
import type { ConfigNode } from '../../config/config-node.ts';
import { readYaml } from '../../config/yaml-layer.ts';

function plain(node: ConfigNode | null): unknown {
  if (node === null) return null;
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries(Array.from(node.entries, ([key, child]) => [key, plain(child)]));
}

const messages = (text: string): string[] =>
  readYaml(text, 'f.yaml').faults.map(({ line, column, path, message }) => `${line}:${column} ${path} ${message}`);

t.test('what YAML says is what is read', async (t) => {
  const value = fc.jsonValue({ maxDepth: 3, noUnicodeString: false });
  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 8 }), value, { maxKeys: 5 }), (document) => {
      const text = stringify(document);
      const { root, faults } = readYaml(text, 'f.yaml');
      if (faults.length > 0) throw new Error(faults[0]?.message);
      t.same(plain(root), parse(text));
    }),
    { seed: 1, numRuns: 200 },
  );
});

t.test('places of keys and values count from 1', async (t) => {
  const { root } = readYaml('a: 1\nb:\n  - x\n  - {c: yes}\n', 'f.yaml');
  const list = root?.kind === 'map' ? root.entries.get('b') : undefined;
  t.match(list?.keyPlace, { source: 'f.yaml', line: 2, column: 1 });
  const entry = list?.kind === 'list' ? list.items[1] : undefined;
  t.match(entry?.place, { line: 4, column: 5 });
  const value = entry?.kind === 'map' ? entry.entries.get('c') : undefined;
  t.match(value, { place: { line: 4, column: 9 }, keyPlace: { line: 4, column: 6 }, value: 'yes' });
});

t.test('numbers and truth values keep the text they were written as', async (t) => {
  const { root } = readYaml('a: 0x10\nb: 1.50\nc: True\n', 'f.yaml');
  const texts =
    root?.kind === 'map' ? Array.from(root.entries.values(), (node) => node.kind === 'scalar' && node.text) : [];
  t.same(texts, ['0x10', '1.50', 'True']);
});

t.test('an empty document is nothing', async (t) => {
  for (const text of ['', '\n', '# only a comment\n', '---\n', 'null', '\uFEFF']) {
    t.same(readYaml(text, 'f.yaml'), { root: null, faults: [], soundUntil: Infinity }, JSON.stringify(text));
  }
});

t.test('syntax errors are all reported, in plain words, with their place', async (t) => {
  t.match(messages('a: [1, 2\nb: 1\n'), [/^\d+:\d+ {2}not valid YAML: /]);
  t.match(messages('a:\n\tb: 1\n')[0], /^2:1 {2}a tab in the indentation/);
  t.match(messages('a: 1\n---\nb: 2\n'), [/2:\d+ {2}a second document/]);
  t.match(messages('a: "x\n'), [/missing closing/]);
  t.match(messages('a: *nowhere\n'), [/1:4 a \*nowhere refers to an anchor/]);
  t.match(messages('a: !weird 1\n'), [/unresolved tag/]);
  t.ok(messages('a: @x\nb: `y\nc: %z\n').length >= 2, 'more than the first');
});

t.test('repeated keys are mistakes that name the first line', async (t) => {
  t.same(messages('a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n'), [
    '5:3 b.c set twice: the first one is on line 3',
    '6:1 a set twice: the first one is on line 1',
  ]);
  t.same(messages('1: a\n"1": b\n'), ['2:1 1 set twice: the first one is on line 1'], 'however they are spelt');
  t.same(messages('? [a]\n: 1\n'), ['1:3  a key must be a plain word']);
});

t.test('aliases are followed', async (t) => {
  t.same(plain(readYaml('a: &x {b: [1, 2]}\nc: *x\n', 'f.yaml').root), { a: { b: [1, 2] }, c: { b: [1, 2] } });
});

t.test('what would grow without end is refused quickly', async (t) => {
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let index = 1; index < 12; index++) {
    bomb.push(`a${index}: &a${index} [${Array.from({ length: 10 }, () => `*a${index - 1}`).join(', ')}]`);
  }
  const hostile: [name: string, text: string, message: RegExp][] = [
    ['alias bomb', bomb.join('\n'), /more than 20000 values|more than 32 levels/],
    ['alias of itself', 'a: &a [*a]\n', /more than 32 levels/],
    ['deep flow', `a: ${'['.repeat(50_000)}`, /nested|not valid YAML/],
    ['deep and closed', `a: ${'['.repeat(200)}${']'.repeat(200)}`, /more than 32 levels/],
    ['many keys', Array.from({ length: 30_000 }, (_, index) => `k${index}: 1`).join('\n'), /more than 20000 values/],
    ['long', `a: ${'x'.repeat(1024 * 1024)}`, /larger than/],
  ];
  for (const [name, text, message] of hostile) {
    const faults = messages(text);
    t.match(faults.join('\n'), message, name);
    t.ok(faults.length <= 21, `${name}: ${faults.length} faults`);
  }
});

t.test('no text raises', async (t) => {
  const yamlish = fc.string({ unit: fc.constantFrom(...'ab:- \n\t[]{}&*!|>"\'#%@`?,0~<'.split('')), maxLength: 60 });
  fc.assert(
    fc.property(yamlish, (text) => {
      readYaml(text, 'f.yaml');
    }),
    { seed: 2, numRuns: 3000 },
  );
  t.pass('3000 texts');
});
