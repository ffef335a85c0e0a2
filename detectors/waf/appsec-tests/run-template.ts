/**
 * Runs one nuclei template against something that answers requests. It passes when a response is matched, as nuclei reports a
 * finding. Specification: nuclei's documentation, "Basic HTTP", "Raw HTTP", "Matchers".
 */
import { compilePattern } from '../../regex/compile-pattern.ts';
import { type DslFunction, type DslScope, evaluateDsl } from './dsl-evaluate.ts';
import { parseDsl } from './dsl-syntax.ts';
import { type DslValue, textOf } from './dsl-value.ts';
import type { ExpandScope } from './expand-text.ts';
import { isMatched, partOf, responseNames } from './match-response.ts';
import { payloadSets } from './payload-sets.ts';
import type { OriginAnswer } from './static-origin.ts';
import type { Extractor, Matcher, RequestBlock, Template } from './template-document.ts';
import { pathRequest, rawRequest, type TemplateRequest } from './template-request.ts';
import { type Names, requestScope } from './template-scope.ts';

/** An answer, and why it is what it is: `refused by crowdsecurity/vpatch-…`. */
export interface JudgedAnswer extends OriginAnswer {
  readonly reason: string;
}

export interface TemplateDeps {
  readonly functions: ReadonlyMap<string, DslFunction>;
  /** Names of the target. */
  readonly names: Names;
  readonly answer: (request: TemplateRequest) => JudgedAnswer;
  /** Lines of a file of payloads beside the template; null when it is not there. */
  readonly readPayloads: (file: string) => string | null;
}

/** A request and what became of it. */
export interface TemplateExchange {
  /** Of its block, from 1. */
  readonly number: number;
  readonly request: TemplateRequest;
  readonly answer: JudgedAnswer;
}

export interface TemplateResult {
  readonly matched: boolean;
  /** By block. */
  readonly blocks: readonly BlockResult[];
}

export interface BlockResult {
  readonly matched: boolean;
  readonly exchanges: readonly TemplateExchange[];
  /** What its matchers want, in words. */
  readonly expected: string;
}

/** Requests of one block. */
const mostRequests = 2_000;

/** @throws Error when a request of the template is none */
export function runTemplate(template: Template, deps: TemplateDeps): TemplateResult {
  const names: Names = new Map(deps.names);
  const blocks = template.requests.map((block) => runBlock(block, template, names, deps));
  return { matched: blocks.some(({ matched }) => matched), blocks };
}

function runBlock(block: RequestBlock, template: Template, names: Names, deps: TemplateDeps): BlockResult {
  const exchanges: TemplateExchange[] = [];
  const seen = new Map<string, DslValue>();
  let matched = false;
  const payloads = block.payloads.map(([name, values]) => [name, valuesOf(values, deps)] as const);
  for (const set of payloadSets(payloads, block.attack)) {
    for (const build of builders(block)) {
      if (exchanges.length >= mostRequests) break;
      const scope = requestScope(names, template.variables, set, deps.functions);
      const request = build(scope);
      const number = exchanges.length + 1;
      const answer = deps.answer(request);
      exchanges.push({ number, request, answer });
      const parts = { ...answer, protocol: 'HTTP/1.1', durationSeconds: 0, request: requestText(request) };
      for (const [name, value] of responseNames(parts, number)) seen.set(name, value);
      const known: DslScope = { names: new Map([...scope.names, ...seen]), functions: deps.functions };
      matched ||= isMatched(block, known);
      for (const extractor of block.extractors) extract(extractor, known, names);
    }
  }
  return { matched, exchanges, expected: expectedOf(block) };
}

/** Paths before raw requests, as nuclei has it. */
function builders(block: RequestBlock): readonly ((scope: ExpandScope) => TemplateRequest)[] {
  return [
    ...block.paths.map((path) => (scope: ExpandScope) => pathRequest(path, block, scope)),
    ...block.raw.map((raw) => (scope: ExpandScope) => rawRequest(raw, block, scope)),
  ];
}

/** A text of one line names a file; of several, each line is a payload. */
function valuesOf(values: readonly string[] | string, deps: TemplateDeps): readonly string[] {
  if (typeof values !== 'string') return values;
  const content = values.includes('\n') ? values : deps.readPayloads(values);
  if (content === null) throw new Error(`the file of payloads ${values} is not there`);
  return content.split(/\r?\n/).filter((line) => line !== '');
}

function extract(extractor: Extractor, scope: DslScope, names: Names): void {
  if (extractor.name === '') return;
  for (const source of extractor.texts) {
    const value = extracted(extractor, source, scope);
    if (value === null) continue;
    names.set(extractor.name, value);
    return;
  }
}

function extracted({ type, part, group }: Extractor, source: string, scope: DslScope): string | null {
  switch (type) {
    case 'regex':
      return compilePattern(source, { subject: 'bytes' }).exec(partOf(part, scope))?.[group] ?? null;
    case 'kval': {
      const value = scope.names.get(source.toLowerCase().replaceAll('-', '_'));
      return value === undefined ? null : textOf(value);
    }
    case 'dsl':
      try {
        return textOf(evaluateDsl(parseDsl(source), scope));
      } catch {
        return null;
      }
    default:
      return type satisfies never;
  }
}

/** The request as bytes. */
export function requestText({ method, target, protocol, headers, body }: TemplateRequest): string {
  let text = `${method} ${target} ${protocol}\r\n`;
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${text}\r\n${body}`;
}

function expectedOf(block: RequestBlock): string {
  const shown = block.matchers.filter(({ internal }) => !internal).map(matcherText);
  return shown.length === 0 ? 'nothing: it has no matchers' : shown.join(` ${block.matchersCondition} `);
}

function matcherText({ type, negative, statuses, sizes, texts, condition, part }: Matcher): string {
  const values = type === 'status' ? statuses.map(String) : type === 'size' ? sizes.map(String) : texts;
  const what = type === 'dsl' || type === 'status' ? type : `${type} in ${part}`;
  return `${negative ? 'not ' : ''}${what} ${values.join(` ${condition} `)}`;
}
