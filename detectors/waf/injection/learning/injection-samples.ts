/**
 * The labelled samples that the fingerprints are learned from and checked with: files of lines, URL-encoded, where `#`
 * begins a remark. Half of the lines, told by their hash, are for learning and half are for checking.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface InjectionSample {
  readonly file: string;
  /** The decoded value, as a byte string. */
  readonly text: string;
  /** True for the part that fingerprints are learned from. */
  readonly learning: boolean;
}

/** `+` and `%41` as a query string has them; a `%` without two digits is itself. */
function decodeSample(line: string): string {
  return line
    .replaceAll('+', ' ')
    .replace(/%([\dA-Fa-f]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** The samples of the files in `folder` whose names begin with `prefix` (`sqli-`, `xss-`, `false_positives`). */
export function readInjectionSamples(folder: string, prefix: string): InjectionSample[] {
  const samples: InjectionSample[] = [];
  const files = readdirSync(folder).filter((name) => name.startsWith(prefix) && name.endsWith('.txt'));
  for (const file of files.sort()) {
    for (const raw of readFileSync(join(folder, file), 'latin1').split('\n')) {
      // White space at the start is part of some attacks.
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      if (line.trim() === '' || line.startsWith('#')) continue;
      samples.push({ file, text: decodeSample(line), learning: (hashOf(line) & 0x10000) === 0 });
    }
  }
  return samples;
}
