/**
 * `%{…}` in texts of rules. A name that is no variable stays as text: regular expressions hold such things, and elsewhere
 * it shows up in the log. ModSecurity Reference Manual, "Macro Expansion".
 */
import { lowerAscii } from './ascii.ts';
import type { Macro, MacroReference } from './macro.ts';
import { type Report, suggestion } from './report.ts';
import { allVariableNames, findVariable } from './variables.ts';

export const emptyMacro: Macro = { source: '', parts: [] };

const reference = /%\{([^{}]*)\}/g;

/** `report` hears of the first name that is none. Null: unknown names are not worth a word, as in regular expressions. */
export function parseMacro(source: string, report: Report | null = null): Macro {
  if (source === '') return emptyMacro;
  if (!source.includes('%{')) return { source, parts: [source] };
  const parts: (string | MacroReference)[] = [];
  let text = '';
  let from = 0;
  let told = false;
  for (const match of source.matchAll(reference)) {
    const written = match[1] ?? '';
    const found = referenceOf(written);
    text += source.slice(from, match.index);
    from = match.index + match[0].length;
    if (found === null) {
      if (!told) report?.('warning', unknownName(written));
      told = true;
      text += match[0];
      continue;
    }
    if (text !== '') parts.push(text);
    text = '';
    parts.push(found);
  }
  text += source.slice(from);
  if (text !== '') parts.push(text);
  return { source, parts };
}

/** True for a text that is the same for every request. */
export function isPlain(macro: Macro): boolean {
  return macro.parts.every((part) => typeof part === 'string');
}

/** `TX.score`, `TX:score`, `MATCHED_VAR`; null when the name is no variable. */
function referenceOf(written: string): MacroReference | null {
  const separator = written.search(/[.:]/);
  const variable = findVariable(separator === -1 ? written : written.slice(0, separator));
  if (variable === null) return null;
  if (separator === -1) return { variable: variable.name, key: null };
  return { variable: variable.name, key: lowerAscii(written.slice(separator + 1)) };
}

function unknownName(written: string): string {
  const name = written.split(/[.:]/, 1)[0] ?? '';
  const hint = suggestion(name, allVariableNames);
  return `%{${written.slice(0, 60)}} names no variable and stays as it is written.${hint}`;
}
