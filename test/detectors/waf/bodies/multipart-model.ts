/**
 * A slow plain reader of multipart bodies to compare the real one with. It goes through the body character by character and
 * knows only headers of the forms that the test makes.
 */
export interface ModelPart {
  readonly field: string;
  readonly file: string | null;
  readonly content: string;
}

export interface ModelReading {
  /** Null: no boundary at all. */
  readonly parts: readonly ModelPart[] | null;
  readonly finished: boolean;
}

export function readMultipart(body: string, boundary: string): ModelReading {
  const delimiter = `--${boundary}`;
  const parts: ModelPart[] = [];
  let found = false;
  let finished = false;
  let current: string | null = null;
  const close = (isCut: boolean): void => {
    if (current !== null && (current !== '' || !isCut)) parts.push(partOf(current, isCut));
    current = null;
  };
  let at = 0;
  while (at < body.length) {
    const startsLine = at === 0 || body[at - 1] === '\n' || body[at - 1] === '\r';
    if (startsLine && body.slice(at, at + delimiter.length) === delimiter) {
      close(false);
      found = true;
      at += delimiter.length;
      const isFinal = body.slice(at, at + 2) === '--';
      if (isFinal) finished = true;
      const lineEnd = body.indexOf('\n', at);
      at = lineEnd < 0 ? body.length : lineEnd + 1;
      current = isFinal ? null : '';
    } else {
      if (current !== null) current += body[at];
      at += 1;
    }
  }
  close(true);
  return { parts: found ? parts : null, finished };
}

/** `text` is everything between two delimiters, with the line end that belongs to the second. */
function partOf(text: string, isCut: boolean): ModelPart {
  const lines = text.split('\n');
  const empty = lines.findIndex((line, index) => index < lines.length - 1 && (line === '' || line === '\r'));
  const headers = empty < 0 ? text : lines.slice(0, empty).join('\n');
  const rest = empty < 0 ? text : lines.slice(empty + 1).join('\n');
  const content = isCut ? rest : rest.replace(/(?:\r\n|\n|\r)$/, '');
  const disposition = headers
    .replace(/\r?\n[ \t\v\f]+/g, ' ')
    .split('\n')
    .find((line) => /^[ \t\v\f\r]*content-disposition[ \t\v\f\r]*:/i.test(line));
  const field = /[; ]name="([^"]*)"/.exec(disposition ?? '')?.[1] ?? '';
  const file = /[; ]filename="([^"]*)"/.exec(disposition ?? '')?.[1] ?? null;
  return { field, file: file === '' ? null : file, content };
}
