/**
 * The exceptions of this gateway: one small JSON file in the data folder, written whole beside the old one and renamed over it.
 * A damaged file is set aside and what can be read of it is kept; one that cannot be read at all is left alone, and nothing
 * can be added until it can. What is added or removed counts for the next request.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import { splitTarget } from '../../detectors/waf/engine/request-target.ts';
import { ExceptionIndex } from '../../detectors/waf/exceptions/exception-index.ts';
import {
  type ExceptionScope,
  formatTarget,
  longestName,
  longestPath,
  mostExceptions,
  parsePath,
  parseTarget,
  type WafException,
} from '../../detectors/waf/exceptions/waf-exception.ts';

export interface NewException extends ExceptionScope {
  readonly comment: string;
  /** Epoch milliseconds, or null for ever. */
  readonly until: number | null;
}

export interface AddedException {
  readonly exception: WafException;
  /** There was one for the same already; it has the new end and comment. */
  readonly replaced: boolean;
}

export interface WafExceptions {
  /** Those in force, oldest first. */
  list(): readonly WafException[];
  /** Those that concern a request of a site, by its raw target. */
  find(site: string, target: string): readonly WafException[];
  /** @throws GatewayError GATEWAY_REFUSED: too many, or the file cannot be written. */
  add(wanted: NewException): Promise<AddedException>;
  /** @throws GatewayError NOT_FOUND, GATEWAY_REFUSED */
  remove(id: string): Promise<WafException>;
}

export interface OpenedExceptions {
  readonly exceptions: WafExceptions;
  readonly faults: readonly GatewayError[];
}

export function exceptionsFileIn(dataDir: string): string {
  return join(dataDir, 'waf', 'exceptions.json');
}

/** Faults are told, not thrown: the rules run, and refuse more than they should. */
export async function openExceptions(
  path: string,
  runtime: Pick<Runtime, 'clock' | 'random'>,
): Promise<OpenedExceptions> {
  const { kept, fault, isReadable } = await load(path);
  const exceptions = new FileExceptions(path, runtime, kept, isReadable ? null : fault);
  return { exceptions, faults: fault === null ? [] : [fault] };
}

class FileExceptions implements WafExceptions {
  readonly #path: string;
  readonly #runtime: Pick<Runtime, 'clock' | 'random'>;
  /** The file could not be read: to write it would lose what it holds. */
  readonly #unreadable: GatewayError | null;
  #kept: readonly WafException[];
  #index: ExceptionIndex;
  /** The last write; each waits for the one before. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    path: string,
    runtime: Pick<Runtime, 'clock' | 'random'>,
    kept: readonly WafException[],
    unreadable: GatewayError | null,
  ) {
    this.#path = path;
    this.#runtime = runtime;
    this.#unreadable = unreadable;
    this.#kept = kept;
    this.#index = new ExceptionIndex(kept);
  }

  list(): readonly WafException[] {
    const now = this.#runtime.clock.now();
    return this.#kept.filter(({ until }) => until === null || until > now);
  }

  find(site: string, target: string): readonly WafException[] {
    if (this.#kept.length === 0) return this.#kept;
    return this.#index.find(site, splitTarget(target).filename, this.#runtime.clock.now());
  }

  add(wanted: NewException): Promise<AddedException> {
    return this.#inTurn(async () => {
      const live = this.list();
      const same = live.find((each) => scopeText(each) === scopeText(wanted));
      if (same === undefined && live.length >= mostExceptions) {
        throw new GatewayError(
          'GATEWAY_REFUSED',
          `there are ${live.length} exceptions already, as many as there may be`,
          {
            remedy: 'Remove some, or turn the rule off in a file of `waf.coreRules.filesAfter`.',
          },
        );
      }
      const createdAt = this.#runtime.clock.now();
      const exception: WafException = { ...wanted, id: same?.id ?? this.#newId(live), createdAt };
      await this.#write([...live.filter((each) => each !== same), exception]);
      return { exception, replaced: same !== undefined };
    });
  }

  remove(id: string): Promise<WafException> {
    return this.#inTurn(async () => {
      const live = this.list();
      const found = live.find((each) => each.id === id);
      if (found === undefined) {
        throw new GatewayError('NOT_FOUND', `there is no exception ${id}`, { remedy: 'See `waf exceptions list`.' });
      }
      await this.#write(live.filter((each) => each !== found));
      return found;
    });
  }

  #newId(live: readonly WafException[]): string {
    for (;;) {
      const id = Buffer.from(this.#runtime.random.bytes(4)).toString('hex');
      if (live.every((each) => each.id !== id)) return id;
    }
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#writing.then(task);
    this.#writing = result.catch(() => undefined);
    return result;
  }

  async #write(next: readonly WafException[]): Promise<void> {
    if (this.#unreadable !== null) {
      const { message, remedy } = this.#unreadable;
      throw new GatewayError('GATEWAY_REFUSED', message, { remedy: remedy ?? '' });
    }
    try {
      await writeWhole(this.#path, next);
    } catch (cause) {
      throw new GatewayError('GATEWAY_REFUSED', `${this.#path} cannot be written: ${messageOf(cause)}`, {
        remedy: 'Nothing has changed. Make room on the disk, or let the gateway write its data folder.',
        cause,
      });
    }
    this.#kept = next;
    this.#index = new ExceptionIndex(next);
  }
}

const format = 1;
/** Far more than `mostExceptions` of the longest. */
const largestFile = 16 * 1_048_576;

const targetSchema = z
  .string()
  .max(4 * longestName)
  .transform((text, context) => {
    const target = parseTarget(text);
    if (target !== null) return target;
    context.issues.push({ code: 'custom', message: 'no such variable', input: text });
    return z.NEVER;
  });
const pathSchema = z
  .string()
  .max(longestPath + 1)
  .transform((text, context) => {
    const path = parsePath(text);
    if (path !== null) return path;
    context.issues.push({ code: 'custom', message: 'no path', input: text });
    return z.NEVER;
  });
const timeSchema = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const exceptionSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{8}$/),
  rule: z.int().positive(),
  site: z.string().max(longestName).default(''),
  path: pathSchema.default(''),
  target: targetSchema.nullable().default(null),
  comment: z.string().max(512).default(''),
  created_at: timeSchema,
  until: timeSchema.nullable().default(null),
});
const fileSchema = z.object({ format: z.literal(format), exceptions: z.array(z.unknown()).max(10 * mostExceptions) });

interface Loaded {
  readonly kept: readonly WafException[];
  readonly fault: GatewayError | null;
  readonly isReadable: boolean;
}

async function load(path: string): Promise<Loaded> {
  let text = '';
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { kept: [], fault: null, isReadable: true };
    const fault = new GatewayError('EXCEPTIONS_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Let the gateway read it, and start the gateway again.',
      cause,
    });
    return { kept: [], fault, isReadable: false };
  }
  const { kept, damage } = parse(text);
  if (damage === '') return { kept, fault: null, isReadable: true };
  const aside = `${path}.damaged`;
  try {
    await rename(path, aside);
    await writeWhole(path, kept);
  } catch (cause) {
    const fault = new GatewayError('EXCEPTIONS_UNREADABLE', `${path} is damaged: ${damage}`, {
      remedy: `It could not be set aside either (${messageOf(cause)}): repair it, and start the gateway again.`,
      cause,
    });
    return { kept, fault, isReadable: false };
  }
  const fault = new GatewayError('EXCEPTIONS_UNREADABLE', `${path} was damaged: ${damage}`, {
    remedy: `${kept.length} exceptions of it are in use. The file is at ${aside}: add the others again, and delete it.`,
  });
  return { kept, fault, isReadable: true };
}

/** Every exception that is whole; `damage` says what is not, "" when everything is. */
function parse(text: string): { readonly kept: readonly WafException[]; readonly damage: string } {
  let content: unknown;
  try {
    if (text.length > largestFile) return { kept: [], damage: `larger than ${largestFile} characters` };
    content = JSON.parse(text);
  } catch (thrown) {
    return { kept: [], damage: messageOf(thrown) };
  }
  const file = fileSchema.safeParse(content);
  if (!file.success) return { kept: [], damage: 'not a file of exceptions' };
  const kept = new Map<string, WafException>();
  let broken = 0;
  for (const entry of file.data.exceptions) {
    const parsed = exceptionSchema.safeParse(entry);
    if (!parsed.success || kept.size >= mostExceptions || kept.has(parsed.data.id)) broken++;
    else {
      const { rule, created_at, ...rest } = parsed.data;
      kept.set(rest.id, { ...rest, ruleId: rule, createdAt: created_at });
    }
  }
  const damage = broken === 0 ? '' : `${broken} of its ${file.data.exceptions.length} entries cannot be used`;
  return { kept: [...kept.values()], damage };
}

async function writeWhole(path: string, exceptions: readonly WafException[]): Promise<void> {
  const entries = exceptions.map(({ ruleId, target, createdAt, until, ...rest }) => ({
    ...rest,
    rule: ruleId,
    target: target && formatTarget(target),
    created_at: new Date(createdAt).toISOString(),
    until: until === null ? null : new Date(until).toISOString(),
  }));
  const temporary = `${path}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ format, exceptions: entries }, null, 2)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw thrown;
  }
}

/** The same for two exceptions of the same values. */
function scopeText({ ruleId, site, path, target }: ExceptionScope): string {
  return [ruleId, site, path, target === null ? '' : formatTarget(target).toLowerCase()].join('\n');
}
