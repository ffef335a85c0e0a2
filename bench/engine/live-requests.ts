/**
 * What a live request pays for detection: the events that the gateway would make of the generated log, poured as the gateway
 * pours them, before the request is passed and after its response. Time goes at the log's pace, not the bench's, so that
 * buckets leak as they would.
 */
import { type Clock, systemClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { createSystemRandom } from '../../core/random.ts';
import { assembleEngine, loadEngineData } from '../../detectors/engine/assemble-engine.ts';
import { loadItems } from '../../detectors/engine/load-items.ts';
import type { Event } from '../../detectors/event.ts';
import { openGeoDatabases } from '../../detectors/lookups/geoip.ts';
import type { ScenarioDetector } from '../../detectors/scenarios/detector.ts';
import { completeEvent, createRequestEvent } from '../../gateway/request-event.ts';
import { generateRequests, type TimedRequest } from './generate-log.ts';

export interface LiveOptions {
  /** A folder of scenarios in the hub's format; those that read web access are used. */
  readonly scenarios: string;
  readonly dataFolder: string;
  readonly seed: number;
  readonly requests: number;
  readonly rounds: number;
}

export interface LiveRun {
  readonly scenarios: number;
  readonly requests: number;
  readonly alerts: number;
  /** CPU microseconds of one request, the mean of each round. The first round, which warms up, is not among them. */
  readonly microseconds: readonly number[];
}

export async function measureLiveRequests(options: LiveOptions): Promise<LiveRun> {
  const { scenarios } = await loadItems([options.scenarios]);
  const web = scenarios.filter(({ filter }) => readsWebAccess(filter));
  const requests = [...generateRequests({ seed: options.seed, lines: options.requests })];
  const microseconds: number[] = [];
  let alerts = 0;
  for (let round = 0; round <= options.rounds; round += 1) {
    const time = { now: 0 };
    const clock: Clock = { ...systemClock, now: () => time.now };
    const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
    const items = { parsers: [], postoverflows: [], contexts: [], scenarios: web };
    const assembly = assembleEngine(
      items,
      await loadEngineData(items, [options.dataFolder]),
      { forRequests: true, ipv6Prefix: 64 },
      { ...runtime, geo: await openGeoDatabases({}, runtime), hosts: null },
    );
    const [fault] = assembly.itemFaults;
    if (fault !== undefined) throw fault.error;
    const poured = pourAll(assembly.detector, requests, time);
    assembly.close();
    if (round > 0) microseconds.push(poured.microseconds);
    alerts = poured.alerts;
  }
  return { scenarios: web.length, requests: requests.length, alerts, microseconds };
}

/** Documents that web access events feed: those that name a field which only such events fill. */
export function readsWebAccess(filter: string): boolean {
  return /http_access-log|evt\.Meta\.http_(?:path|status)|evt\.Meta\.service == 'http'/.test(filter);
}

/** Events are made in batches outside the measured time: what they cost is the gateway's, not the scenarios'. */
function pourAll(detector: ScenarioDetector, requests: readonly TimedRequest[], time: { now: number }) {
  const batch = 2_000;
  let cpuUs = 0;
  let alerts = 0;
  for (let start = 0; start < requests.length; start += batch) {
    const part = requests.slice(start, start + batch);
    const events = part.map(eventOf);
    const before = process.cpuUsage();
    for (const [index, event] of events.entries()) {
      const { request, at } = part[index] as TimedRequest;
      time.now = at * 1000;
      alerts += detector.pourRequest(event).length;
      completeEvent(event, request.status, null);
      alerts += detector.pourResponse(event).length;
    }
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
  }
  return { microseconds: cpuUs / requests.length, alerts };
}

function eventOf({ request, at }: TimedRequest, index: number): Event {
  const absent = (text: string): string | undefined => (text === '-' ? undefined : text);
  return createRequestEvent({
    requestId: String(index),
    clientIp: request.client,
    method: request.verb ?? 'GET',
    target: request.target,
    httpVersion: request.version,
    host: 'shop.example',
    userAgent: absent(request.userAgent),
    referer: absent(request.referer),
    at: at * 1000,
    timestamp: new Date(at * 1000).toISOString(),
  });
}
