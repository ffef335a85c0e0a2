/** Helpers on data files (`DataFiles`). A file that is not known is an empty one. */
import { parseIp, parseRange, rangeContains } from '../../../core/ip.ts';
import type { HostResolver } from '../../../core/host-resolver.ts';
import { valueOf } from '../awaited-value.ts';
import type { DataRow, KnownBot } from '../data-files.ts';
import type { HelperDependencies } from '../dependencies.ts';
import { type HelperTable, unavailable } from '../helper.ts';
import { LiteralSet } from '../../regex/literal-set.ts';
import { arrayOf, boolType, stringArray, stringMap, stringType } from '../types.ts';

export function fileHelpers({ files, regex, resolver }: HelperDependencies): HelperTable {
  const lookup = createRowLookup();
  const botParameters = [stringType, stringType, stringType, stringType];
  return {
    File: { parameters: [stringType], returns: stringArray, run: (name: string) => files.lines(name) },
    RegexpInFile: {
      parameters: [stringType, stringType],
      returns: boolType,
      run: (text: string, name: string) => {
        for (const pattern of files.patterns(name)) if (pattern.test(text)) return true;
        return false;
      },
    },
    FileMap: {
      parameters: [stringType],
      returns: arrayOf(stringMap),
      run: (name: string) => files.rows(name),
    },
    LookupFile: {
      parameters: [stringType, stringType],
      returns: stringType,
      run: (text: string, name: string) => lookup(files.rows(name), text),
    },
    MatchKnownBot:
      resolver === undefined
        ? unavailable(botParameters, 'it needs a resolver that confirms the names of addresses', true)
        : {
            parameters: botParameters,
            variadic: true,
            returns: boolType,
            waits: true,
            run: (ip: string, userAgent: string, path: string, ...names: string[]) =>
              names.some((name) => (files.bots?.(name) ?? []).some((bot) => isBot(bot, ip, userAgent, path, resolver))),
          },
  };

  /** `equals` rows by text, then `contains` rows by leftmost place and file order, then patterns in file order. */
  function createRowLookup(): (rows: readonly DataRow[], text: string) => string {
    const indexes = new WeakMap<readonly DataRow[], RowIndex>();
    return (rows, text) => {
      let index = indexes.get(rows);
      if (index === undefined) {
        index = indexRows(rows);
        indexes.set(rows, index);
      }
      return index.equals.get(text) ?? index.contains(text) ?? index.regex.find(({ test }) => test(text))?.tag ?? '';
    };
  }

  function indexRows(rows: readonly DataRow[]): RowIndex {
    const equals = new Map<string, string>();
    const contains: TextRow[] = [];
    const patterns: RowIndex['regex'][number][] = [];
    for (const { type, pattern = '', tag = '' } of rows) {
      if (type === 'equals') {
        if (!equals.has(pattern)) equals.set(pattern, tag);
      } else if (type === 'contains') contains.push({ pattern, tag });
      else if (type === 'regex' || type === 'regexp') patterns.push({ test: testerOf(pattern), tag });
    }
    return { equals, contains: createLeftmostLookup(contains), regex: patterns };
  }

  /** A damaged pattern matches nothing: one bad row must not cost the others. */
  function testerOf(pattern: string): (text: string) => boolean {
    try {
      const compiled = regex(pattern);
      return (text) => compiled.test(text);
    } catch {
      return () => false;
    }
  }
}

interface TextRow {
  readonly pattern: string;
  readonly tag: string;
}

interface RowIndex {
  readonly equals: ReadonlyMap<string, string>;
  readonly contains: (text: string) => string | null;
  readonly regex: readonly { readonly test: (text: string) => boolean; readonly tag: string }[];
}

/** The tag of the row that occurs first in a text; of several at one place, the first in the file. Null: none occurs. */
function createLeftmostLookup(rows: readonly TextRow[]): (text: string) => string | null {
  const words = new LiteralSet(rows.map(({ pattern }) => pattern));
  const empty = rows.findIndex(({ pattern }) => pattern === '');
  return (text) => {
    let row = empty;
    let start = empty === -1 ? Number.POSITIVE_INFINITY : 0;
    words.each(text, (word, end) => {
      const at = end - (rows[word]?.pattern.length ?? 0);
      if (at < start || (at === start && word < row)) {
        start = at;
        row = word;
      }
      return true;
    });
    return rows[row]?.tag ?? null;
  };
}

/** The user agent (and path, where the bot has any) fit, and the address is the bot's by range or by confirmed name. */
function isBot(bot: KnownBot, ip: string, userAgent: string, path: string, resolver: HostResolver): boolean {
  if (!bot.userAgents.some((pattern) => pattern.test(userAgent))) return false;
  if (bot.paths.length > 0 && !bot.paths.some((pattern) => pattern.test(path))) return false;
  const address = parseIp(ip);
  if (address === null) return false;
  const inNetwork = bot.networks.some((network) => {
    const range = parseRange(network);
    return range !== null && rangeContains(range, address);
  });
  if (inNetwork) return true;
  return valueOf(resolver.names(ip)).some((written) => {
    const name = written.endsWith('.') ? written.slice(0, -1) : written;
    const owned = bot.reverseNames.some(
      (suffix) => name === suffix || name.endsWith(suffix.startsWith('.') ? suffix : `.${suffix}`),
    );
    return owned && valueOf(resolver.addresses(name)).some((other) => parseIp(other)?.text === address.text);
  });
}
