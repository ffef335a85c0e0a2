/** What an exception gives away: attacks are sent through the rules at the place it names, with it and without. */
import type { RuleSet } from '../engine/rule-set.ts';
import type { TransactionRequest } from '../engine/transaction-types.ts';
import { applyExceptions } from './exception-index.ts';
import { type SampleAttack, sampleAttacks } from './sample-attacks.ts';
import type { ExceptionScope, ExceptionTarget } from './waf-exception.ts';

export interface ExceptionTrial {
  /** Attacks that the rules refuse there now. */
  readonly refused: number;
  readonly attacks: number;
  /** Those that they would refuse no more. */
  readonly lost: readonly SampleAttack[];
}

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

export function tryException(rules: RuleSet, scope: ExceptionScope): ExceptionTrial {
  const refusedWithout = sampleAttacks.filter((attack) => isRefused(rules, attack, scope, false));
  const lost = refusedWithout.filter((attack) => !isRefused(rules, attack, scope, true));
  return { attacks: sampleAttacks.length, refused: refusedWithout.length, lost };
}

function isRefused(rules: RuleSet, { value }: SampleAttack, scope: ExceptionScope, excepted: boolean): boolean {
  const { request, body } = requestWith(value, scope.path, scope.target);
  const transaction = rules.begin(request);
  if (excepted) applyExceptions([{ ...scope, id: '', comment: '', createdAt: 0, until: null }], transaction);
  const verdict = transaction.processRequestHeaders() ?? transaction.processRequestBody(body, true);
  transaction.finish();
  return verdict !== null;
}

/** An ordinary request, but for the one value. */
function requestWith(
  value: string,
  pattern: string,
  target: ExceptionTarget | null,
): { readonly request: TransactionRequest; readonly body: Buffer | null } {
  const path = encodeURI(pattern.replace(/\*$/, '') || '/');
  const name = target?.name === undefined || target.name === '' ? 'q' : target.name;
  const encoded = encodeURIComponent(value);
  const headers = ['Host', 'www.example.com', 'User-Agent', browser, 'Accept', 'text/html,*/*;q=0.8'];
  let uri = path;
  let body: Buffer | null = null;
  switch (placeOf(target)) {
    case 'query':
      uri = `${path}?${encodeURIComponent(name)}=${encoded}`;
      break;
    case 'form':
      body = Buffer.from(`${encodeURIComponent(name)}=${encoded}`);
      headers.push('Content-Type', 'application/x-www-form-urlencoded', 'Content-Length', String(body.length));
      break;
    case 'json':
      body = Buffer.from(JSON.stringify(nested(name.replace(/^json\.?/, '') || 'q', value)));
      headers.push('Content-Type', 'application/json', 'Content-Length', String(body.length));
      break;
    case 'header':
      headers.push(name, value);
      break;
    case 'cookie':
      headers.push('Cookie', `${name}=${encoded}`);
      break;
    case 'path':
      uri = `${path.replace(/\/$/, '')}/${encoded}`;
      break;
  }
  return {
    request: {
      id: 'exception-trial',
      clientAddress: '192.0.2.1',
      clientPort: 50_000,
      serverAddress: '192.0.2.2',
      serverPort: 80,
      method: body === null ? 'GET' : 'POST',
      target: uri,
      protocol: 'HTTP/1.1',
      headers,
      startedAt: 0,
    },
    body,
  };
}

type Place = 'query' | 'form' | 'json' | 'header' | 'cookie' | 'path';

function placeOf(target: ExceptionTarget | null): Place {
  const variable = target?.variable ?? 'ARGS';
  if (target?.name.startsWith('json.') === true) return 'json';
  if (variable.startsWith('REQUEST_COOKIES')) return 'cookie';
  if (variable.startsWith('REQUEST_HEADERS')) return 'header';
  if (variable.startsWith('ARGS_POST') || variable === 'REQUEST_BODY') return 'form';
  if (/^REQUEST_(?:FILENAME|BASENAME|URI|URI_RAW|LINE)$/.test(variable)) return 'path';
  return 'query';
}

/** `a.b` → `{ a: { b: value } }`. */
function nested(path: string, value: string): unknown {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}
