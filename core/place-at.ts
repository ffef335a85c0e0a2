/** Where in a text an offset is, for messages that people read. */

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
}

/** The place of an offset in UTF-16 units; offsets outside the text count as its ends. */
export function placeAt(source: string, offset: number): Place {
  const at = Math.min(Math.max(offset, 0), source.length);
  let line = 1;
  for (let index = source.indexOf('\n'); index !== -1 && index < at; index = source.indexOf('\n', index + 1)) line++;
  return { line, column: characters(source, lineStart(source, at), at) + 1 };
}

/** The line that an offset is on, tabs as single spaces so that a mark below stays under its column. */
export function lineAt(source: string, offset: number): string {
  const at = Math.min(Math.max(offset, 0), source.length);
  const end = source.indexOf('\n', at);
  return source.slice(lineStart(source, at), end === -1 ? source.length : end).replaceAll(/[\t\r]/g, ' ');
}

function lineStart(source: string, at: number): number {
  return at === 0 ? 0 : source.lastIndexOf('\n', at - 1) + 1;
}

/** Code points, without making a list of them: an expression that raises does so for every event. */
function characters(text: string, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0xdc00 || unit > 0xdfff) count++;
  }
  return count;
}
