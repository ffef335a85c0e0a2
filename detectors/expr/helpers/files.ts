/** Helpers on data files (`DataFiles`). A file that is not known is an empty one. */
import { parseIp, parseRange, rangeContains } from '../../../core/ip.ts';
import type { HostResolver } from '../../../core/host-resolver.ts';
import { valueOf } from '../awaited-value.ts';
import type { DataRow, KnownBot } from '../data-files.ts';
import type { HelperDependencies } from '../dependencies.ts';
import { type HelperTable, unavailable } from '../helper.ts';
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
      return (
        index.equals.get(text) ??
        leftmost(index.contains, text) ??
        index.regex.find(({ test }) => test(text))?.tag ??
        ''
      );
    };
  }

  function indexRows(rows: readonly DataRow[]): RowIndex {
    const index: RowIndex = { equals: new Map(), contains: [], regex: [] };
    for (const { type, pattern = '', tag = '' } of rows) {
      if (type === 'equals') {
        if (!index.equals.has(pattern)) index.equals.set(pattern, tag);
      } else if (type === 'contains') index.contains.push({ pattern, tag });
      else if (type === 'regex' || type === 'regexp') index.regex.push({ test: testerOf(pattern), tag });
    }
    return index;
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

interface RowIndex {
  readonly equals: Map<string, string>;
  readonly contains: { readonly pattern: string; readonly tag: string }[];
  readonly regex: { readonly test: (text: string) => boolean; readonly tag: string }[];
}

function leftmost(rows: RowIndex['contains'], text: string): string | null {
  let found: string | null = null;
  let best = Number.POSITIVE_INFINITY;
  for (const { pattern, tag } of rows) {
    const at = text.indexOf(pattern);
    if (at !== -1 && at < best) {
      best = at;
      found = tag;
    }
  }
  return found;
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
