/**
 * What each variable reads. `from` says since when its value stands: values of requests, bodies and responses are worked
 * out once, and rules that look at nothing else can be left asleep; `live` ones change while rules run.
 */
import type { MultipartFlags, NamedValue, UploadedFile } from '../bodies/body-processor.ts';
import { hasBrokenEscape } from '../bodies/percent-decode.ts';
import type { Text } from '../text/text.ts';
import {
  collectionNames,
  type CollectionName,
  type ScalarName,
  scalarNames,
  type VariableName,
} from '../variable-names.ts';
import { type Entry, noEntries } from './entry.ts';
import { headerOf } from './header-of.ts';
import type { TransactionState } from './transaction-state.ts';

export type Since = 'request' | 'body' | 'response' | 'response-body' | 'live';

export interface ScalarVariable {
  readonly since: Since;
  readonly read: (state: TransactionState) => string;
}

export interface CollectionVariable {
  readonly since: Since;
  readonly read: (state: TransactionState) => readonly Entry[];
}

const scalarNumbers: ReadonlyMap<string, number> = new Map(scalarNames.map((name, number) => [name, number]));

export const scalarCount = scalarNames.length;

/** Position in `scalars` and in `TransactionState.scalarTexts`. */
export function scalarNumber(name: ScalarName): number {
  return scalarNumbers.get(name) ?? 0;
}

export function isScalar(name: VariableName): name is ScalarName {
  return scalarNumbers.has(name);
}

const collectionSet: ReadonlySet<string> = new Set(collectionNames);

export function isCollection(name: VariableName): name is CollectionName {
  return collectionSet.has(name);
}

function request(read: (state: TransactionState) => string): ScalarVariable {
  return { since: 'request', read };
}

function body(read: (state: TransactionState) => string): ScalarVariable {
  return { since: 'body', read };
}

function response(read: (state: TransactionState) => string): ScalarVariable {
  return { since: 'response', read };
}

function live(read: (state: TransactionState) => string): ScalarVariable {
  return { since: 'live', read };
}

function flag(name: keyof MultipartFlags): ScalarVariable {
  return body((state) => (state.body.multipart?.[name] ? '1' : '0'));
}

/** In local time, as ModSecurity has it. */
function time(read: (date: Date) => number | string): ScalarVariable {
  return request((state) => String(read(new Date(state.request.startedAt))));
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');

const nothing = request(() => '');

export const scalars: { readonly [name in ScalarName]: ScalarVariable } = {
  ARGS_COMBINED_SIZE: body((state) => String(combinedSize(state.query.values) + combinedSize(state.body.args))),
  AUTH_TYPE: request((state) => state.header('authorization').split(' ', 1)[0] ?? ''),
  DURATION: live((state) => String(Math.max(0, Math.round(state.clock.now() - state.request.startedAt)))),
  FILES_COMBINED_SIZE: body((state) => String(state.body.files.reduce((sum, { size }) => sum + size, 0))),
  FULL_REQUEST: body(fullRequest),
  FULL_REQUEST_LENGTH: body((state) => String(fullRequest(state).length)),
  HIGHEST_SEVERITY: live((state) => String(state.highestSeverity)),
  INBOUND_DATA_ERROR: body((state) => (state.inboundDataError ? '1' : '0')),
  MATCHED_VAR: live((state) => state.matchedText.value),
  MATCHED_VAR_NAME: live(matchedVariableName),
  MODSEC_BUILD: request(() => '020913000'),
  MULTIPART_BOUNDARY_QUOTED: flag('boundaryQuoted'),
  MULTIPART_BOUNDARY_WHITESPACE: flag('boundaryWhitespace'),
  MULTIPART_CRLF_LF_LINES: flag('crlfLfLines'),
  MULTIPART_DATA_AFTER: flag('dataAfter'),
  MULTIPART_DATA_BEFORE: flag('dataBefore'),
  MULTIPART_FILE_LIMIT_EXCEEDED: flag('fileLimitExceeded'),
  MULTIPART_HEADER_FOLDING: flag('headerFolding'),
  MULTIPART_INVALID_HEADER_FOLDING: flag('invalidHeaderFolding'),
  MULTIPART_INVALID_PART: flag('invalidPart'),
  MULTIPART_INVALID_QUOTING: flag('invalidQuoting'),
  MULTIPART_LF_LINE: flag('lfLine'),
  MULTIPART_MISSING_SEMICOLON: flag('missingSemicolon'),
  MULTIPART_STRICT_ERROR: body((state) => (isStrictError(state) ? '1' : '0')),
  MULTIPART_UNMATCHED_BOUNDARY: flag('unmatchedBoundary'),
  OUTBOUND_DATA_ERROR: { since: 'response-body', read: (state) => (state.outboundDataError ? '1' : '0') },
  PATH_INFO: nothing,
  QUERY_STRING: request((state) => state.target.query),
  RAW_REQUEST_BODY: body((state) => state.rawBody.slice(0, state.options.bodyValueBytes)),
  REMOTE_ADDR: request((state) => state.request.clientAddress),
  REMOTE_HOST: request((state) => state.request.clientAddress),
  REMOTE_PORT: request((state) => String(state.request.clientPort)),
  REMOTE_USER: request(remoteUser),
  REQBODY_ERROR: body((state) => (state.body.error === '' ? '0' : '1')),
  REQBODY_ERROR_MSG: body((state) => state.body.error),
  REQBODY_PROCESSOR: live((state) => state.controls.requestBodyProcessor),
  REQBODY_PROCESSOR_ERROR: body((state) => (state.body.error === '' ? '0' : '1')),
  REQBODY_PROCESSOR_ERROR_MSG: body((state) => state.body.error),
  REQUEST_BASENAME: request((state) => state.target.basename),
  REQUEST_BODY: body((state) =>
    state.body.fillsRequestBody ? state.rawBody.slice(0, state.options.bodyValueBytes) : '',
  ),
  REQUEST_BODY_LENGTH: body((state) => String(state.rawBody.length)),
  REQUEST_FILENAME: request((state) => state.target.filename),
  REQUEST_LINE: request(({ request: { method, target, protocol } }) => `${method} ${target} ${protocol}`),
  REQUEST_METHOD: request((state) => state.request.method),
  REQUEST_PROTOCOL: request((state) => state.request.protocol),
  REQUEST_URI: request((state) => state.target.uri),
  REQUEST_URI_RAW: request((state) => state.request.target),
  RESPONSE_BODY: {
    since: 'response-body',
    read: (state) => state.responseBody.slice(0, state.options.bodyValueBytes),
  },
  RESPONSE_CONTENT_LENGTH: { since: 'response-body', read: (state) => String(state.responseBody.length) },
  RESPONSE_CONTENT_TYPE: response((state) => headerOf(state.response?.headers ?? [], 'content-type')),
  RESPONSE_PROTOCOL: response((state) => state.response?.protocol ?? ''),
  RESPONSE_STATUS: response((state) => (state.response === null ? '' : String(state.response.status))),
  SERVER_ADDR: request((state) => state.request.serverAddress),
  SERVER_NAME: request((state) => hostName(state.header('host'))),
  SERVER_PORT: request((state) => String(state.request.serverPort)),
  SESSIONID: nothing,
  STATUS_LINE: response((state) =>
    state.response === null ? '' : `${state.response.protocol} ${state.response.status}`,
  ),
  TIME: time((date) => `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}`),
  TIME_DAY: time((date) => date.getDate()),
  TIME_EPOCH: time((date) => Math.floor(date.getTime() / 1_000)),
  TIME_HOUR: time((date) => date.getHours()),
  TIME_MIN: time((date) => date.getMinutes()),
  TIME_MON: time((date) => date.getMonth()),
  TIME_SEC: time((date) => date.getSeconds()),
  TIME_WDAY: time((date) => date.getDay()),
  TIME_YEAR: time((date) => date.getFullYear()),
  UNIQUE_ID: request((state) => state.request.id),
  URLENCODED_ERROR: body((state) => (isBrokenlyEncoded(state) ? '1' : '0')),
  USERID: nothing,
  WEBAPPID: nothing,
};

const byNumber: readonly ScalarVariable[] = scalarNames.map((name) => scalars[name]);

/** The text of a scalar that stands while a phase runs. Bodies have a bound of their own, other values that of all values. */
export function scalarText(number: number, state: TransactionState): Text {
  const known = state.scalarTexts[number] ?? null;
  if (known !== null) return known;
  const variable = byNumber[number] ?? nothing;
  const value = variable.read(state);
  const text = variable.since === 'request' ? state.text(value) : state.pool.text(value);
  state.scalarTexts[number] = text;
  return text;
}

/** Forgets what has been read of variables that now have another value. */
export function forget(since: Since, state: TransactionState, selections: readonly { readonly since: Since }[]): void {
  for (let number = 0; number < byNumber.length; number++) {
    if (byNumber[number]?.since === since) state.scalarTexts[number] = null;
  }
  for (let number = 0; number < selections.length; number++) {
    if (selections[number]?.since === since) state.selected[number] = null;
  }
}

function list(since: Since, read: (state: TransactionState) => readonly Entry[]): CollectionVariable {
  return { since, read };
}

const empty = list('request', () => noEntries);

function persistent(collection: 'GLOBAL' | 'IP' | 'SESSION' | 'USER' | 'RESOURCE'): CollectionVariable {
  return list('live', (state) => {
    const record = state.records?.get(collection);
    if (record === undefined) return noEntries;
    return [...record.entries()].map(([key, value]) => ({ name: key, key, text: state.text(value) }));
  });
}

export const collections: { readonly [name in CollectionName]: CollectionVariable } = {
  ARGS: list('body', (state) => state.args),
  ARGS_NAMES: list('body', (state) => names(state, state.args)),
  ARGS_GET: list('request', (state) => state.argsGet),
  ARGS_GET_NAMES: list('request', (state) => names(state, state.argsGet)),
  ARGS_POST: list('body', (state) => state.argsPost),
  ARGS_POST_NAMES: list('body', (state) => names(state, state.argsPost)),
  ENV: list('live', (state) =>
    state.env === null ? noEntries : [...state.env].map(([key, text]) => ({ name: key, key, text })),
  ),
  FILES: list('body', (state) => files(state, ({ name }) => name)),
  FILES_NAMES: list('body', (state) => files(state, ({ field }) => field)),
  FILES_SIZES: list('body', (state) => files(state, ({ size }) => String(size))),
  FILES_TMP_CONTENT: list('body', (state) => files(state, ({ content }) => content)),
  FILES_TMPNAMES: empty,
  GEO: empty,
  GLOBAL: persistent('GLOBAL'),
  IP: persistent('IP'),
  MATCHED_VARS: list('live', (state) => state.matchedVars),
  MATCHED_VARS_NAMES: list('live', (state) => state.matchedVars.map((entry) => nameEntry(state, entry))),
  MULTIPART_FILENAME: list('body', (state) => files(state, ({ name }) => name)),
  MULTIPART_NAME: list('body', (state) => files(state, ({ field }) => field)),
  MULTIPART_PART_HEADERS: list('body', (state) => state.entries(state.body.partHeaders)),
  REQUEST_COOKIES: list('request', (state) => state.cookies),
  REQUEST_COOKIES_NAMES: list('request', (state) => names(state, state.cookies)),
  REQUEST_HEADERS: list('request', (state) => state.headers),
  REQUEST_HEADERS_NAMES: list('request', (state) => names(state, state.headers)),
  RESOURCE: persistent('RESOURCE'),
  RESPONSE_ARGS: empty,
  RESPONSE_HEADERS: list('response', (state) => state.responseHeaders),
  RESPONSE_HEADERS_NAMES: list('response', (state) => names(state, state.responseHeaders)),
  RESPONSE_XML: empty,
  RULE: list('live', ruleEntries),
  SESSION: persistent('SESSION'),
  // Its names have places: `compile-target.ts` reads them there.
  TX: empty,
  USER: persistent('USER'),
  XML: list('body', xmlEntries),
  JSON: empty,
};

function names(state: TransactionState, entries: readonly Entry[]): readonly Entry[] {
  return entries.length === 0 ? noEntries : entries.map((entry) => nameEntry(state, entry));
}

function nameEntry(state: TransactionState, { name, key }: Entry): Entry {
  return { name, key, text: state.text(name) };
}

function files(state: TransactionState, valueOf: (file: UploadedFile) => string): readonly Entry[] {
  if (state.body.files.length === 0) return noEntries;
  return state.body.files.map((file) => state.entry(file.field, valueOf(file)));
}

/** Under the only two paths that rules use: the texts as `/*`, the attributes as `//@*`. */
function xmlEntries(state: TransactionState): readonly Entry[] {
  const { xmlTexts, xmlAttributes } = state.body;
  if (xmlTexts === null) return noEntries;
  return [
    ...xmlTexts.map((value) => ({ name: '/*', key: '/*', text: state.text(value) })),
    ...xmlAttributes.map((value) => ({ name: '//@*', key: '//@*', text: state.text(value) })),
  ];
}

function ruleEntries(state: TransactionState): readonly Entry[] {
  const { rule } = state;
  if (rule === null) return noEntries;
  const { id, severity, rev, ver, msg, logdata } = rule.definition;
  const values: readonly (readonly [string, string])[] = [
    ['id', String(id)],
    ['severity', severity === null ? '' : String(severity)],
    ['rev', rev],
    ['ver', ver],
    ['msg', msg.source],
    ['logdata', logdata.source],
  ];
  return values.map(([name, value]) => ({ name, key: name, text: state.text(value) }));
}

/** `ARGS:q`, or the name of a scalar; values of MATCHED_VARS carry the whole name. */
export function matchedVariableName({ matchedVariable, matchedName }: TransactionState): string {
  if (matchedName === null) return matchedVariable;
  return matchedVariable === '' ? matchedName : `${matchedVariable}:${matchedName}`;
}

/** Names and values, as ModSecurity counts them. */
function combinedSize(values: readonly NamedValue[]): number {
  let sum = 0;
  for (const { name, value } of values) sum += name.length + value.length;
  return sum;
}

function isBrokenlyEncoded(state: TransactionState): boolean {
  if (state.query.brokenEscape) return true;
  return state.controls.requestBodyProcessor === 'URLENCODED' && hasBrokenEscape(state.rawBody);
}

function isStrictError(state: TransactionState): boolean {
  const { multipart, error } = state.body;
  if (multipart === null) return false;
  // An unmatched boundary has a variable and a rule of its own.
  return error !== '' || Object.entries(multipart).some(([name, set]) => set === true && !lenientFlags.has(name));
}

/** Harmless on their own: ModSecurity keeps them out of MULTIPART_STRICT_ERROR. */
const lenientFlags: ReadonlySet<string> = new Set<keyof MultipartFlags>(['unmatchedBoundary', 'crlfLfLines']);

function hostName(host: string): string {
  return host.startsWith('[') ? host.replace(/:\d*$/, '') : (host.split(':', 1)[0] ?? '');
}

/** Of basic authentication; the password is left out. */
function remoteUser(state: TransactionState): string {
  const [scheme = '', credentials = ''] = state.header('authorization').split(' ', 2);
  if (scheme.toLowerCase() !== 'basic') return '';
  return Buffer.from(credentials, 'base64').toString('latin1').split(':', 1)[0] ?? '';
}

function fullRequest(state: TransactionState): string {
  const { method, target, protocol, headers } = state.request;
  const lines = [`${method} ${target} ${protocol}`];
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n${state.rawBody}`.slice(0, state.options.bodyValueBytes);
}
