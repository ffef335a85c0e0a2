/** A Local API that is measured. */
import type { Telling } from '../../test/support/servers/tell-on-failure.ts';
import type { LapiBenchOptions } from './lapi-options.ts';

export interface LapiContender {
  readonly name: string;
  readonly about: string;
  readonly port: number;
  readonly pid: number;
  /** Of bouncers, each with one of its own. */
  readonly keys: readonly string[];
  readonly machine: { readonly id: string; readonly password: string };
  /** Decisions of its import. */
  readonly decisions: number;
  /** Where visitors ask the gateway; null: it is none. */
  readonly sitePort: number | null;
  /** A file with one address a line, by the command line that people use. */
  importDecisions(file: string): Promise<void>;
}

export type StartContender = (t: Telling, options: LapiBenchOptions) => Promise<LapiContender>;

export const bouncerNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `bench-${index}`);

/** The addresses of an import, different ones, no private ones among them: 11.0.0.0/8 and what follows. */
export function addressAt(index: number): string {
  const word = 0x0b000000 + index * 7;
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}
