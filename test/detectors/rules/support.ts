/** Parses single lines with a folder's parsers, ours or the hub's. */
import { join } from 'node:path';
import { createLog } from '../../../core/log.ts';
import { packageRoot } from '../../../core/package-root.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { assembleEngine, loadEngineData } from '../../../detectors/engine/assemble-engine.ts';
import { createLineEvent } from '../../../detectors/engine/line-event.ts';
import { loadItems } from '../../../detectors/engine/load-items.ts';
import { type Event, FieldMap } from '../../../detectors/event.ts';
import { openGeoDatabases } from '../../../detectors/lookups/geoip.ts';
import { createManualClock } from '../../support/manual-clock.ts';

export const rules = join(packageRoot, 'detectors', 'rules');

/** The event that the parsers make of a line, or null when none understands it. */
export type ParseLine = (raw: string, type: string) => Event | null;

/** The parsers of these files and folders. A document that is not valid is an error. */
export async function parserOf(paths: readonly string[]): Promise<ParseLine> {
  const clock = createManualClock();
  const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  const items = await loadItems(paths);
  const parsersOnly = { parsers: items.parsers, postoverflows: [], scenarios: [], contexts: [] };
  const assembly = assembleEngine(
    parsersOnly,
    await loadEngineData(parsersOnly, []),
    { forRequests: false, ipv6Prefix: 128 },
    { ...runtime, geo: await openGeoDatabases({}, runtime), hosts: null },
  );
  assembly.close();
  const { parsers, itemFaults } = assembly;
  const [fault] = [...items.faults, ...itemFaults];
  if (fault !== undefined) throw fault.error;
  return (raw, type) => {
    const Labels = Object.assign(new FieldMap(), { type });
    const line = { Raw: raw, Src: 'test.log', Time: clock.now(), Labels, Process: true, Module: 'file' };
    const event = createLineEvent(line, 1, clock.now());
    return parsers.parse(event, null).kind === 'passed' ? event : null;
  };
}
