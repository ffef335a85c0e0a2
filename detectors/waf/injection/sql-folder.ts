/**
 * Reduces the tokens of a value to at most five that say what it does to a query: arithmetic, lists, signs, doubled
 * brackets and comments change nothing of that and are folded away, `1 + 2 * (3)` to `1`, `a AND b AND c` to `a AND c`.
 *
 * The reduction reads one token at a time and looks at the two, then the three tokens at a place that moves on when no
 * rule holds and back when one did, so that every token is looked at a bounded number of times.
 */
import type { SqlKind, SqlToken } from './sql-token.ts';
import type { SqlTokenizer } from './sql-tokenizer.ts';
import type { SqlWords } from './sql-words.ts';

/** Tokens that are kept. */
export const foldedLength = 5;

const unaryOperators: ReadonlySet<string> = new Set(['+', '-', '!', '!!', '~', 'NOT']);
const arithmeticOperators: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '^']);
/** Kinds as the letters of a text, where `includes` is quicker than a set's `has`. */
const valueKinds = '1nsv';
const typedKinds = '1nsvft(';
const expressionKinds = 'EBk';
/** Kinds of which two say no more than one. */
const doubledKinds = 's;()';

function isUnary(token: SqlToken): boolean {
  return token.kind === 'o' && unaryOperators.has(token.word);
}

/** A backquote that nothing follows cuts off the rest of a query in MySQL as a comment does. */
function isOpenBackquote(token: SqlToken, index: number): boolean {
  return index > 1 && token.kind === 'n' && token.open === '`' && token.isEmpty && token.close === '';
}

/** The tokens that are left of what `tokenizer` reads. */
export function foldTokens(tokenizer: SqlTokenizer, words: SqlWords): SqlToken[] {
  return new Folding(tokenizer, words).run();
}

class Folding {
  readonly #tokenizer: SqlTokenizer;
  readonly #words: SqlWords;
  readonly #tokens: SqlToken[] = [];
  /** The place that is looked at. */
  #at = 0;
  #ended = false;
  /** The comment that ended what was read so far. */
  #comment: SqlToken | null = null;

  constructor(tokenizer: SqlTokenizer, words: SqlWords) {
    this.#tokenizer = tokenizer;
    this.#words = words;
  }

  run(): SqlToken[] {
    const tokens = this.#tokens;
    this.#skipOpening();
    for (;;) {
      if (this.#dropSecondOperand()) continue;
      if (this.#at >= foldedLength || !this.#fill(2)) break;
      if (this.#foldPair()) continue;
      if (this.#fill(3)) {
        if (!this.#foldTriple()) this.#at++;
      } else if (!this.#dropSecondOperand()) break;
    }
    if (tokens.length > foldedLength) tokens.length = foldedLength;
    else if (tokens.length < foldedLength && this.#comment !== null) tokens.push(this.#comment);
    return tokens;
  }

  /** What may stand before any expression says nothing: comments, brackets, types, signs. */
  #skipOpening(): void {
    const tokens = this.#tokens;
    while (this.#read()) {
      const first = tokens[0] as SqlToken;
      if (first.kind !== '(' && first.kind !== 't' && !isUnary(first)) return;
      tokens.pop();
    }
  }

  #read(): boolean {
    for (;;) {
      const token = this.#tokenizer.next();
      if (token === null) {
        this.#ended = true;
        return false;
      }
      if (token.kind !== 'c' && !isOpenBackquote(token, this.#tokens.length)) {
        this.#comment = null;
        this.#tokens.push(token);
        return true;
      }
      this.#comment = token.kind === 'c' ? token : token.as('c');
    }
  }

  /** Reads until there are `count` tokens from the place on; false when there are not so many. */
  #fill(count: number): boolean {
    while (!this.#ended && this.#tokens.length - this.#at < count && this.#tokens.length <= foldedLength) this.#read();
    return this.#tokens.length - this.#at >= count;
  }

  #token(offset: number): SqlToken {
    return this.#tokens[this.#at + offset] as SqlToken;
  }

  /** Removes `count` tokens and looks at the same place again, or `back` places before it. */
  #drop(offset: number, count: number, back = 0): true {
    const tokens = this.#tokens;
    // At most six tokens: moving them is quicker than `splice`, which makes an array of what it takes.
    for (let to = this.#at + offset; to + count < tokens.length; to++) tokens[to] = tokens[to + count] as SqlToken;
    tokens.length -= count;
    this.#at = Math.max(0, this.#at - back);
    return true;
  }

  #change(offset: number, kind: SqlKind): true {
    this.#tokens[this.#at + offset] = this.#token(offset).as(kind);
    return true;
  }

  #foldPair(): boolean {
    const first = this.#token(0);
    const second = this.#token(1);
    if (second.kind === '}' || (first.kind === second.kind && doubledKinds.includes(second.kind)))
      return this.#drop(1, 1);
    if (first.kind === '(' && isUnary(second)) return this.#drop(1, 1, 1);
    if ((first.kind === 'o' || first.kind === '&') && (second.kind === 't' || isUnary(second))) {
      if (this.#words.phraseKind(first.word, second.word) === undefined) return this.#drop(1, 1, 1);
    }
    return this.#foldWords(first, second) || this.#foldSpecial(first, second);
  }

  #foldWords(first: SqlToken, second: SqlToken): boolean {
    if (first.kind === ';' && second.kind === 'f' && /^IF(?: NOT)?$/.test(second.word)) return this.#change(1, 'T');
    if (first.word === '') return false;
    if (second.word !== '') {
      const kind = this.#words.phraseKind(first.word, second.word);
      if (kind !== undefined) {
        this.#tokens[this.#at] = first.joined(second, kind);
        return this.#drop(1, 1, 1);
      }
    }
    if (first.kind === 'k' && (first.word === 'IN' || first.word === 'NOT IN')) {
      return this.#change(0, second.kind === '(' ? 'o' : 'n');
    }
    if (first.kind === 'o' && second.kind === '(' && (first.word === 'LIKE' || first.word === 'NOT LIKE')) {
      return this.#change(0, 'f');
    }
    if (first.kind === 't' && typedKinds.includes(second.kind)) return this.#drop(0, 1, 1);
    return false;
  }

  #foldSpecial(first: SqlToken, second: SqlToken): boolean {
    if (first.kind === 'A' && second.kind === 'n' && second.value.includes('_')) return this.#change(1, 't');
    if (first.kind === '\\') {
      return second.kind === 'o' && arithmeticOperators.has(second.word) ? this.#change(0, '1') : this.#drop(0, 1);
    }
    if (first.kind !== '{' || second.kind !== 'n') return false;
    if (second.value.replaceAll('`', '').startsWith('.') || second.value === '') return this.#condemn();
    return this.#drop(0, 2);
  }

  /** A name without a letter is what an attack on MySQL writes to get past a filter; nothing else matters then. */
  #condemn(): true {
    const empty = this.#token(1);
    this.#tokens.splice(this.#at + 1, this.#tokens.length, empty.as('X'));
    this.#ended = true;
    this.#at = foldedLength;
    return true;
  }

  #foldTriple(): boolean {
    const first = this.#token(0);
    const second = this.#token(1);
    const third = this.#token(2);
    switch (second.kind) {
      case 'o':
        return this.#foldOperator(first, second, third);
      case '&':
        return first.kind === '&' && third.kind === '&' ? this.#drop(1, 2) : false;
      case ',':
        return valueKinds.includes(first.kind) && valueKinds.includes(third.kind) ? this.#drop(1, 2) : false;
      case '.':
        if (third.kind !== 'n') return false;
        if (first.kind === 'n') return this.#drop(1, 2);
        return first.kind === 'E' ? this.#drop(1, 1) : false;
      case '(':
        return third.kind === ')' && (first.kind === 'n' || first.kind === 'v') && this.#words.isCallable(first.word)
          ? this.#change(0, 'f')
          : this.#foldChain(first, second, third);
      default:
        return this.#foldChain(first, second, third);
    }
  }

  /** `a ? b ? c` where both signs are operators, or both are logical: the middle says nothing. */
  #foldChain(first: SqlToken, second: SqlToken, third: SqlToken): boolean {
    if (first.kind === 'o') return third.kind === 'o' && second.kind !== '(' ? this.#drop(1, 2) : false;
    return first.kind === '&' && third.kind === '&' ? this.#drop(1, 2) : false;
  }

  #foldOperator(first: SqlToken, second: SqlToken, third: SqlToken): boolean {
    if (third.kind === 't' && second.word === '::' && valueKinds.includes(first.kind)) return this.#drop(1, 2);
    const isBare = third.kind === '1' || third.kind === 'n';
    if (first.kind === '1' || first.kind === 'n') return isBare && this.#drop(1, 2);
    if (first.kind === 'v') return (isBare || third.kind === 'v') && this.#drop(1, 2);
    if (first.kind === 'o') return third.kind === 'o' && this.#drop(1, 2);
    if (first.kind === ',') return this.#foldListSign(second, third);
    if (!expressionKinds.includes(first.kind) || !isUnary(second)) return false;
    const bracket = third.kind === '(' && first.kind !== 'k';
    return bracket || valueKinds.includes(third.kind) || third.kind === 'f' ? this.#drop(1, 1) : false;
  }

  /** `, -1`: without the sign the list may fold from its start. */
  #foldListSign(second: SqlToken, third: SqlToken): boolean {
    if (!isUnary(second)) return false;
    if (valueKinds.includes(third.kind)) return this.#drop(1, 1, this.#at);
    return third.kind === '(' || third.kind === 'f' ? this.#drop(1, 1) : false;
  }

  /** Five tokens that are one value after all, `1 + (2)` and `(1), (2)`: the first stands for them. */
  #dropSecondOperand(): boolean {
    if (this.#tokens.length < foldedLength) return false;
    const [first, second, third, fourth, fifth] = this.#tokens as [SqlToken, SqlToken, SqlToken, SqlToken, SqlToken];
    const kinds = first.kind + second.kind + third.kind + fourth.kind + fifth.kind;
    if (!/^(?:1[o,]\(1\)|no\([n1]\)|1\),\(1|n\)o\(n)$/.test(kinds)) return false;
    this.#tokens.splice(1, 4);
    this.#at = 0;
    return true;
  }
}
