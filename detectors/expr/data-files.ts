/**
 * What expressions ask of the data files that scenarios name (`data: [{dest_file, type}]`): `File`, `RegexpInFile`, `FileMap`,
 * `LookupFile` and `MatchKnownBot`. The loader of scenarios implements it; expressions only read. An answer keeps its
 * identity until the file is loaded anew: what the compiler derives from a list (literal sets, patterns) is kept by identity.
 */

/** Anything that says whether a text holds a pattern. A `RegExp` without the `g` and `y` flags is one. */
export interface PatternTest {
  test(text: string): boolean;
  /** Texts in lower case of which one is in every ASCII text, in lower case, that holds the pattern; null when none are known. */
  readonly requires?: readonly string[] | null;
}

/** One row of a `map` file: its columns by name, in file order. */
export type DataRow = Readonly<Record<string, string>>;

/** One known bot of a `bots` file. Empty lists match nothing, except `paths`, whose absence means any path. */
export interface KnownBot {
  readonly name: string;
  readonly userAgents: readonly PatternTest[];
  readonly paths: readonly PatternTest[];
  /** Addresses and CIDR ranges. */
  readonly networks: readonly string[];
  /** Host name suffixes that the address must resolve to and back. */
  readonly reverseNames: readonly string[];
}

export interface DataFiles {
  /** Whether the file is known and read. */
  loaded(name: string): boolean;
  /** The lines of a `string` file; empty when the file is unknown or of another type. */
  lines(name: string): readonly string[];
  /** The patterns of a `regexp` file; empty when the file is unknown or of another type. */
  patterns(name: string): readonly PatternTest[];
  /** The rows of a `map` file; empty when the file is unknown or of another type. `LookupFile` reads `type`, `pattern`, `tag`. */
  rows(name: string): readonly DataRow[];
  /** The entries of a `bots` file; empty or absent when there are none. */
  bots?(name: string): readonly KnownBot[];
}

/** No files at all: profiles, assertions, tools. */
export const noDataFiles: DataFiles = {
  loaded: () => false,
  lines: () => none,
  patterns: () => none,
  rows: () => none,
};

const none: readonly never[] = [];
