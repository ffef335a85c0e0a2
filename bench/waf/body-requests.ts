/** Posts with a body of a given size and format: how the cost of inspection grows with what is inspected. */
import { createSequence, type Sequence } from '../engine/sequence.ts';
import { headLines, hex, parameters, phrase, repeat, sentences, type RequestSource } from './shop-requests.ts';
import { words } from './vocabulary.ts';

export const bodyFormats = ['form', 'json', 'xml', 'multipart'] as const;
export type BodyFormat = (typeof bodyFormats)[number];

/** So many different bodies take turns: enough that what is remembered of one is of little use to the next. */
const differentBodies = 64;

/** Requests whose bodies have about `bytes` bytes (at least; at most one field more). */
export function bodyRequests(format: BodyFormat, bytes: number, seed: number): RequestSource {
  const sequence = createSequence(seed);
  const count = Math.max(4, Math.min(differentBodies, Math.ceil(1_000_000 / bytes)));
  return repeat(Array.from({ length: count }, () => request(sequence, format, bytes)));
}

function request(sequence: Sequence, format: BodyFormat, bytes: number): string {
  const { type, body } = content(sequence, format, bytes);
  const lines = headLines(sequence, 'POST /api/import HTTP/1.1');
  lines.push(`Content-Type: ${type}`, `Content-Length: ${body.length}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function content(
  sequence: Sequence,
  format: BodyFormat,
  bytes: number,
): { readonly type: string; readonly body: string } {
  switch (format) {
    case 'form':
      return { type: 'application/x-www-form-urlencoded', body: grow(sequence, bytes, parameters) };
    case 'json':
      return {
        type: 'application/json',
        body: grow(sequence, bytes, (fields) =>
          JSON.stringify({ items: fields.map(([name, text]) => ({ name, text })) }),
        ),
      };
    case 'xml':
      return {
        type: 'application/xml',
        body: grow(sequence, bytes, (fields) => {
          const items = fields.map(([name, text]) => `<item name="${name}"><text>${text}</text></item>`);
          return `<?xml version="1.0" encoding="UTF-8"?><items>${items.join('')}</items>`;
        }),
      };
    case 'multipart': {
      const boundary = `----WebKitFormBoundary${hex(sequence, 16)}`;
      const body = grow(sequence, bytes, (fields) => {
        const parts = fields.map(
          ([name, text]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
        );
        return `${parts.join('')}--${boundary}--\r\n`;
      });
      return { type: `multipart/form-data; boundary=${boundary}`, body };
    }
    default: {
      const never: never = format;
      throw new Error(`no format ${String(never)}`);
    }
  }
}

type Fields = readonly (readonly [name: string, text: string])[];

/** Fields of 40 to 400 characters until the body is long enough; the last one is as long as it takes. */
function grow(sequence: Sequence, bytes: number, write: (fields: Fields) => string): string {
  const fields: [string, string][] = [];
  const one = write([['a', '']]).length;
  const overhead =
    write([
      ['a', ''],
      ['a', ''],
    ]).length -
    one -
    1;
  let left = bytes - (one - overhead - 1);
  while (left > 0 || fields.length === 0) {
    const name = `${sequence.pick(words)}${fields.length}`;
    const wanted = Math.min(left - name.length - overhead, 40 + sequence.below(360));
    const text = wanted < 40 ? phrase(sequence, Math.max(1, Math.floor(wanted / 8))) : sentences(sequence, wanted);
    fields.push([name, text]);
    left -= text.length + name.length + overhead;
  }
  return write(fields);
}
