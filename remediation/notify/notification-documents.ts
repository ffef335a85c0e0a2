/**
 * The files of the notifications folder, in CrowdSec's form: several YAML documents in each, `type`, `name`, grouping,
 * `format`, and the keys of the type. Every fault is gathered, with its line, and no fault repeats a value.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments, type Document } from 'yaml';
import * as z from 'zod';
import { closest } from '../../config/closest.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { LogLevel } from '../../core/log.ts';
import type { Channel, ChannelContext, ChannelIssue, ChannelType } from './channels/channel.ts';
import { channelTypes } from './channels/index.ts';
import { durationText, lineText, requiredText, whole } from './channels/setting-types.ts';
import { type Environment, expandEnvironment } from './expand-environment.ts';
import { compileTemplate, type Template } from './templates/template.ts';
import { TemplateError } from './templates/template-error.ts';

/** One channel by its name, as profiles mention it. */
export interface NotificationDocument {
  readonly type: string;
  readonly name: string;
  readonly file: string;
  readonly logLevel: LogLevel;
  /** 0: not written. */
  readonly groupWaitMs: number;
  /** 0: not written. */
  readonly groupThreshold: number;
  /** Attempts in all; 0: as long as five minutes have room for. */
  readonly maxRetry: number;
  readonly timeoutMs: number;
  readonly template: Template;
  /** What no message may repeat. */
  readonly secrets: readonly string[];
  /** @throws GatewayError NOTIFICATION_INVALID when a file that it names cannot be read. */
  open(context: ChannelContext): Channel;
}

const levels = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'fatal',
  off: 'silent',
} as const satisfies Record<string, LogLevel>;

const common = z.strictObject({
  type: lineText(64),
  name: lineText(256),
  log_level: z
    .enum(Object.keys(levels) as (keyof typeof levels)[], { error: 'expected trace, debug, info, warn, error or off' })
    .default('info'),
  group_wait: durationText('24h').default(0),
  group_threshold: whole(0, 10_000).default(0),
  max_retry: whole(0, 1_000).default(0),
  timeout: durationText('10m').default(5_000),
  format: requiredText(262_144),
});
const commonKeys = Object.keys(common.shape);

/** A file of the folder and a document in it, read at most; nobody has more. */
const bounds = { fileBytes: 1_048_576, documents: 1_000 } as const;

/** Reads every `.yaml` and `.yml` of a folder. None when there is no such folder. @throws GatewayError NOTIFICATION_INVALID */
export async function loadNotificationDocuments(
  folder: string,
  environment: Environment,
): Promise<NotificationDocument[]> {
  let entries: string[];
  try {
    entries = (await readdir(folder)).filter((entry) => /\.ya?ml$/.test(entry)).sort();
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw invalid([`${folder}: ${messageOf(thrown)}`], thrown);
  }
  const documents: NotificationDocument[] = [];
  const faults: string[] = [];
  for (const entry of entries) {
    const file = join(folder, entry);
    try {
      const bytes = await readFile(file);
      if (bytes.length > bounds.fileBytes) throw new Error(`larger than ${bounds.fileBytes} bytes`);
      const read = readNotificationText(bytes.toString('utf8'), file, environment);
      documents.push(...read.documents);
      faults.push(...read.faults);
    } catch (thrown) {
      faults.push(`${file}: ${messageOf(thrown)}`);
    }
  }
  for (const [index, { name, file }] of documents.entries()) {
    const first = documents.findIndex((each) => each.name === name);
    if (first < index) faults.push(`${file}: the name ${name} is used already, in ${documents[first]?.file ?? ''}`);
  }
  if (faults.length > 0) throw invalid(faults);
  return documents;
}

function invalid(faults: readonly string[], cause?: unknown): GatewayError {
  return new GatewayError('NOTIFICATION_INVALID', faults.join('\n'), {
    remedy: 'Correct the files of the notifications folder and start again.',
    cause,
  });
}

export interface ReadNotifications {
  readonly documents: readonly NotificationDocument[];
  /** `file:line: place: fault`. */
  readonly faults: readonly string[];
}

/** Reads the text of one file. Never throws. */
export function readNotificationText(source: string, file: string, environment: Environment): ReadNotifications {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const documents: NotificationDocument[] = [];
  const faults: string[] = [];
  const list = 'empty' in parsed ? [] : parsed;
  if (list.length > bounds.documents)
    return { documents, faults: [`${file}: more than ${bounds.documents} documents`] };
  for (const document of list) {
    for (const { pos, message } of document.errors) faults.push(`${file}:${lines.linePos(pos[0]).line}: ${message}`);
    if (document.errors.length > 0 || isEmpty(document)) continue;
    const read = readDocument(document, file, environment);
    if ('document' in read) documents.push(read.document);
    else {
      for (const { path, message } of read.issues) {
        const place = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
        faults.push(`${file}:${lineOf(document, lines, path)}: ${place}${message}`);
      }
    }
  }
  return { documents, faults };
}

function isEmpty({ contents }: Document): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

type ReadDocument = { readonly document: NotificationDocument } | { readonly issues: readonly ChannelIssue[] };

function readDocument(document: Document, file: string, environment: Environment): ReadDocument {
  const value = plainValue(document.contents, document, 0);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { issues: [{ path: [], message: 'a notification is a map of keys and values' }] };
  }
  const written = value as Readonly<Record<string, unknown>>;
  const typeName = typeof written['type'] === 'string' ? expandEnvironment(written['type'], environment) : '';
  const type = channelTypes.find((each) => each.type === typeName);
  if (type === undefined) return { issues: [unknownType(written['type'])] };
  const known = [...commonKeys, ...type.keys];
  const issues: ChannelIssue[] = Object.keys(written)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      path: [key],
      message: `is no key of a notification of the type ${type.type}${near(key, known)}`,
    }));
  const expand = (entries: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(
      entries
        .filter((key) => written[key] !== undefined)
        // A template has variables of its own.
        .map((key) => [key, key === 'format' ? written[key] : expanded(written[key], environment)]),
    );
  const shared = common.safeParse(expand(commonKeys));
  const own = type.read(expand(type.keys));
  if (!shared.success) issues.push(...shared.error.issues);
  if ('issues' in own) issues.push(...own.issues);
  const template = shared.success ? templateOf(shared.data, issues) : null;
  if (issues.length > 0 || !shared.success || 'issues' in own || template === null) return { issues };
  return { document: documentOf(shared.data, type, own, template, file) };
}

function documentOf(
  shared: z.output<typeof common>,
  { type }: ChannelType,
  { open, secrets }: { readonly open: (context: ChannelContext) => Channel; readonly secrets: readonly string[] },
  template: Template,
  file: string,
): NotificationDocument {
  return {
    type,
    name: shared.name,
    file,
    logLevel: levels[shared.log_level],
    groupWaitMs: shared.group_wait,
    groupThreshold: shared.group_threshold,
    maxRetry: shared.max_retry,
    timeoutMs: shared.timeout === 0 ? 5_000 : shared.timeout,
    template,
    secrets,
    open,
  };
}

function templateOf({ name, format }: z.output<typeof common>, issues: ChannelIssue[]): Template | null {
  try {
    return compileTemplate(name, format);
  } catch (thrown) {
    if (!(thrown instanceof TemplateError)) throw thrown;
    issues.push({ path: ['format'], message: thrown.message });
    return null;
  }
}

function unknownType(written: unknown): ChannelIssue {
  const types = channelTypes.map(({ type }) => type);
  if (typeof written !== 'string' || written === '')
    return { path: [], message: `type: is missing: one of ${types.join(', ')}` };
  return {
    path: ['type'],
    message: `there is no type ${written.slice(0, 64)}: one of ${types.join(', ')}${near(written, types)}`,
  };
}

function near(word: string, candidates: readonly string[]): string {
  const found = closest(word, candidates);
  return found === null ? '' : `; is ${found} meant?`;
}

/** The value of a node with every scalar as it was written; null and empty ones are left out. */
function plainValue(node: unknown, document: Document, depth: number): unknown {
  if (depth > 20) return undefined;
  if (isAlias(node)) return plainValue(node.resolve(document), document, depth + 1);
  if (isMap(node)) {
    return Object.fromEntries(
      node.items.flatMap(({ key, value }) => {
        const each = plainValue(value, document, depth + 1);
        return each === undefined ? [] : [[isScalar(key) ? String(key.value) : String(key), each] as const];
      }),
    );
  }
  if (isSeq(node))
    return node.items.map((each) => plainValue(each, document, depth + 1)).filter((each) => each !== undefined);
  if (!isScalar(node) || node.value === null) return undefined;
  return typeof node.value === 'string' ? node.value : (node.source ?? '');
}

function expanded(value: unknown, environment: Environment): unknown {
  if (typeof value === 'string') return expandEnvironment(value, environment);
  if (Array.isArray(value)) return value.map((each) => expanded(each, environment));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, expanded(each, environment)]));
}

/** The line of the innermost node that the path leads to. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
