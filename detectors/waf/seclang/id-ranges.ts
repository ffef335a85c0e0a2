/** Lists of rule ids: `942100`, `942100-942199`, several of them separated by blanks or commas. */
import type { IdRange } from './definition.ts';

/** Ids are 32-bit numbers in every engine; those that CrowdSec computes fill them. */
export const largestId = 2 ** 32 - 1;

const range = /^(\d{1,10})(?:-(\d{1,10}))?$/;

/** Null when a part is no id and no range. */
export function parseIdRanges(text: string): readonly IdRange[] | null {
  const ranges: IdRange[] = [];
  for (const part of text.split(/[ \t,]+/)) {
    if (part === '') continue;
    const match = range.exec(part);
    if (match === null) return null;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first || last > largestId) return null;
    ranges.push({ first, last });
  }
  return ranges.length === 0 ? null : ranges;
}
