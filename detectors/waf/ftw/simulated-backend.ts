/**
 * The server behind the rules, as the Core Rule Set's tests expect it: an empty 200 to everything, and to `POST /reflect` the
 * response that its JSON body describes. Specification: albedo's README (`/reflect`). Binary strings.
 */
import { sniffType } from './sniff-type.ts';

export interface BackendResponse {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** A description of a response; keys are compared without regard to case, as Go does. */
interface Reflection {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  readonly encodedBody: string;
}

export function simulatedResponse(method: string, target: string, body: string): BackendResponse {
  const path = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?]*)?([^?#]*)/i.exec(target)?.[1] ?? '';
  if (method !== 'POST' || path !== '/reflect') return respond(200, [], '');
  const asked = readReflection(body);
  if (typeof asked === 'string') return respond(400, [], asked);
  if (asked.status !== 0 && (asked.status < 100 || asked.status > 599)) {
    return respond(400, [], `Invalid status code: ${asked.status}`);
  }
  const status = asked.status === 0 ? 200 : asked.status;
  if (asked.encodedBody === '') return respond(status, asked.headers, utf8(asked.body));
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(asked.encodedBody)) {
    return respond(400, [], 'invalid base64 encoding of response body');
  }
  return respond(status, asked.headers, Buffer.from(asked.encodedBody, 'base64').toString('latin1'));
}

function respond(status: number, headers: readonly string[], body: string): BackendResponse {
  const has = (name: string): boolean =>
    headers.some((header, index) => index % 2 === 0 && header.toLowerCase() === name);
  const added = [
    ...(body === '' || has('content-type') ? [] : ['Content-Type', sniffType(body)]),
    ...(has('content-length') ? [] : ['Content-Length', String(body.length)]),
  ];
  return { status, headers: [...headers, ...added], body };
}

/** What the body describes, or what is wrong with it. */
function readReflection(body: string): Reflection | string {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body, 'latin1').toString());
  } catch {
    return 'Invalid JSON in request body';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'Invalid JSON in request body';
  const fields = new Map(Object.entries(value).map(([key, field]: [string, unknown]) => [key.toLowerCase(), field]));
  const text = (name: string): string | null => {
    const field = fields.get(name) ?? '';
    return typeof field === 'string' ? field : null;
  };
  const [status, headers] = [fields.get('status') ?? 0, fields.get('headers') ?? {}];
  const [plain, encodedBody, logMessage] = [text('body'), text('encodedbody'), text('logmessage')];
  const isWrong = plain === null || encodedBody === null || logMessage === null || !Number.isSafeInteger(status);
  if (isWrong || typeof headers !== 'object') return 'Invalid JSON in request body';
  const pairs = Object.entries(headers).flatMap(([name, field]: [string, unknown]) => [
    utf8(name),
    utf8(String(field)),
  ]);
  return { status: status as number, headers: pairs, body: plain, encodedBody };
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}
