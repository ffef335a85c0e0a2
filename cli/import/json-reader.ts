/**
 * Reads JSON as cscli takes it: an array of objects; objects one after the other are understood too. The text is taken apart at
 * its braces while it comes, so that a list of any length needs the memory of one object, and a broken object costs only itself.
 */
import { entryOf, type ListReader, type ListSink, longestEntry } from './import-entry.ts';

const tooLong = `the object is longer than ${longestEntry} characters`;

export function createJsonReader(sink: ListSink): ListReader {
  let line = 1;
  let begunOn = 1;
  let object = '';
  let size = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** Something outside of objects that cannot stand there; told once for each run of it. */
  let stray = '';
  const marks = /["{}\n\\]/g;

  const keep = (text: string): void => {
    size += text.length;
    if (size <= longestEntry) object += text;
  };

  const endStray = (): void => {
    if (stray !== '') sink.fault({ line: begunOn, message: `${JSON.stringify(stray)} stands between the objects` });
    stray = '';
  };

  const outside = (text: string): void => {
    const rest = text.replace(/[\s[\],]/g, '');
    if (rest === '') return;
    if (stray === '') begunOn = line;
    stray = (stray + rest).slice(0, 40);
  };

  const finish = (): void => {
    const text = object;
    const isTooLong = size > longestEntry;
    object = '';
    size = 0;
    if (isTooLong) sink.fault({ line: begunOn, message: tooLong });
    else takeObject(text, begunOn, sink);
  };

  /** What a character means inside of an object. */
  const step = (character: string): void => {
    keep(character);
    if (character === '\n') line++;
    else if (character === '\\') escaped = inString;
    else if (character === '"') inString = !inString;
    else if (!inString && character === '{') depth++;
    else if (!inString && character === '}' && --depth === 0) finish();
  };

  return {
    read(text) {
      let from = 0;
      while (from < text.length) {
        if (escaped) {
          escaped = false;
          if (text[from] === '\n') line++;
          keep(text[from++] ?? '');
          continue;
        }
        marks.lastIndex = from;
        const at = marks.exec(text)?.index ?? text.length;
        const between = text.slice(from, at);
        const character = text[at] ?? '';
        from = at + 1;
        if (depth > 0) {
          keep(between);
          if (character !== '') step(character);
          continue;
        }
        outside(between);
        if (character === '{') {
          endStray();
          begunOn = line;
          depth = 1;
          inString = false;
          keep(character);
        } else if (character === '\n') {
          endStray();
          line++;
        } else outside(character);
      }
    },
    end() {
      endStray();
      if (depth > 0) sink.fault({ line: begunOn, message: 'the object has no end' });
      depth = 0;
    },
  };
}

function takeObject(text: string, line: number, sink: ListSink): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    sink.fault({ line, message: 'the object is not valid JSON' });
    return;
  }
  const fields: [string, string][] = [];
  for (const [name, field] of Object.entries(value as object)) {
    if (typeof field === 'string') fields.push([name, field.trim()]);
    else if (typeof field === 'number' && name === 'value') fields.push([name, String(field)]);
    else if (name === 'value') {
      sink.fault({ line, message: 'its value is not a text' });
      return;
    }
  }
  const entry = entryOf(line, fields);
  if (entry === null) sink.fault({ line, message: 'there is no value' });
  else sink.entry(entry);
}
