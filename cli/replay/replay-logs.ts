/**
 * Log lines from bytes to alerts, one after another, each buckets' time being the line's own (time-machine). Between two pieces
 * of a log the event loop turns, so that an interrupt is heard and progress is shown.
 */
import type { Clock } from '../../core/clock.ts';
import { LineSplitter } from '../../detectors/acquisition/line-splitter.ts';
import type { Alert } from '../../detectors/alert.ts';
import type { Engine, EngineResult } from '../../detectors/engine/engine.ts';
import { FieldMap, type Line } from '../../detectors/event.ts';
import type { LogBytes } from './log-bytes.ts';

export interface Replayed {
  /** Lines that were not empty. */
  lines: number;
  /** Lines that no parser took to the end. */
  discarded: number;
  /** Lines that a whitelist of a parser took out. */
  whitelisted: number;
  /** Lines of which only the first 64 KiB were read. */
  truncated: number;
  /** Overflows that a postoverflow whitelisted. */
  whitelistedOverflows: number;
  /** In the order in which the buckets overflew. */
  readonly alerts: Alert[];
  /** It was interrupted: there is more in the logs than was read. */
  interrupted: boolean;
}

export interface ReplayRequest {
  readonly logs: readonly LogBytes[];
  /** What `evt.Line.Labels.type` says: which parsers concern the lines. */
  readonly type: string;
  readonly engine: Pick<Engine, 'feed' | 'endReplay'>;
  readonly clock: Clock;
  /** Aborted: stop after the piece that is being worked on. */
  readonly signal: AbortSignal;
  readonly onProgress: (replayed: Replayed) => void;
}

/** Throws LOG_UNREADABLE when a log ends in an error; what was found until then is lost. */
export async function replayLogs(request: ReplayRequest): Promise<Replayed> {
  const replayed: Replayed = {
    lines: 0,
    discarded: 0,
    whitelisted: 0,
    truncated: 0,
    whitelistedOverflows: 0,
    alerts: [],
    interrupted: false,
  };
  for (const log of request.logs) {
    if (request.signal.aborted) break;
    await replayLog(log, request, replayed);
  }
  replayed.interrupted = request.signal.aborted;
  // Counters that were still counting: the log's time has come to its end, so theirs is up.
  if (!replayed.interrupted) takeOverflows(await request.engine.endReplay(), replayed);
  return replayed;
}

async function replayLog(log: LogBytes, request: ReplayRequest, replayed: Replayed): Promise<void> {
  const splitter = new LineSplitter();
  const { signal, onProgress } = request;
  for await (const piece of untilAborted(log.pieces, signal)) {
    splitter.feed(piece);
    for (let line = splitter.next(); line !== null; line = splitter.next()) {
      if (line.truncated) replayed.truncated++;
      const waiting = feed(line.text, log.name, request, replayed);
      if (waiting !== null) await waiting;
    }
    onProgress(replayed);
  }
  const last = signal.aborted ? null : splitter.last();
  if (last === null) return;
  if (last.truncated) replayed.truncated++;
  await feed(last.text, log.name, request, replayed);
}

/** Ends at once when `signal` aborts, also while a pipe has nothing to say. */
async function* untilAborted(pieces: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  const iterator = pieces[Symbol.asyncIterator]();
  while (!signal.aborted) {
    const next = await orAborted(iterator.next(), signal);
    if (next === null || next.done === true) return;
    yield next.value;
  }
}

/** A listener for each piece: one promise for all of them would hold every piece until the end. */
function orAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(null);
    signal.addEventListener('abort', onAbort, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Null when the line is done with; a promise while it waits for a name. */
function feed(
  raw: string,
  source: string,
  { engine, clock, type }: ReplayRequest,
  replayed: Replayed,
): Promise<void> | null {
  if (raw === '') return null;
  replayed.lines++;
  const labels = new FieldMap();
  labels.type = type;
  const line: Line = { Raw: raw, Src: source, Time: clock.now(), Labels: labels, Process: true, Module: 'file' };
  const result = engine.feed(line, 1);
  if (result instanceof Promise) return result.then((settled) => take(settled, replayed));
  take(result, replayed);
  return null;
}

function take({ outcome, overflows }: EngineResult, replayed: Replayed): void {
  switch (outcome) {
    case 'poured':
      break;
    case 'discarded':
      replayed.discarded++;
      break;
    case 'whitelisted':
      replayed.whitelisted++;
      break;
    default:
      outcome satisfies never;
  }
  takeOverflows(overflows, replayed);
}

function takeOverflows(overflows: EngineResult['overflows'], replayed: Replayed): void {
  for (const { whitelisted, alerts } of overflows) {
    if (whitelisted) replayed.whitelistedOverflows++;
    replayed.alerts.push(...alerts);
  }
}
