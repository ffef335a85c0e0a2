/** Whether a response is what a template looks for. Specification: nuclei's documentation, "Matchers". */
import { compilePattern } from '../../regex/compile-pattern.ts';
import { type DslScope, evaluateDsl } from './dsl-evaluate.ts';
import { parseDsl } from './dsl-syntax.ts';
import { type DslValue, isTrue, textOf } from './dsl-value.ts';
import { expandText } from './expand-text.ts';
import type { Matcher, RequestBlock } from './template-document.ts';

/** What matchers read of one response; texts are bytes. */
export interface ResponseParts {
  readonly status: number;
  readonly protocol: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly durationSeconds: number;
  /** The request as it was sent. */
  readonly request: string;
}

/** Names of one response for expressions; with `number`, also `status_code_1` and so on. */
export function responseNames(parts: ResponseParts, number: number): ReadonlyMap<string, DslValue> {
  const { status, protocol, headers, body, durationSeconds, request } = parts;
  const header = headerText(headers);
  const raw = `${protocol} ${status}\r\n${header}\r\n${body}`;
  const length = headerValue(headers, 'content-length');
  const plain: [string, DslValue][] = [
    ['status_code', status],
    ['body', body],
    ['header', header],
    ['all_headers', header],
    ['raw', raw],
    ['all', raw],
    ['response', raw],
    ['request', request],
    ['content_length', length === '' ? body.length : Number(length)],
    ['duration', durationSeconds],
  ];
  for (let index = 0; index < headers.length; index += 2) {
    const name = (headers[index] ?? '').trim().toLowerCase().replaceAll('-', '_');
    if (name !== 'content_length') plain.push([name, headers[index + 1] ?? '']);
  }
  return new Map(plain.flatMap(([name, value]) => [[name, value] as const, [`${name}_${number}`, value] as const]));
}

/** The result of a block's matchers, those marked `internal` left out. False when there are none. */
export function isMatched(block: RequestBlock, scope: DslScope): boolean {
  const results = block.matchers.filter(({ internal }) => !internal);
  if (results.length === 0) return false;
  // With `and`, matchers that serve later requests only must hold too.
  if (block.matchersCondition === 'and') return block.matchers.every((matcher) => holds(matcher, scope));
  return results.some((matcher) => holds(matcher, scope));
}

function holds(matcher: Matcher, scope: DslScope): boolean {
  return found(matcher, scope) !== matcher.negative;
}

function found(matcher: Matcher, scope: DslScope): boolean {
  const status = Number(scope.names.get('status_code'));
  const part = partOf(matcher.part, scope);
  const every = matcher.condition === 'and';
  const combined = <One>(all: readonly One[], test: (one: One) => boolean): boolean =>
    all.length > 0 && (every ? all.every(test) : all.some(test));
  switch (matcher.type) {
    // A response has one status: `and` over several would never hold, and upstream does not ask for it.
    case 'status':
      return matcher.statuses.includes(status);
    case 'size':
      return matcher.sizes.includes(part.length);
    case 'word':
    case 'binary':
      return combined(matcher.texts, (word) => contains(part, expandText(word, scope), matcher.caseInsensitive));
    case 'regex':
      return combined(matcher.texts, (source) => matchesPattern(part, source));
    case 'dsl':
      return combined(matcher.texts, (source) => isTrueIn(source, scope));
    default:
      return matcher.type satisfies never;
  }
}

function contains(part: string, word: string, caseInsensitive: boolean): boolean {
  return caseInsensitive ? part.toLowerCase().includes(word.toLowerCase()) : part.includes(word);
}

function matchesPattern(part: string, source: string): boolean {
  return compilePattern(source, { subject: 'bytes' }).test(part);
}

/** An expression that cannot be evaluated, because a response is not there yet say, does not hold. */
function isTrueIn(source: string, scope: DslScope): boolean {
  try {
    return isTrue(evaluateDsl(parseDsl(expandText(source, scope)), scope));
  } catch {
    return false;
  }
}

/** `body`, `header`, `all`, `body_2`, the name of a header. */
export function partOf(part: string, { names }: DslScope): string {
  return textOf(names.get(part) ?? names.get(part.toLowerCase().replaceAll('-', '_')));
}

function headerText(headers: readonly string[]): string {
  let text = '';
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return text;
}

export function headerValue(headers: readonly string[], name: string): string {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return headers[index + 1] ?? '';
  }
  return '';
}
