/**
 * Texts that are hard on a pattern: every loop of it is gone round very often, behind what leads to the loop and before what
 * makes the whole fail. What the rules are shown in the test of pumped inputs.
 */
import { parsePattern } from '../../detectors/regex/parse-pattern.ts';
import type { CharSet } from '../../detectors/regex/char-set.ts';
import type { PatternNode } from '../../detectors/regex/syntax.ts';
import type { Fraction } from './seeded.ts';

/** A text of any length: `head`, then `unit` again and again, then `tail`. */
export interface Pump {
  readonly name: string;
  readonly head: string;
  readonly unit: string;
  readonly tail: string;
}

/** Loops that go round at least so often, or without a limit, are pumped. */
const longLoop = 16;

/** Cut or filled to that many characters. */
export function pumped({ head, unit, tail }: Pump, length: number): string {
  const room = Math.max(0, length - head.length - tail.length);
  return `${head}${unit.repeat(Math.ceil(room / unit.length)).slice(0, room)}${tail}`;
}

/** What is hard on many patterns alike. */
export function genericPumps(): readonly Pump[] {
  const units = [
    '\n',
    '\r\n',
    ' ',
    '\t',
    '<',
    '"',
    "'",
    '`',
    '\\',
    '(',
    '((',
    '()',
    '{',
    '[',
    ',',
    ';',
    '/',
    '../',
    '-',
    '--',
  ];
  const more = [
    'a',
    'a=',
    'a=1&',
    '=',
    '%',
    '%41',
    '&#',
    '+',
    '$',
    '${',
    '${a',
    '/*',
    '*/',
    '#',
    '|',
    '\0',
    '\xa0',
    '\xff',
    'é',
  ];
  const words = [
    'select ',
    'or 1=1 ',
    '<a ',
    '<a href=',
    'x=" ',
    "'||'",
    'cat /etc/',
    'on=',
    '@',
    'A1',
    '0x',
    'union all ',
    '<!--',
    '&amp;',
  ];
  return [...units, ...more, ...words].flatMap((unit) => [
    { name: `filler ${JSON.stringify(unit)}`, head: '', unit, tail: '' },
    { name: `filler ${JSON.stringify(unit)} before a`, head: '', unit, tail: 'a' },
  ]);
}

/**
 * The loops of a pattern of bytes. Rules whose literals are missing are not even tried, so that each loop also comes with a text
 * behind it that holds them.
 */
export function pumpsOf(source: string, random: Fraction): readonly Pump[] {
  const { root } = parsePattern(source, { subject: 'bytes', dotAll: true, groups: 'none' });
  const whole = exampleOf(root, random);
  const found: Pump[] = [];
  visit(root, '', (head, body) => {
    const unit = exampleOf(body, random);
    if (unit === '') return;
    const name = JSON.stringify(`${head}(${unit})*`);
    for (const tail of ['', '!', `\x01${whole}`, `!${whole.slice(1)}`]) found.push({ name, head, unit, tail });
    found.push({ name, head: `${whole.slice(0, -1)}\x01${head}`, unit, tail: '!' });
  });
  return found;

  function visit(node: PatternNode, before: string, pump: (head: string, body: PatternNode) => void): void {
    switch (node.kind) {
      case 'empty':
      case 'char':
      case 'position':
        return;
      case 'capture':
        visit(node.body, before, pump);
        return;
      case 'sequence': {
        let head = before;
        for (const part of node.parts) {
          visit(part, head, pump);
          head += exampleOf(part, random);
        }
        return;
      }
      case 'choice':
        for (const branch of node.branches) visit(branch, before, pump);
        return;
      case 'repeat':
        if (node.max >= longLoop) pump(before, node.body);
        visit(node.body, before, pump);
        return;
      default:
        node satisfies never;
    }
  }
}

/** A text that the node matches, assertions aside. */
export function exampleOf(node: PatternNode, random: Fraction): string {
  switch (node.kind) {
    case 'empty':
    case 'position':
      return '';
    case 'char':
      return characterOf(node.set, random);
    case 'capture':
      return exampleOf(node.body, random);
    case 'sequence':
      return node.parts.map((part) => exampleOf(part, random)).join('');
    case 'choice':
      return exampleOf(node.branches[Math.floor(random() * node.branches.length)] ?? { kind: 'empty' }, random);
    case 'repeat':
      return Array.from({ length: Math.min(node.min, 64) }, () => exampleOf(node.body, random)).join('');
    default:
      return node satisfies never;
  }
}

/** Mostly what people would write: a letter or a space, if the set has them. */
function characterOf(set: CharSet, random: Fraction): string {
  const has = (code: number): boolean =>
    set.some((low, at) => at % 2 === 0 && code >= low && code <= (set[at + 1] ?? low));
  const usual = [0x61, 0x20, 0x0a, 0x31, 0x41].filter(has);
  const choice = random();
  if (choice < 0.7 && usual.length > 0)
    return String.fromCharCode(usual[Math.floor((choice / 0.7) * usual.length)] ?? 0x61);
  const range = 2 * Math.floor(random() * (set.length / 2));
  const low = set[range] ?? 0x61;
  const high = Math.min(set[range + 1] ?? low, 0xff);
  return String.fromCharCode(low + Math.floor(random() * (high - low + 1)));
}
