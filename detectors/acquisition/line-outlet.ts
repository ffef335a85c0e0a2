/**
 * The way out of a source: makes a `Line` of what was read, pushes it, counts it. There are two ways to push: `deliver` waits
 * for room, for what can be read later as well; `offer` does not, for what comes and goes.
 */
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Line, StringMap } from '../event.ts';
import { orAborted } from './abortable.ts';
import type { LineSink } from './acquisition-source.ts';
import type { SourceMeter } from './source-meter.ts';

/** `transform` of a document, compiled: one line in, any number of lines out. Raises when the expression does. */
export type LineTransform = (line: Line) => readonly string[];

export interface OutletParts {
  readonly sink: LineSink;
  readonly meter: SourceMeter;
  readonly clock: Clock;
  /** The source is being closed: waiting ends. */
  readonly signal: AbortSignal;
  /** `Line.Module`: the kind of source, as CrowdSec names it. */
  readonly module: string;
  /** Shared by all lines and never written to. */
  readonly labels: StringMap;
  /** Buckets follow the time that lines carry, not the time at which they come. */
  readonly timeMachine: boolean;
  readonly transform: LineTransform | null;
}

/** A sink that says it has room and then takes nothing is asked again after this. */
const patienceMs = 50;

export class LineOutlet {
  private readonly parts: OutletParts;

  constructor(parts: OutletParts) {
    this.parts = parts;
  }

  /** Takes the line or drops it; false: dropped, and counted. Empty lines count as taken. */
  offer(raw: string, src: string, labels: StringMap = this.parts.labels): boolean {
    let taken = true;
    for (const line of this.linesOf(raw, src, labels)) {
      if (this.push(line)) continue;
      this.parts.meter.drop(1, 'the engine has no room for more lines');
      taken = false;
    }
    return taken;
  }

  /** True: taken. A promise: there is no room yet; false then says that the source was closed before there was. */
  deliver(raw: string, src: string, labels: StringMap = this.parts.labels): true | Promise<boolean> {
    const lines = this.linesOf(raw, src, labels);
    for (const [index, line] of lines.entries()) {
      if (!this.push(line)) return this.wait(lines.slice(index));
    }
    return true;
  }

  private async wait(lines: readonly Line[]): Promise<boolean> {
    const { sink, meter, signal, clock } = this.parts;
    meter.waiting();
    for (const line of lines) {
      for (let attempt = 0; !this.push(line); attempt++) {
        if (signal.aborted) return false;
        if (attempt > 0) await clock.sleep(patienceMs, signal);
        await orAborted(sink.drained(), signal);
        if (signal.aborted) return false;
      }
    }
    meter.running();
    return true;
  }

  private linesOf(raw: string, src: string, labels: StringMap): readonly Line[] {
    if (raw === '') return [];
    const { clock, module, transform, meter } = this.parts;
    const line: Line = { Raw: raw, Src: src, Time: clock.now(), Labels: labels, Process: true, Module: module };
    if (transform === null) return [line];
    try {
      return transform(line).flatMap((text) => (text === '' ? [] : [{ ...line, Raw: text }]));
    } catch (error) {
      meter.drop(1, `transform: ${messageOf(error)}`);
      return [];
    }
  }

  private push(line: Line): boolean {
    const { sink, meter, timeMachine } = this.parts;
    if (!sink.push(line, timeMachine ? 1 : 0)) return false;
    meter.taken(Buffer.byteLength(line.Raw), line.Time);
    return true;
  }
}
