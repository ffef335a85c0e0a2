/**
 * `RenderContext`: what one run of a template is handed, and the bounds it is held to. Templates are the operator's, but
 * what they loop over comes from attackers.
 */
import type { Clock } from '../../../core/clock.ts';
import type { Random } from '../../../core/random.ts';
import { compilePattern, type Pattern } from '../../../detectors/regex/compile-pattern.ts';
import { ValueFault } from './template-error.ts';
import type { Zones } from './time-zone.ts';

export interface TemplateRuntime {
  readonly clock: Clock;
  readonly random: Random;
  /** What `Hostname` gives. */
  readonly hostname: string;
  /** Made once for all runs. */
  readonly zones: Zones;
}

export interface TemplateLimits {
  /** Of the output, and of every text on the way to it. */
  readonly textBytes: number;
  /** Parts evaluated; a large result counts by its size. */
  readonly steps: number;
  /** Templates that call templates, and values inside values. */
  readonly depth: number;
}

export const defaultLimits: TemplateLimits = { textBytes: 1_048_576, steps: 500_000, depth: 100 };

/** A search may go back a thousand steps before the linear engine takes over. */
export const searchSteps = 250;

/** Patterns that one run keeps compiled: a loop usually has one. */
const keptPatterns = 32;

export class RenderContext {
  readonly runtime: TemplateRuntime;
  readonly limits: TemplateLimits;
  #steps = 0;
  readonly #patterns = new Map<string, Pattern>();

  constructor(runtime: TemplateRuntime, limits: TemplateLimits) {
    this.runtime = runtime;
    this.limits = limits;
  }

  /** @throws ValueFault when the run has done more than it may. */
  charge(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.limits.steps) {
      throw new ValueFault(`the template takes more than ${this.limits.steps} steps`);
    }
  }

  /** Asked before a text of that many bytes is made. */
  reserve(bytes: number): void {
    if (bytes > this.limits.textBytes) {
      throw new ValueFault(`a text grows beyond ${this.limits.textBytes} bytes`);
    }
    this.charge(Math.ceil(bytes / 64));
  }

  checkDepth(depth: number): void {
    if (depth > this.limits.depth) throw new ValueFault(`nested more than ${this.limits.depth} deep`);
  }

  /** Charges for one search as well. @throws GatewayError PATTERN_INVALID */
  pattern(source: string): Pattern {
    this.charge(searchSteps);
    const known = this.#patterns.get(source);
    if (known !== undefined) return known;
    this.charge(1_000 + source.length);
    const pattern = compilePattern(source);
    if (this.#patterns.size >= keptPatterns) this.#patterns.clear();
    this.#patterns.set(source, pattern);
    return pattern;
  }
}
