/** How two texts differ, line by line, in the unified form that `diff -u` prints. */

const contextLines = 3;

/** A comparison costs the product of both lengths; beyond this the lines in between count as replaced. */
const largestComparison = 4_000_000;

type Edit = { readonly sign: ' ' | '-' | '+'; readonly line: string };

/** Lines with `@@ -1,4 +1,5 @@` before each group of changes; empty when the texts are the same. */
export function unifiedDiff(before: string, after: string): readonly string[] {
  const edits = compare(linesOf(before), linesOf(after));
  const near = edits.map((_, at) =>
    edits.slice(Math.max(0, at - contextLines), at + contextLines + 1).some(({ sign }) => sign !== ' '),
  );
  const lines: string[] = [];
  let [oldLine, newLine] = [1, 1];
  for (let at = 0; at < edits.length; ) {
    if (near[at] !== true) {
      at++;
      oldLine++;
      newLine++;
      continue;
    }
    let end = at;
    while (near[end] === true) end++;
    const hunk = edits.slice(at, end);
    const oldCount = hunk.filter(({ sign }) => sign !== '+').length;
    const newCount = hunk.filter(({ sign }) => sign !== '-').length;
    lines.push(`@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@`);
    lines.push(...hunk.map(({ sign, line }) => sign + line));
    oldLine += oldCount;
    newLine += newCount;
    at = end;
  }
  return lines;
}

/** A range without lines stands after the line before it. */
function range(start: number, count: number): string {
  return count === 0 ? `${start - 1},0` : count === 1 ? `${start}` : `${start},${count}`;
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function compare(before: readonly string[], after: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let tail = 0;
  while (
    tail < Math.min(before.length, after.length) - start &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  ) {
    tail++;
  }
  const same = (line: string): Edit => ({ sign: ' ', line });
  const middle = between(before.slice(start, before.length - tail), after.slice(start, after.length - tail));
  return [...before.slice(0, start).map(same), ...middle, ...before.slice(before.length - tail).map(same)];
}

/** Keeps a longest common subsequence. */
function between(before: readonly string[], after: readonly string[]): Edit[] {
  const gone = before.map((line): Edit => ({ sign: '-', line }));
  const come = after.map((line): Edit => ({ sign: '+', line }));
  if (before.length * after.length > largestComparison) return [...gone, ...come];
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      common[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const edits: Edit[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    const line = before[row] ?? '';
    if (line === after[column]) {
      edits.push({ sign: ' ', line });
      row++;
      column++;
    } else if (at(row + 1, column) >= at(row, column + 1)) edits.push({ sign: '-', line: before[row++] ?? '' });
    else edits.push({ sign: '+', line: after[column++] ?? '' });
  }
  return [...edits, ...gone.slice(row), ...come.slice(column)];
}
