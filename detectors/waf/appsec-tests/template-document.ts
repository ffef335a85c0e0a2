/**
 * Templates of nuclei, as far as they speak HTTP: requests, payloads, matchers. What would change the meaning of a test and is
 * not understood is refused; the rest of the many keys is ignored. Texts become bytes: one character for each byte of UTF-8.
 * Specification: nuclei's documentation, "Basic HTTP", "Raw HTTP", "Matchers", "Payloads".
 */
import { parseDocument } from 'yaml';
import { messageOf } from '../../../core/errors.ts';

export interface Template {
  readonly id: string;
  /** In the order of the document, not expanded. */
  readonly variables: readonly (readonly [name: string, value: string])[];
  readonly requests: readonly RequestBlock[];
}

export const attackModes = ['batteringram', 'pitchfork', 'clusterbomb'] as const;
export type AttackMode = (typeof attackModes)[number];

export interface RequestBlock {
  readonly method: string;
  readonly paths: readonly string[];
  readonly raw: readonly string[];
  readonly body: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly unsafe: boolean;
  readonly attack: AttackMode;
  /** A text is a file, or lines, and not yet read. */
  readonly payloads: readonly (readonly [name: string, values: readonly string[] | string])[];
  readonly matchers: readonly Matcher[];
  readonly matchersCondition: 'and' | 'or';
  readonly extractors: readonly Extractor[];
}

export const matcherTypes = ['status', 'size', 'word', 'regex', 'binary', 'dsl'] as const;
export type MatcherType = (typeof matcherTypes)[number];

export interface Matcher {
  readonly type: MatcherType;
  readonly condition: 'and' | 'or';
  readonly part: string;
  readonly negative: boolean;
  readonly caseInsensitive: boolean;
  readonly statuses: readonly number[];
  readonly sizes: readonly number[];
  /** Words, patterns or expressions. */
  readonly texts: readonly string[];
  /** For the later requests of the template, and not a result of its own. */
  readonly internal: boolean;
}

/** Values of a response, under a name that later requests may use. */
export interface Extractor {
  readonly type: 'regex' | 'kval' | 'dsl';
  readonly name: string;
  readonly part: string;
  readonly group: number;
  readonly texts: readonly string[];
}

/** Larger ones are no templates. */
const largestCharacters = 4 * 1024 ** 2;

/** Keys of a template and of a request that change what it means, and are not understood here. */
const refusedInTemplate = ['flow', 'workflows', 'code', 'javascript', 'headless', 'network', 'tcp', 'dns', 'ssl'];
const refusedInRequest = ['fuzzing', 'race', 'signature', 'pre-condition', 'self-contained', 'digest-username'];

type Content = Readonly<Record<string, unknown>>;

/** @throws Error naming what is wrong */
export function readTemplate(source: string): Template {
  if (source.length > largestCharacters) throw new Error(`the template has more than ${largestCharacters} characters`);
  const document = parseDocument(source, { uniqueKeys: false, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake !== undefined) throw new Error(`the template is no YAML: ${messageOf(mistake)}`);
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isMap(content)) throw new Error('the template is no map of keys');
  for (const key of refusedInTemplate) {
    if (isSet(content[key])) throw new Error(`the template has ${key}, which this runner does not understand`);
  }
  const requests = content.http ?? content.requests;
  if (!Array.isArray(requests) || requests.length === 0) throw new Error('the template has no http requests');
  return {
    id: text(content.id),
    variables: [...pairs(content.constants), ...pairs(content.variables)],
    requests: requests.map((request, index) => readRequest(request, index)),
  };
}

function readRequest(content: unknown, index: number): RequestBlock {
  if (!isMap(content)) throw new Error(`http[${index}] is no map of keys`);
  for (const key of refusedInRequest) {
    if (isSet(content[key])) {
      throw new Error(`http[${index}] has ${key}, which this runner does not understand`);
    }
  }
  const block: RequestBlock = {
    method: text(content.method) || 'GET',
    paths: texts(content.path),
    raw: texts(content.raw),
    body: text(content.body),
    headers: pairs(content.headers),
    unsafe: content.unsafe === true,
    attack: oneOf(content.attack, attackModes, 'batteringram', 'attack'),
    payloads: isMap(content.payloads) ? Object.entries(content.payloads).map(payload) : [],
    matchers: list(content.matchers).map(readMatcher),
    matchersCondition: oneOf(content['matchers-condition'], ['and', 'or'], 'or', 'matchers-condition'),
    extractors: list(content.extractors).flatMap(readExtractor),
  };
  if (block.paths.length === 0 && block.raw.length === 0) throw new Error(`http[${index}] has neither path nor raw`);
  return block;
}

function payload([name, values]: [string, unknown]): readonly [string, readonly string[] | string] {
  return [name, typeof values === 'string' ? bytes(values) : texts(values)];
}

function readMatcher(content: unknown): Matcher {
  if (!isMap(content)) throw new Error('a matcher is no map of keys');
  const type = oneOf(content.type, matcherTypes, null, 'matcher type');
  const written: Readonly<Record<MatcherType, unknown>> = {
    status: [],
    size: [],
    word: content.words,
    regex: content.regex,
    binary: content.binary,
    dsl: content.dsl,
  };
  const encoded = content.encoding === 'hex' || type === 'binary';
  return {
    type,
    condition: oneOf(content.condition, ['and', 'or'], 'or', 'condition'),
    part: text(content.part) || 'body',
    negative: content.negative === true,
    caseInsensitive: content['case-insensitive'] === true,
    statuses: numbers(content.status),
    sizes: numbers(content.size),
    texts: texts(written[type]).map((one) => (encoded ? Buffer.from(one, 'hex').toString('latin1') : one)),
    internal: content.internal === true,
  };
}

/** Other types read documents that no response here has. */
function readExtractor(content: unknown): readonly Extractor[] {
  if (!isMap(content)) return [];
  const { type } = content;
  if (type !== 'regex' && type !== 'kval' && type !== 'dsl') return [];
  return [
    {
      type,
      name: text(content.name),
      part: text(content.part) || (type === 'kval' ? 'header' : 'body'),
      group: typeof content.group === 'number' ? content.group : 0,
      texts: texts(content[type]),
    },
  ];
}

function oneOf<Word extends string>(value: unknown, words: readonly Word[], standard: Word | null, what: string): Word {
  if ((value === undefined || value === null || value === '') && standard !== null) return standard;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new Error(`${what} ${JSON.stringify(value ?? null)} is not understood; there are ${words.join(', ')}`);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function isMap(value: unknown): value is Content {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A single value counts as a list of it. */
function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : value === undefined || value === null ? [] : [text(value)];
}

function numbers(value: unknown): readonly number[] {
  return (Array.isArray(value) ? value : [value]).map(Number).filter((number) => !Number.isNaN(number));
}

function pairs(value: unknown): readonly (readonly [string, string])[] {
  return isMap(value) ? Object.entries(value).map(([name, one]) => [bytes(name), text(one)]) : [];
}

function text(value: unknown): string {
  if (typeof value === 'string') return bytes(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function bytes(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}
