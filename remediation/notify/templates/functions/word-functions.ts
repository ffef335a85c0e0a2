/** Sprig's `snakecase` and `kebabcase`: words found by capitals, digits and separators, in lower case. */
import { define, type TemplateFunction } from '../values.ts';

export const wordFunctions: Readonly<Record<string, TemplateFunction>> = {
  snakecase: define(['text'], ([text]) => joinWords(text, '_')),
  kebabcase: define(['text'], ([text]) => joinWords(text, '-')),
};

type WordKind = 'upper' | 'letters' | 'number' | 'separator' | 'punctuation' | 'other';

interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

/** An upper-case run gives its last letter to the lower-case word that follows: `HTTPServer` is `HTTP`, `Server`. */
const words =
  /(?<separator>[-_\s]+)|(?<upper>\p{Lu}+(?=\p{Lu}[\p{Ll}\p{Lt}\p{Lm}\p{Lo}])|\p{Lu}{2,}|\p{Lu}[\p{Ll}\p{Lt}\p{Lm}\p{Lo}]*)|(?<letters>[\p{Ll}\p{Lt}\p{Lm}\p{Lo}]+)|(?<number>\p{N}+)|(?<punctuation>\p{P}+)|(?<other>[^]+?(?=[\p{L}\p{N}\p{P}\s_-]|$))/gu;

function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(words), (match) => {
    const [kind = 'other'] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    return { kind: kind as WordKind, text: match[0] };
  });
}

function joinWords(text: string, connector: string): string {
  const list = wordsOf(text);
  let out = '';
  let at = 0;
  const shown = ({ kind, text }: Word): string =>
    kind === 'separator' ? connector.repeat(text.length) : text.toLowerCase();
  const kindAt = (index: number): WordKind | null => list[index]?.kind ?? null;
  const breaks = (index: number): boolean => ![null, 'separator', 'punctuation'].includes(kindAt(index));
  while (at < list.length) {
    const word = list[at] as Word;
    out += shown(word);
    at++;
    switch (word.kind) {
      case 'number':
        // Lower-case letters after a number belong to it: `2xx`.
        while (kindAt(at) === 'letters' || kindAt(at) === 'number') out += shown(list[at++] as Word);
        if (breaks(at)) out += connector;
        break;
      case 'separator':
      case 'punctuation':
        break;
      default:
        if (kindAt(at) !== 'number') {
          if (breaks(at)) out += connector;
        } else if (kindAt(at + 1) === 'letters') out += connector;
        else {
          out += shown(list[at++] as Word);
          if (breaks(at)) out += connector;
        }
    }
  }
  return out;
}
