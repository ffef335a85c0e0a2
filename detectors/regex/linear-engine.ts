/**
 * V8's linear engine as the fallback of its backtracking one, and the proof at start-up that it is there. Without it a
 * request of a few dozen characters can hold the event loop for hours, so the gateway does not start.
 *
 * The flags work when set before a pattern first runs; NODE_OPTIONS refuses them, therefore the entry file sets them. They
 * are experimental: the probe holds each Node version to what the translator relies on. Specification: V8's
 * `src/regexp/experimental/`.
 */
import { setFlagsFromString } from 'node:v8';
import { Script, createContext } from 'node:vm';
import type { Clock } from '../../core/clock.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { compilePattern } from './compile-pattern.ts';

/** Steps back after which a match is begun again on the linear engine. V8's default of 50,000 costs up to 180 ms per match. */
const backtracksBeforeFallback = 1_000;

/** How long one probe may take: generous for a busy machine, and for ever too short for the backtracking engine. */
const probeTimeoutMs = 2_000;

/**
 * Patterns that take the backtracking engine practically for ever on the pumped text: one for each kind of spelling that
 * must not keep V8 from its linear engine.
 */
const probes: readonly { readonly pattern: string; readonly text: string }[] = [
  { pattern: '^(a+)+$', text: pumped('a') },
  { pattern: '(?i)^(?:[a-z]+)+$', text: pumped('aB') },
  { pattern: '(?:(?:(?:(?:(?:a+)+)+)+)+)+$', text: pumped('a') },
  { pattern: '^(?:a{1,40}){1,20}$', text: pumped('a') },
  { pattern: '(?m)^(\\w+\\s?)+$', text: pumped('a') },
  { pattern: '\\b(?:.+)+é$', text: pumped('aé😀') },
];

function pumped(unit: string): string {
  return `${unit.repeat(48)}!`;
}

/** First thing in the entry file: patterns that ran before it keep the engine they have. */
export function enableLinearEngine(): void {
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  setFlagsFromString(`--regexp-backtracks-before-fallback=${backtracksBeforeFallback}`);
  // The first run of a pattern is interpreted; shortening its code for that one run takes longer than everything else.
  setFlagsFromString('--no-regexp-peephole-optimization');
}

/**
 * Runs the probes and returns how long they took, in milliseconds. Never hangs: each runs under V8's own time limit.
 * @throws GatewayError RUNTIME_UNSUITABLE when a pattern does not come back, or comes back with another answer.
 */
export function probeLinearEngine(clock: Clock): number {
  const startedAt = clock.monotonic();
  for (const { pattern, text } of probes) {
    const { regexp } = compilePattern(pattern);
    let matched: unknown;
    try {
      matched = runLimited(regexp.source, text);
    } catch (error) {
      throw unsuitable(pattern, messageOf(error));
    }
    if (matched !== false) throw unsuitable(pattern, 'it matched a text that it does not match');
  }
  return clock.monotonic() - startedAt;
}

function runLimited(source: string, text: string): unknown {
  const script = new Script('new RegExp(source).test(text)', { filename: 'linear-engine-probe' });
  return script.runInContext(createContext({ source, text }), { timeout: probeTimeoutMs });
}

function unsuitable(pattern: string, reason: string): GatewayError {
  return new GatewayError(
    'RUNTIME_UNSUITABLE',
    `the linear regular-expression engine of this Node (${process.version}) failed on ${pattern}: ${reason}`,
    { remedy: 'Start Portcullis through bin/portcullis.js, with the Node version that package.json pins.' },
  );
}
