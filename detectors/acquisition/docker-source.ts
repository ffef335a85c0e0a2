/**
 * Logs of containers, through Docker's API: the containers that are meant are found, followed while they run, and found again
 * when they start. The time of the last line that was taken is kept, so that nothing is lost or read twice over restarts.
 * Specification: CrowdSec `pkg/acquisition/modules/docker`.
 */
import { parseDuration } from '../../core/duration.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { orAborted } from './abortable.ts';
import type { DockerDocument, Labels } from './acquisition-document.ts';
import type { AcquisitionSource } from './acquisition-source.ts';
import { type Container, containersOf, labelsFor } from './container-choice.ts';
import { createDockerApi, type DockerApi } from './docker-api.ts';
import { createDockerDecoder, type DockerLine } from './docker-stream.ts';
import { defaultLineLimit } from './line-splitter.ts';
import type { LineOutlet } from './line-outlet.ts';
import { createManagedSource, type SourceRun } from './managed-source.ts';
import { labelMap, outletOf, resumeKeyOf, type SourceParts } from './source-parts.ts';
import type { StringMap } from '../event.ts';

/** Containers that one document follows. */
const mostContainers = 512;

export function createDockerSource(document: DockerDocument, parts: SourceParts): AcquisitionSource {
  return createManagedSource(
    {
      kind: 'docker',
      name: document.name,
      run: (run) => new ContainerFollower(document, parts, run).follow(),
    },
    parts.runtime,
  );
}

class ContainerFollower {
  private readonly document: DockerDocument;
  private readonly parts: SourceParts;
  private readonly run: SourceRun;
  private readonly api: DockerApi;
  private readonly outlet: LineOutlet;
  private readonly key: string;
  private readonly followed = new Map<string, Promise<void>>();
  /** Ends with the run: closed, or failed. */
  private readonly ending = new AbortController();
  private firstList = true;

  constructor(document: DockerDocument, parts: SourceParts, run: SourceRun) {
    this.document = document;
    this.parts = parts;
    this.run = run;
    this.api = createDockerApi(document.host);
    this.outlet = outletOf(document, document.labels, parts, run);
    this.key = resumeKeyOf(document);
  }

  async follow(): Promise<void> {
    const { clock } = this.parts.runtime;
    const { signal } = this.ending;
    const end = (): void => this.ending.abort();
    this.run.signal.addEventListener('abort', end, { once: true });
    if (this.run.signal.aborted) end();
    try {
      const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start'] }));
      const events = await orAborted(this.api.stream(`/events?filters=${filters}`, signal), signal);
      if (events === null) return;
      const iterator = events[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      let next = nextEvent(iterator, signal);
      while (!signal.aborted) {
        await this.attachAll();
        const pause = new AbortController();
        const woken = await Promise.race([
          next,
          clock.sleep(this.document.checkPeriodMs, pause.signal).then(() => 'time' as const),
        ]);
        pause.abort();
        if (woken === 'time') continue;
        if (woken === null) return;
        if (woken.done === true) throw eventsEnded();
        next = nextEvent(iterator, signal);
      }
    } finally {
      this.run.signal.removeEventListener('abort', end);
      end();
      await Promise.all(this.followed.values());
      this.parts.resume.set(this.key, { searchedAt: clock.now() });
    }
  }

  /** Follows the containers that are meant and not followed yet. */
  private async attachAll(): Promise<void> {
    const { meter } = this.run;
    const answer = await orAborted(this.api.json('/containers/json', this.ending.signal), this.ending.signal);
    if (answer === null) return;
    let trouble: string | null = null;
    for (const container of containersOf(answer)) {
      const labels = labelsFor(container, this.document);
      if (labels === null || this.followed.has(container.id)) continue;
      if (typeof labels === 'string') trouble = labels;
      else if (this.followed.size >= mostContainers) trouble = `more than ${mostContainers} containers are meant`;
      else this.attach(container, labels);
    }
    this.firstList = false;
    if (trouble !== null) meter.trouble(trouble);
    if (this.followed.size > 0) meter.running();
    else meter.waiting();
  }

  private attach(container: Container, labels: Labels): void {
    const isFirst = this.firstList;
    const done = this.followContainer(container, labelMap(labels), isFirst)
      .catch((error: unknown) => {
        // It is found again at the next look, if it still runs.
        if (!this.ending.signal.aborted) this.run.meter.trouble(`container ${container.name}: ${messageOf(error)}`);
      })
      .finally(() => this.followed.delete(container.id));
    this.followed.set(container.id, done);
  }

  private async followContainer(container: Container, labels: StringMap, isFirst: boolean): Promise<void> {
    const { signal } = this.ending;
    const details = (await this.api.json(`/containers/${container.id}/json`, signal)) as ContainerDetails;
    const key = `${this.key}\n${container.id}`;
    const entry = this.parts.resume.get(key);
    const place = new LogPlace(String(entry?.time ?? ''), Number(entry?.count ?? 0));
    const since = place.time === '' ? this.startOf(details, isFirst) : unixTime(place.time);
    const stream = await this.api.stream(`/containers/${container.id}/logs?${this.query(since)}`, signal);
    const decoder = createDockerDecoder(details.Config?.Tty === true, defaultLineLimit);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (const line of decoder.feed(chunk)) {
        if (place.isPast(line)) continue;
        if (!(await this.outlet.deliver(line.text, container.name, labels))) return;
        if (line.truncated) this.run.meter.truncate();
        place.passed(line);
      }
      if (place.time !== '') this.parts.resume.set(key, { time: place.time, count: place.count });
    }
  }

  private query(since: string): string {
    const { stdout, stderr, until } = this.document;
    const query = new URLSearchParams({
      follow: 'true',
      timestamps: 'true',
      stdout: String(stdout),
      stderr: String(stderr),
      since,
    });
    const end = until === '' ? null : this.timeOf(until);
    if (end !== null) query.set('until', end);
    return query.toString();
  }

  /**
   * Where a container that was not met before is read from: `since`; from now on what runs already when acquisition starts for
   * the first time; from its start what is started later, also while the gateway was down.
   */
  private startOf(details: ContainerDetails, isFirst: boolean): string {
    const asked = this.document.since === '' ? null : this.timeOf(this.document.since);
    if (asked !== null) return asked;
    const now = this.parts.runtime.clock.now();
    const startedAt = Date.parse(details.State?.StartedAt ?? '');
    const searchedAt = this.parts.resume.get(this.key)?.searchedAt;
    const isNew = !isFirst || (typeof searchedAt === 'number' && startedAt >= searchedAt);
    return isNew && startedAt > 0 ? unixTime(details.State?.StartedAt ?? '') : (now / 1_000).toFixed(3);
  }

  /** A point in time as Docker takes it: seconds since 1970, a date, or how long ago. */
  private timeOf(written: string): string | null {
    if (/^\d+(?:\.\d+)?$/.test(written)) return written;
    const ago = parseDuration(written);
    if (ago !== null) return ((this.parts.runtime.clock.now() - Math.abs(ago)) / 1_000).toFixed(3);
    return Number.isNaN(Date.parse(written)) ? null : unixTime(written);
  }
}

function nextEvent(events: AsyncIterator<Buffer>, signal: AbortSignal): Promise<IteratorResult<Buffer> | null> {
  const next = orAborted(events.next(), signal).catch((cause: unknown) => {
    throw eventsEnded(cause);
  });
  // It may fail while something else is waited for; who waits for it then hears of it.
  next.catch(() => undefined);
  return next;
}

function eventsEnded(cause?: unknown): GatewayError {
  return new GatewayError('SOURCE_FAILED', 'Docker ended the stream of its events', { cause });
}

interface ContainerDetails {
  readonly Config?: { readonly Tty?: boolean };
  readonly State?: { readonly StartedAt?: string };
}

/** How far a container's log was read: the time of the last line, and how many lines of that very time were taken. */
class LogPlace {
  time: string;
  count: number;
  /** Lines of `time` that come once more, because Docker begins with that time. */
  private again: number;

  constructor(time: string, count: number) {
    this.time = time;
    this.count = count;
    this.again = time === '' ? 0 : count;
  }

  isPast(line: DockerLine): boolean {
    if (this.again === 0 || line.time !== this.time) return false;
    this.again--;
    return true;
  }

  passed(line: DockerLine): void {
    this.again = 0;
    if (line.time === this.time) this.count++;
    else {
      this.time = line.time || this.time;
      this.count = 1;
    }
  }
}

/** RFC 3339 with nanoseconds → seconds since 1970 with as many digits, which no double holds. */
function unixTime(written: string): string {
  const seconds = Math.floor(Date.parse(written) / 1_000);
  const fraction = /\.(\d{1,9})/.exec(written)?.[1] ?? '';
  return fraction === '' ? String(seconds) : `${seconds}.${fraction.padEnd(9, '0')}`;
}
