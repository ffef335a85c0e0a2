/** String helpers, with the names and argument orders of Go's `strings` package. */
import type { HelperDependencies } from '../dependencies.ts';
import { bounded, decodeBase64, joinTexts, trimPrefix, trimSuffix } from '../builtins/texts.ts';
import { parseFloat64 } from '../builtins/numbers.ts';
import { sprintf } from '../go-format.ts';
import type { HelperTable } from '../helper.ts';
import { byteOffset, fieldsOf, lower, replaceText, splitText, trimLeft, trimRight, trimSpace, upper } from '../text.ts';
import { anyArray, anyType, boolType, floatType, intType, stringArray, stringType as text } from '../types.ts';

export function stringHelpers({ log }: HelperDependencies): HelperTable {
  return {
    Upper: { parameters: [text], returns: text, pure: true, run: (value: string) => upper(value) },
    Lower: { parameters: [text], returns: text, pure: true, run: (value: string) => lower(value) },
    Trim: {
      parameters: [text, text],
      returns: text,
      pure: true,
      run: (value: string, cutset: string) => trimRight(trimLeft(value, cutset), cutset),
    },
    TrimLeft: { parameters: [text, text], returns: text, pure: true, run: trimLeft },
    TrimRight: { parameters: [text, text], returns: text, pure: true, run: trimRight },
    TrimSpace: { parameters: [text], returns: text, pure: true, run: trimSpace },
    TrimPrefix: { parameters: [text, text], returns: text, pure: true, run: trimPrefix },
    TrimSuffix: { parameters: [text, text], returns: text, pure: true, run: trimSuffix },
    Fields: { parameters: [text], returns: stringArray, pure: true, run: fieldsOf },
    Index: {
      parameters: [text, text],
      returns: intType,
      pure: true,
      run: (value: string, part: string) => BigInt(byteOffset(value, value.indexOf(part))),
    },
    IndexAny: { parameters: [text, text], returns: intType, pure: true, run: indexAny },
    Join: {
      parameters: [anyArray, text],
      returns: text,
      pure: true,
      run: (list: readonly unknown[], separator: string) => joinTexts('Join', list, separator),
    },
    Split: {
      parameters: [text, text],
      returns: stringArray,
      pure: true,
      run: (value: string, separator: string) => splitText(value, separator, -1),
    },
    SplitN: {
      parameters: [text, text, intType],
      returns: stringArray,
      pure: true,
      run: (value: string, separator: string, limit: bigint) => splitText(value, separator, Number(limit)),
    },
    SplitAfter: {
      parameters: [text, text],
      returns: stringArray,
      pure: true,
      run: (value: string, separator: string) => splitText(value, separator, -1, true),
    },
    SplitAfterN: {
      parameters: [text, text, intType],
      returns: stringArray,
      pure: true,
      run: (value: string, separator: string, limit: bigint) => splitText(value, separator, Number(limit), true),
    },
    Replace: {
      parameters: [text, text, text, intType],
      returns: text,
      pure: true,
      run: (value: string, old: string, replacement: string, limit: bigint) =>
        bounded(replaceText(value, old, replacement, Number(limit))),
    },
    ReplaceAll: {
      parameters: [text, text, text],
      returns: text,
      pure: true,
      run: (value: string, old: string, replacement: string) => bounded(replaceText(value, old, replacement, -1)),
    },
    Sprintf: {
      parameters: [text, anyType],
      variadic: true,
      returns: text,
      pure: true,
      run: (format: string, ...args: unknown[]) => sprintf(format, args),
    },
    Match: { parameters: [text, text], returns: boolType, pure: true, run: matchGlob },
    ToString: {
      parameters: [anyType],
      returns: text,
      pure: true,
      run: (value: unknown) => (typeof value === 'string' ? value : ''),
    },
    B64Decode: { parameters: [text], returns: text, pure: true, run: decodeBase64 },
    Atof: { parameters: [text], returns: floatType, pure: true, run: (value: string) => parseFloat64(value) ?? 0 },
    LogInfo: {
      parameters: [text, anyType],
      variadic: true,
      returns: boolType,
      run: (format: string, ...args: unknown[]) => {
        log?.info({ text: sprintf(format, args).slice(0, longestLogText) }, 'an expression logs');
        return true;
      },
    },
  };
}

/** Characters of one `LogInfo` that reach the log. */
const longestLogText = 4_096;

function indexAny(value: string, characters: string): bigint {
  const wanted = new Set(characters);
  let index = 0;
  for (const rune of value) {
    if (wanted.has(rune)) return BigInt(byteOffset(value, index));
    index += rune.length;
  }
  return -1n;
}

/**
 * `*` and `?` over the whole text. Going back only to the last `*` is enough and keeps the work within the product of the
 * two lengths, whatever an attacker sends.
 */
function matchGlob(glob: string, value: string): boolean {
  let at = 0;
  let inGlob = 0;
  let star = -1;
  let retry = 0;
  while (at < value.length) {
    const wanted = glob.charCodeAt(inGlob);
    if (wanted === 42) {
      star = inGlob++;
      retry = at;
    } else if (inGlob < glob.length && (wanted === 63 || wanted === value.charCodeAt(at))) {
      at += wanted === 63 ? runeLength(value, at) : 1;
      inGlob++;
    } else if (star !== -1) {
      inGlob = star + 1;
      at = ++retry;
    } else return false;
  }
  while (glob.charCodeAt(inGlob) === 42) inGlob++;
  return inGlob === glob.length;
}

function runeLength(value: string, at: number): number {
  const unit = value.charCodeAt(at);
  const next = value.charCodeAt(at + 1);
  return unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff ? 2 : 1;
}
