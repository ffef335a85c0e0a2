/**
 * Texts that people and programs send in all honesty, made from words and patterns: searches, names, addresses, sentences,
 * prices, code in forum posts, JSON, tokens. What they fold to is never learned as an attack, and tests count how many of
 * them a detector takes for one.
 */

const names = [
  "O'Brien",
  "D'Angelo",
  'Anne-Marie',
  'Müller',
  'van der Berg',
  "N'Diaye",
  'José',
  'Smith & Sons',
  "O'Neil-Case",
];
const nouns = [
  'table',
  'union',
  'key',
  'case',
  'order',
  'group',
  'user',
  'select',
  'index',
  'view',
  'set',
  'lamp',
  'drop',
  'left',
];
const adjectives = [
  'new',
  'unique',
  'natural',
  'left',
  'right',
  'distinct',
  'open',
  'like',
  'primary',
  'null',
  'true',
  'big',
];
const verbs = [
  'select',
  'update',
  'create',
  'drop',
  'insert',
  'like',
  'join',
  'order',
  'use',
  'open',
  'close',
  'print',
  'kill',
];
const joins = [
  'and',
  'or',
  'from',
  'where',
  'by',
  'with',
  'in',
  'not',
  'as',
  'into',
  'between',
  'on',
  'for',
  'is',
  'having',
];
const units = ['"', "'", ' cm', '%', ' inch', ' lbs', 'x', '°', ' EUR', '€', "'s"];

const sentences: readonly string[] = [
  'Please {verb} a {noun} {join} the {noun}; I will {verb} it later.',
  "I don't {verb} {noun}s {join} {noun}s, but it's {adjective}.",
  "The {adjective} {noun}'s {noun} {join} {number} {noun}s",
  '{noun} {join} {noun}',
  '{number} {join} {number}',
  '{number} {noun} {join} {number} {noun}',
  '{number}{unit} {noun}',
  '{number}{unit} x {number}{unit} {noun}',
  '"{adjective} {noun}" {join} "{noun}"',
  '"{noun}" {join} {noun}',
  '"{noun}" -{noun} -{noun}',
  "{noun}'s {join} {noun}'s",
  "'{noun}' {join} '{noun}'",
  '{noun} ({adjective} {noun})',
  '{noun} ({number} {noun}s)',
  '{verb} ({noun})',
  '{noun} - {noun} - {number}',
  '{noun}/{noun}/{number}?{noun}={number}&{noun}={noun}',
  'https://example.com/{noun}/{number}-{noun}.html?q={noun}+{noun}#{noun}',
  '{noun}@example.com',
  '{name}, {noun} {join} {noun}',
  '{name} {name}',
  '{name} {verb}s {number} {noun}s; {adjective} ones.',
  '{number} {noun} Street, Apt. #{number}',
  '+{number} ({number}) {number}-{number}',
  '{number}-{number}-{number}',
  '{number}/{number}/{number} {number}:{number}',
  '{"{noun}": "{adjective}", "{noun}": {number}, "{noun}": [{number}, {number}]}',
  '[{number},{number},{number}]',
  '{"id":{number},"name":"{name}","{noun}":null}',
  '{number},{number},{number}',
  '{noun},{noun},{noun}',
  '{noun}; {noun}; {number}',
  'if ({noun} == {number}) { {verb}({noun}); }',
  'for (let i = 0; i < {number}; i++) {noun}.{verb}(i);',
  'const {noun} = {number} * ({noun} + {number}); // {adjective}',
  '{noun}[{number}] = {noun}.{verb}("{noun}");',
  'How do I {verb} the {noun} {join} a {noun}? (see #{number})',
  'Is it < {number} or > {number}?',
  '{noun} {join} {noun} {join} {noun} {join} {noun}',
  '{adjective}, {adjective} {join} {adjective}!',
  'Union {verb}s {noun} committee {join} {noun}',
  'The {adjective} union {verb} a {noun}',
  '**{adjective}** {noun}: _{noun}_ -- {name}',
  '# {noun}\n\n- {noun} ({number})\n- {noun}\n\n{name} -- {number}',
  '{noun} -- {noun}',
  "rock 'n' roll {join} {noun}",
  "{name}'s {noun} #{number}",
  'a{number}b{number}-{number}c-{noun}',
  '{number}.{number}.{number}',
  'Mozilla/5.0 (X11; Linux x86_64; rv:{number}.0) Gecko/{number} Firefox/{number}.0',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.{number}',
  'GA1.{number}.{number}.{number}; {noun}={number}; {noun}="{noun}"',
  '<p>{name} {verb}s <b>{noun}</b> {join} <a href="/{noun}/{number}">{noun}</a></p>',
  '<img class="{noun}" src="/{noun}/{number}.png" alt="{noun} {noun}">',
  'blah <A HREF="/{noun}/{noun}">{noun}</A>',
  '{% ${noun}|{noun}:"%D" %} {noun}',
  '/{noun}/{noun}?{noun}=&q="{noun}+{noun}"&{noun}={noun}',
  '{number} X {number}" {noun} {join} {noun}',
  'x<{number} and y>{number}',
  '=SUM({number},{number})',
  '({noun}) {join} ({noun})',
  '({number}{unit}) {noun} {join} {noun}',
  '{verb} {number} {noun}s {join} {number}',
  '{verb} {noun} {join} {noun}',
  '{noun} {number}; {verb} {adjective} {noun}',
];

/** `count` texts, the same for the same `seed`. */
export function benignTexts(count: number, seed: number): string[] {
  let state = seed >>> 0;
  // Numerical Recipes' linear congruential generator: here it only has to be the same everywhere.
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * limit);
  };
  const pick = (list: readonly string[]): string => list[below(list.length)] ?? '';
  const lists: Readonly<Record<string, readonly string[]>> = {
    name: names,
    noun: nouns,
    adjective: adjectives,
    verb: verbs,
    join: joins,
    unit: units,
  };
  const fill = (word: string): string =>
    word === 'number' ? String(below(10 ** (1 + below(4)))) : pick(lists[word] ?? []);
  return Array.from({ length: count }, () => {
    const text = pick(sentences).replace(/\{([a-z]+)\}/g, (_, word: string) => fill(word));
    const shape = below(4);
    if (shape === 0) return text.toUpperCase();
    return shape === 1 ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  }).map((text) => Buffer.from(text, 'utf8').toString('latin1'));
}
