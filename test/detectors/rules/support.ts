/** Parses single lines with a folder's parsers, ours or the hub's. */
import { join } from 'node:path';
import { createLog } from '../../../core/log.ts';
import { packageRoot } from '../../../core/package-root.ts';
import { noDataFiles } from '../../../detectors/expr/data-files.ts';
import { createExpressionCompiler } from '../../../detectors/expr/compile.ts';
import { eventEnvironment } from '../../../detectors/expr/environment.ts';
import { createLineEvent } from '../../../detectors/engine/line-event.ts';
import { loadItems } from '../../../detectors/engine/load-items.ts';
import { type Event, FieldMap } from '../../../detectors/event.ts';
import { createParserSet, type ParserSet } from '../../../detectors/parsers/parser-set.ts';
import { createStash } from '../../../detectors/parsers/stash.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { noGeo } from '../../support/no-geo.ts';
import { createManualClock } from '../../support/manual-clock.ts';

export const rules = join(packageRoot, 'detectors', 'rules');

/** The event that the parsers make of a line, or null when none understands it. */
export type ParseLine = (raw: string, type: string) => Event | null;

/** The parsers of these files and folders. A document that is not valid is an error. */
export async function parserOf(paths: readonly string[]): Promise<ParseLine> {
  const clock = createManualClock();
  const items = await loadItems(paths);
  const stash = createStash(clock);
  const helpers = { clock, files: noDataFiles, regex: (pattern: string) => compilePattern(pattern), stash };
  const expressions = createExpressionCompiler({ environment: eventEnvironment, helpers });
  const deps = {
    clock,
    log: createLog('silent'),
    expressions,
    files: noDataFiles,
    stash,
    geo: noGeo,
    hosts: null,
  };
  const set: ParserSet = createParserSet(items.parsers, deps);
  const [fault] = [...items.faults, ...set.faults];
  if (fault !== undefined) throw fault.error;
  return (raw, type) => {
    const Labels = Object.assign(new FieldMap(), { type });
    const line = { Raw: raw, Src: 'test.log', Time: clock.now(), Labels, Process: true, Module: 'file' };
    const event = createLineEvent(line, 1, clock.now());
    return set.parse(event, null).kind === 'passed' ? event : null;
  };
}
