/** An ordinary request, but for the one value that is tried at the place that an exception names. */
import type { TransactionRequest } from '../engine/transaction-types.ts';
import { lowerAscii } from '../seclang/ascii.ts';
import { nameText } from './place-text.ts';
import type { ExceptionScope, ExceptionTarget } from './waf-exception.ts';

/** Where in a request a value is put. */
export type TrialPlace =
  | 'query parameter'
  | 'query parameter name'
  | 'form field'
  | 'JSON value'
  | 'XML text'
  | 'file name'
  | 'header'
  | 'cookie'
  | 'path';

export interface TrialRequest {
  readonly place: TrialPlace;
  /** Of the parameter, header or cookie, in bytes; "" where there is none. */
  readonly name: string;
  readonly request: TransactionRequest;
  readonly body: Buffer | null;
}

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** `value` is text. */
export function trialRequest(
  { path: pattern, target }: Pick<ExceptionScope, 'path' | 'target'>,
  value: string,
): TrialRequest {
  const path = pattern.replace(/\*$/, '') || '/';
  const place = placeOf(target);
  const name = nameIn(place, target);
  const encoded = encodeURIComponent(value);
  switch (place) {
    case 'query parameter':
      return get(place, name, `${path}?${parameter(name)}=${encoded}`);
    case 'query parameter name':
      return get(place, name, `${path}?${encoded}=1`);
    case 'path':
      return get(place, name, `${path.replace(/\/$/, '')}/${encoded}`);
    case 'cookie':
      return get(place, name, path, ['Cookie', `${name}=${encoded}`]);
    case 'header':
      return get(place, name, path, [name, value]);
    case 'form field':
      return post(place, name, path, 'application/x-www-form-urlencoded', `${parameter(name)}=${encoded}`);
    case 'JSON value':
      return post(place, name, path, 'application/json', JSON.stringify(nested(name.replace(/^json\.?/, ''), value)));
    case 'XML text':
      return post(place, name, path, 'text/xml', `<?xml version="1.0"?><r><v>${xmlText(value)}</v></r>`);
    case 'file name':
      return post(place, name, path, 'multipart/form-data; boundary=trial', fileForm(name, value));
    default:
      return place satisfies never;
  }
}

function get(place: TrialPlace, name: string, target: string, more: readonly string[] = []): TrialRequest {
  return { place, name, request: requestOf('GET', target, more), body: null };
}

function post(place: TrialPlace, name: string, path: string, type: string, text: string): TrialRequest {
  const body = Buffer.from(text);
  const headers = ['Content-Type', type, 'Content-Length', String(body.length)];
  return { place, name, request: requestOf('POST', path, headers), body };
}

function requestOf(method: string, target: string, more: readonly string[]): TransactionRequest {
  const usual = ['Host', 'www.example.com', 'User-Agent', browser, 'Accept', 'text/html,*/*;q=0.8'];
  const instead = lowerAscii(more[0] ?? '');
  const headers = usual.flatMap((name, index) =>
    index % 2 === 1 || lowerAscii(name) === instead ? [] : [name, usual[index + 1] ?? ''],
  );
  return {
    id: 'exception-trial',
    clientAddress: '192.0.2.1',
    clientPort: 50_000,
    serverAddress: '192.0.2.2',
    serverPort: 80,
    method,
    target,
    protocol: 'HTTP/1.1',
    headers: [...headers, ...more],
    startedAt: 0,
  };
}

function placeOf(target: ExceptionTarget | null): TrialPlace {
  if (target === null) return 'query parameter';
  const { variable, name } = target;
  if (/^json(?:\.|$)/i.test(name) || variable === 'JSON') return 'JSON value';
  if (variable === 'XML') return 'XML text';
  if (variable.startsWith('REQUEST_COOKIES')) return 'cookie';
  if (variable.startsWith('REQUEST_HEADERS')) return 'header';
  if (variable.startsWith('FILES') || variable.startsWith('MULTIPART')) return 'file name';
  if (/^ARGS(?:_GET|_POST)?_NAMES$/.test(variable)) return 'query parameter name';
  if (variable === 'ARGS_POST' || variable === 'REQUEST_BODY') return 'form field';
  if (/^REQUEST_(?:FILENAME|BASENAME|URI|URI_RAW|LINE)$/.test(variable)) return 'path';
  return 'query parameter';
}

function nameIn(place: TrialPlace, target: ExceptionTarget | null): string {
  switch (place) {
    case 'path':
    case 'XML text':
    case 'query parameter name':
      return '';
    case 'header':
      return target?.name || 'X-Trial';
    case 'JSON value':
      return target?.name || 'json.q';
    case 'cookie':
    case 'file name':
    case 'form field':
      return target?.name || 'q';
    case 'query parameter':
      // Of other variables it stands for the whole request.
      return (target?.variable.startsWith('ARGS') === true && target.name) || 'q';
    default:
      return place satisfies never;
  }
}

function parameter(name: string): string {
  return nameText(name).replace(/[&=+;#]/g, (one) => encodeURIComponent(one));
}

/** `a.b` → `{ a: { b: value } }`. */
function nested(path: string, value: string): unknown {
  return (path || 'q').split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

function xmlText(text: string): string {
  return text.replace(/[<&>]/g, (one) => `&#${one.charCodeAt(0)};`);
}

function fileForm(name: string, fileName: string): string {
  const quoted = fileName.replace(/["\\]/g, (one) => `\\${one}`);
  const head = `Content-Disposition: form-data; name="${nameText(name)}"; filename="${quoted}"`;
  return `--trial\r\n${head}\r\nContent-Type: text/plain\r\n\r\ncontents\r\n--trial--\r\n`;
}
