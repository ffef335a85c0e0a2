/**
 * The log that `bench engine` reads: a web shop's combined-format access log, the same bytes for the same seed. 500 lines a
 * second of log time; 5,000 clients; 5 % of the lines are scanners', a few of whom are at work at any moment. A shorter log
 * is the beginning of a longer one.
 */
import { combinedLine, type LogRequest, logTime } from './log-request.ts';
import { createScanner, type Scanner, scannerKinds } from './scanners.ts';
import { createSequence, type Sequence } from './sequence.ts';
import { createVisitor, pageView, type Visitor } from './visitors.ts';

export interface LogOptions {
  readonly seed: number;
  readonly lines: number;
}

export const logShape = { clients: 5_000, scanners: 100, scannerShare: 0.05, linesPerSecond: 500 } as const;

/** Epoch seconds of the first line: 21 November 2026, 10:00 UTC. Dates of a log are its own, not the day of the run. */
const startsAt = Date.UTC(2026, 10, 21, 10) / 1000;

/** Scanners at work at one time, and page views being loaded: what makes their requests come in bursts. */
const atWork = 8;
const loading = 60;

/** A request and when it is logged, epoch seconds: the format knows no fractions. */
export interface TimedRequest {
  readonly request: LogRequest;
  readonly at: number;
}

export function* generateRequests({ seed, lines }: LogOptions): Generator<TimedRequest, void, undefined> {
  const traffic = createTraffic(createSequence(seed));
  for (let index = 0; index < lines; index += 1) {
    yield { request: traffic.next(), at: startsAt + Math.floor(index / logShape.linesPerSecond) };
  }
}

/** The lines, without line breaks. */
export function* generateLog(options: LogOptions): Generator<string, void, undefined> {
  let second = 0;
  let time = '';
  for (const { request, at } of generateRequests(options)) {
    if (at !== second) time = logTime((second = at));
    yield combinedLine(request, time);
  }
}

function createTraffic(random: Sequence): { next(): LogRequest } {
  const visitors = Array.from({ length: logShape.clients - logShape.scanners }, (_, index) =>
    createVisitor(clientAddress(index, random), random),
  );
  const scanners = createScannerShift(random);
  const views = Array.from({ length: loading }, () => new PageLoad());
  return {
    next: () => (random.chance(logShape.scannerShare) ? scanners.next() : random.pick(views).next(visitors, random)),
  };
}

/** A page view in progress; when it is through, another visitor takes the place. */
class PageLoad {
  #requests: readonly LogRequest[] = [];
  #done = 0;

  next(visitors: readonly Visitor[], random: Sequence): LogRequest {
    if (this.#done === this.#requests.length) {
      this.#requests = pageView(random.pick(visitors), random);
      this.#done = 0;
    }
    return this.#requests[this.#done++] as LogRequest;
  }
}

interface Session {
  readonly scanner: Scanner;
  /** Requests until it is over, and how many come in one go. */
  left: number;
  readonly burst: number;
}

/** Sessions of 15 to 105 requests, kinds in turn, so that every kind is there early. */
function createScannerShift(random: Sequence): { next(): LogRequest } {
  let begun = 0;
  const begin = (): Session => {
    const kind = scannerKinds[begun % scannerKinds.length] ?? 'probing';
    // Whoever was noticed comes back later from the same address: the hundred take turns.
    const client = scannerAddress(begun % logShape.scanners);
    begun += 1;
    return {
      scanner: createScanner(kind, client, random),
      left: 15 + random.below(91),
      burst: kind === 'crawl' ? 60 : 1 + random.below(3),
    };
  };
  const sessions = Array.from({ length: atWork }, begin);
  let place = 0;
  let inBurst = 0;
  return {
    next() {
      if (inBurst === 0) {
        place = random.below(atWork);
        if (sessions[place]?.left === 0) sessions[place] = begin();
        const { left, burst } = sessions[place] as Session;
        inBurst = Math.min(left, burst);
      }
      const session = sessions[place] as Session;
      session.left -= 1;
      inBurst -= 1;
      return session.scanner.next();
    },
  };
}

/** Public addresses, scattered; one in eight an IPv6 address. */
function clientAddress(index: number, random: Sequence): string {
  const hex = (): string => random.below(65_536).toString(16);
  if (index % 8 === 7)
    return `2a02:${hex()}:${hex()}:${index.toString(16)}::${(1 + random.below(65_535)).toString(16)}`;
  const [low, high] = [index % 250, Math.floor(index / 250)];
  return `${78 + high}.${1 + low}.${random.below(256)}.${1 + random.below(254)}`;
}

function scannerAddress(index: number): string {
  if (index % 10 === 9) return `2001:db8:bad:${index.toString(16)}::${(index * 7 + 1).toString(16)}`;
  return `${185 + (index % 9)}.${40 + index}.${(index * 37) % 256}.${1 + ((index * 11) % 254)}`;
}
