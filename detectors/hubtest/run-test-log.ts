/** Reads the log of a test through its engine, once and in time-machine mode, and keeps what assertions look at. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { type Event, FieldMap } from '../event.ts';
import { overflowEvent } from '../scenarios/overflow-event.ts';
import { orderedOverflows } from './overflow-order.ts';
import { ParserDump, type ParserResults } from './parser-dump.ts';
import { readLogLines } from './read-log-lines.ts';
import type { TestConfig } from './test-config.ts';
import type { TestEngine } from './test-engine.ts';

export interface TestDump {
  readonly parsers: ParserResults;
  /** In the order in which assertions count them; whitelisted ones too. */
  readonly overflows: readonly Event[];
  readonly lines: number;
}

/** @throws GatewayError HUBTEST_INVALID when the log cannot be read, or has a line that is too long. */
export async function runTestLog(
  { engine }: Pick<TestEngine, 'engine'>,
  config: TestConfig,
  folder: string,
  clock: Clock,
): Promise<TestDump> {
  const path = join(folder, config.logFile);
  const content = await readFile(path).catch((cause: unknown) => {
    throw new GatewayError('HUBTEST_INVALID', `the log ${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  const { lines, endedAt } = readLogLines(content);
  if (endedAt !== null) {
    throw new GatewayError('HUBTEST_INVALID', `line ${endedAt} of ${path} is longer than 64 KiB`, {
      remedy: 'CrowdSec reads no such line either; shorten it.',
    });
  }
  const dump = new ParserDump();
  // Without an observer, nodes that cannot match are left out, as they are when logs are read for real.
  const observer = config.ignoreParsers ? undefined : { parsers: dump, postoverflows: dump };
  const overflows: Event[] = [];
  for (const raw of lines) {
    const Labels = Object.assign(new FieldMap(), config.labels, { type: config.logType });
    const line = { Raw: raw, Src: path, Time: clock.now(), Labels, Process: true, Module: 'file' };
    const result = await engine.feed(line, 1, observer);
    for (const { event, overflow } of result.overflows) overflows.push(event ?? overflowEvent(overflow));
  }
  return { parsers: dump.results, overflows: orderedOverflows(overflows), lines: lines.length };
}
