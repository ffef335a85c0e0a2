/**
 * The data files that items name (`data:`): read once from one folder, by the name that expressions use (`dest_file`).
 * Reading them anew means making new `DataFiles`, and a new detector with them: everything derived from a list is kept.
 * Specification: CrowdSec `pkg/exprhelpers/exprlib.go` (`FileInit`).
 */
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { DataFiles, DataRow, PatternTest } from '../expr/data-files.ts';
import { compilePattern } from '../regex/compile-pattern.ts';
import { createPatternList } from './pattern-list.ts';
import type { DataSpec } from './data-spec.ts';
import { readDataText } from './find-data-file.ts';

/** A document that names data files. */
export interface DataUser {
  readonly name: string;
  readonly data: readonly DataSpec[];
}

export interface LoadedDataFiles {
  readonly files: DataFiles;
  /** Files that are absent or damaged (DATA_FILE_MISSING, PATTERN_INVALID); each counts as empty or without the bad lines. */
  readonly faults: readonly GatewayError[];
}

/** The contents of one file, by what its type makes of it. */
interface Content {
  readonly lines: readonly string[];
  readonly patterns: readonly PatternTest[];
  readonly rows: readonly DataRow[];
}

const none: readonly never[] = [];
const empty: Content = { lines: none, patterns: none, rows: none };

/**
 * Reads the files that `documents` name, from `folders` in order (`find-data-file.ts`). Of two entries for one name the first
 * is used.
 */
export async function loadDataFiles(
  documents: readonly DataUser[],
  folders: readonly string[],
): Promise<LoadedDataFiles> {
  const contents = new Map<string, Content>();
  const faults: GatewayError[] = [];
  for (const { name, data } of documents) {
    for (const spec of data) {
      // Files without a type (MaxMind databases) are not read by expressions.
      if (spec.type === '' || contents.has(spec.destFile)) continue;
      contents.set(spec.destFile, await readDataFile(spec, name, folders, faults));
    }
  }
  const content = (name: string): Content => contents.get(name) ?? empty;
  const files: DataFiles = {
    loaded: (name) => contents.has(name) && contents.get(name) !== empty,
    lines: (name) => content(name).lines,
    patterns: (name) => content(name).patterns,
    rows: (name) => content(name).rows,
  };
  return { files, faults };
}

async function readDataFile(
  spec: DataSpec,
  item: string,
  folders: readonly string[],
  faults: GatewayError[],
): Promise<Content> {
  const text = await readDataText(spec, folders);
  if (text !== null) return contentOf(spec, text, faults);
  const searched = folders.length === 0 ? 'no data folder is set' : `looked in ${folders.join(', ')}`;
  faults.push(
    new GatewayError('DATA_FILE_MISSING', `${item} needs the data file ${spec.destFile}; ${searched}`, {
      remedy: spec.sourceUrl === '' ? 'Put it there.' : `Download it from ${spec.sourceUrl}.`,
    }),
  );
  return empty;
}

function contentOf(spec: DataSpec, text: string, faults: GatewayError[]): Content {
  const lines = linesOf(text);
  switch (spec.type) {
    case 'string':
      return { ...empty, lines };
    case 'regexp':
    case 'regex':
      return { ...empty, patterns: createPatternList(patternsOf(spec, lines, faults)) };
    case 'map':
      return { ...empty, rows: rowsOf(spec, lines, faults) };
    default:
      // `bots` needs confirmed reverse names, which nothing here looks up: MatchKnownBot then knows no bot.
      return empty;
  }
}

/** Lines as upstream reads them: empty ones and comments left out, spaces kept, one trailing carriage return dropped. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function patternsOf(spec: DataSpec, lines: readonly string[], faults: GatewayError[]): string[] {
  return lines.filter((line) => {
    try {
      compilePattern(line);
      return true;
    } catch (cause) {
      const message = `data file ${spec.destFile}: ${messageOf(cause)}`;
      faults.push(new GatewayError('PATTERN_INVALID', message, { remedy: 'The other lines are used.', cause }));
      return false;
    }
  });
}

/** A `map` file: one JSON object of texts on each line. */
function rowsOf(spec: DataSpec, lines: readonly string[], faults: GatewayError[]): DataRow[] {
  return lines.flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not an object');
      return [Object.fromEntries(Object.entries(value).map(([key, cell]) => [key, String(cell)]))];
    } catch (cause) {
      const message = `data file ${spec.destFile}: a line is no JSON object (${messageOf(cause)})`;
      faults.push(new GatewayError('DATA_FILE_MISSING', message, { remedy: 'The other lines are used.', cause }));
      return [];
    }
  });
}
