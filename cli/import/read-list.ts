/** A list of decisions, from bytes to batches of entries, in bounded memory. */
import { GatewayError } from '../../core/errors.ts';
import { createCsvReader } from './csv-reader.ts';
import type { ImportEntry, LineFault, ListReader, ListSink } from './import-entry.ts';
import { createJsonReader } from './json-reader.ts';
import { createValuesReader } from './values-reader.ts';

export const listFormats = ['csv', 'json', 'values'] as const;
export type ListFormat = (typeof listFormats)[number];

/** What one piece of the input held. */
export interface ListPart {
  readonly entries: readonly ImportEntry[];
  readonly faults: readonly LineFault[];
  /** Bytes read so far. */
  readonly bytes: number;
}

/**
 * Reads to the end. Without a `format`, the beginning of the text decides.
 *
 * @throws GatewayError USAGE when the format cannot be told.
 */
export async function* readList(
  input: AsyncIterable<Uint8Array | string>,
  format: ListFormat | null,
): AsyncGenerator<ListPart> {
  const decoder = new TextDecoder();
  let entries: ImportEntry[] = [];
  let faults: LineFault[] = [];
  const sink: ListSink = { entry: (entry) => void entries.push(entry), fault: (fault) => void faults.push(fault) };
  let reader: ListReader | null = null;
  let begun = '';
  let bytes = 0;
  const hand = (): ListPart => {
    const part = { entries, faults, bytes };
    entries = [];
    faults = [];
    return part;
  };
  for await (const chunk of input) {
    bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength;
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (reader === null) {
      begun += text;
      const decided = format ?? formatOf(begun, false);
      if (decided === null) continue;
      reader = createReader(decided, sink);
      reader.read(begun);
      begun = '';
    } else reader.read(text);
    if (entries.length + faults.length > 0) yield hand();
  }
  const rest = begun + decoder.decode();
  reader ??= createReader(format ?? formatOf(begun, true) ?? 'values', sink);
  reader.read(rest);
  reader.end();
  yield hand();
}

function createReader(format: ListFormat, sink: ListSink): ListReader {
  switch (format) {
    case 'csv':
      return createCsvReader(sink);
    case 'json':
      return createJsonReader(sink);
    case 'values':
      return createValuesReader(sink);
    default:
      return format satisfies never;
  }
}

/** So much is looked at to tell a format, comments before the first line included. */
const longestBeginning = 65_536;

/** What the text begins as: `[` or `{` is JSON, a first line that names a column "value" is CSV. Null: more is needed. */
function formatOf(text: string, isAll: boolean): ListFormat | null {
  const said = text.replace(/^(?:\s|#[^\n]*\n)+/, '');
  if (said === '') return isAll || text.length > longestBeginning ? 'values' : null;
  if (said[0] === '[' || said[0] === '{') return 'json';
  const end = said.indexOf('\n');
  if (end === -1 && !isAll && said.length < longestBeginning) return null;
  const first = end === -1 ? said : said.slice(0, end);
  const columns = first.split(',').map((name) =>
    name
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .toLowerCase(),
  );
  return columns.includes('value') ? 'csv' : 'values';
}

/**
 * The format that a person named, or that the name of the file says.
 * @throws GatewayError USAGE
 */
export function formatNamed(format: string | undefined, path: string): ListFormat | null {
  const known = listFormats.find((one) => one === format);
  if (known !== undefined) return known;
  if (format !== undefined) {
    throw new GatewayError('USAGE', `"${format}" is no format of lists`, { remedy: 'Use csv, json or values.' });
  }
  if (path.endsWith('.json')) return 'json';
  return path.endsWith('.csv') ? 'csv' : null;
}
