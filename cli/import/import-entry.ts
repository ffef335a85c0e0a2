/** What the readers of lists hand on: entries with the line they stand on, and lines that are none. */

export interface ImportEntry {
  /** From 1: where the entry begins. */
  readonly line: number;
  readonly value: string;
  readonly scope?: string;
  readonly type?: string;
  readonly duration?: string;
  readonly reason?: string;
  readonly origin?: string;
}

export interface LineFault {
  readonly line: number;
  readonly message: string;
}

/**
 * Takes a list apart while it is read: text goes in as it comes, and whatever is complete comes out. Keeps at most one entry
 * of `longestEntry` characters.
 */
export interface ListReader {
  read(text: string): void;
  /** What was unfinished is an entry or a fault now. */
  end(): void;
}

export interface ListSink {
  entry(entry: ImportEntry): void;
  fault(fault: LineFault): void;
}

/** In characters. An entry has at most seven short fields. */
export const longestEntry = 65_536;

/** The fields of an entry as CSV headers and JSON keys name them. `scenario` and `source` are what exports call them. */
export const fieldNames: Readonly<Record<string, Exclude<keyof ImportEntry, 'line'>>> = {
  value: 'value',
  scope: 'scope',
  type: 'type',
  duration: 'duration',
  reason: 'reason',
  scenario: 'reason',
  origin: 'origin',
};

/** An entry out of named texts; empty ones are as good as absent. Null when there is no value. */
export function entryOf(line: number, fields: Iterable<readonly [name: string, text: string]>): ImportEntry | null {
  const entry: { -readonly [Key in keyof ImportEntry]: ImportEntry[Key] } = { line, value: '' };
  for (const [name, text] of fields) {
    const field = Object.hasOwn(fieldNames, name) ? fieldNames[name] : undefined;
    if (field !== undefined && text !== '') entry[field] = text;
  }
  return entry.value === '' ? null : entry;
}
