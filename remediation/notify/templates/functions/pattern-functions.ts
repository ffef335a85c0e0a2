/** Sprig's regular expressions, in RE2's syntax and meaning. Replacements know `$1`, `${name}` and `$$`, as in Go. */
import type { Pattern } from '../../../../detectors/regex/compile-pattern.ts';
import { type RenderContext, searchSteps } from '../render-context.ts';
import { define, type TemplateFunction } from '../values.ts';

const match = define(['text', 'text'], ([pattern, text], context) => context.pattern(pattern).test(text));
const find = define(['text', 'text'], ([pattern, text], context) => context.pattern(pattern).exec(text)?.[0] ?? '');
const findAll = define(['text', 'text', 'int'], ([pattern, text, count], context) =>
  matches(context.pattern(pattern), text, Number(count), context).map((each) => each[0]),
);
const replaceAll = define(['text', 'text', 'text'], ([pattern, text, replacement], context) => {
  const compiled = context.pattern(pattern);
  return replaced(compiled, text, (found) => expanded(replacement, found, compiled.groupNames), context);
});
const replaceLiteral = define(['text', 'text', 'text'], ([pattern, text, replacement], context) =>
  replaced(context.pattern(pattern), text, () => replacement, context),
);
const split = define(['text', 'text', 'int'], ([pattern, text, count], context) =>
  splitBy(context.pattern(pattern), text, Number(count), context),
);

export const patternFunctions: Readonly<Record<string, TemplateFunction>> = {
  regexMatch: match,
  mustRegexMatch: match,
  regexFind: find,
  mustRegexFind: find,
  regexFindAll: findAll,
  mustRegexFindAll: findAll,
  regexReplaceAll: replaceAll,
  mustRegexReplaceAll: replaceAll,
  regexReplaceAllLiteral: replaceLiteral,
  mustRegexReplaceAllLiteral: replaceLiteral,
  regexSplit: split,
  mustRegexSplit: split,
  regexQuoteMeta: define(['text'], ([text]) => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`)),
};

/** At most `count` matches, all when it is negative. An empty match right after another is none. */
function matches(pattern: Pattern, text: string, count: number, context: RenderContext): RegExpExecArray[] {
  const found: RegExpExecArray[] = [];
  const most = count < 0 ? Number.POSITIVE_INFINITY : count;
  let from = 0;
  let before = -1;
  while (from <= text.length && found.length < most) {
    context.charge(searchSteps + ((text.length - from) >> 4));
    const each = pattern.exec(text, from);
    if (each === null) break;
    const end = each.index + each[0].length;
    if (each[0] !== '' || each.index !== before) found.push(each);
    before = end;
    from = each[0] === '' ? end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1) : end;
  }
  return found;
}

function replaced(
  pattern: Pattern,
  text: string,
  replacement: (found: RegExpExecArray) => string,
  context: RenderContext,
): string {
  let out = '';
  let from = 0;
  for (const found of matches(pattern, text, -1, context)) {
    out += text.slice(from, found.index) + replacement(found);
    from = found.index + found[0].length;
    context.reserve(out.length);
  }
  return out + text.slice(from);
}

/** Go's `Regexp.Expand`: `$name` takes as many word characters as it can. */
function expanded(replacement: string, found: RegExpExecArray, groupNames: readonly (string | null)[]): string {
  return replacement.replaceAll(
    /\$(?:\$|\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g,
    (_, braced?: string, bare?: string) => {
      const name = braced ?? bare;
      if (name === undefined) return '$';
      const group = /^[0-9]+$/.test(name) ? Number(name) : groupNames.lastIndexOf(name);
      return group === -1 ? '' : (found[group] ?? '');
    },
  );
}

function splitBy(pattern: Pattern, text: string, count: number, context: RenderContext): readonly string[] {
  if (count === 0) return [];
  if (pattern.source !== '' && text === '') return [''];
  const out: string[] = [];
  let from = 0;
  let lastStart = 0;
  for (const found of matches(pattern, text, -1, context)) {
    if (count > 0 && out.length === count - 1) break;
    lastStart = found.index;
    const end = found.index + found[0].length;
    if (end !== 0) out.push(text.slice(from, lastStart));
    from = end;
  }
  // An empty match at the very end separates nothing.
  if (lastStart !== text.length) out.push(text.slice(from));
  return out;
}
