/**
 * Reads CSV (RFC 4180) with a header line, as cscli takes it: any of `value`, `scope`, `type`, `duration`, `reason` and `origin`,
 * in any order and case. Other columns are passed over. A line that begins with `#` says nothing.
 */
import { entryOf, fieldNames, type ListReader, type ListSink, longestEntry } from './import-entry.ts';

type State = 'start' | 'plain' | 'quoted' | 'closed';

const mostFields = 256;

export function createCsvReader(sink: ListSink): ListReader {
  let header: readonly string[] | null = null;
  let fields: string[] = [];
  let field = '';
  let size = 0;
  let state: State = 'start';
  let line = 1;
  let begunOn = 1;
  /** Why the record cannot be used; it is read to its end all the same. */
  let broken = '';
  const marks = /[\n,"]/g;

  const add = (text: string): void => {
    size += text.length;
    if (size > longestEntry) broken ||= `the record is longer than ${longestEntry} characters`;
    else field += text;
  };

  const endField = (): void => {
    if (fields.length < mostFields) fields.push(field);
    else broken ||= `the record has more than ${mostFields} fields`;
    field = '';
    state = 'start';
  };

  const endRecord = (): void => {
    endField();
    const record = fields;
    const why = broken;
    fields = [];
    size = 0;
    broken = '';
    const isEmpty = record.length === 1 && (record[0] ?? '').trim() === '';
    if (why !== '') sink.fault({ line: begunOn, message: why });
    else if (!isEmpty && !record[0]?.startsWith('#')) take(record);
    begunOn = line;
  };

  const take = (record: readonly string[]): void => {
    if (header === null) {
      header = record.map((name) => name.trim().toLowerCase());
      if (!header.includes('value')) {
        const known = [...new Set(Object.values(fieldNames))].join(', ');
        sink.fault({ line: begunOn, message: `the header names no column "value"; columns are ${known}` });
      }
      return;
    }
    if (!header.includes('value')) return;
    if (record.length !== header.length) {
      sink.fault({ line: begunOn, message: `${record.length} fields under ${header.length} columns` });
      return;
    }
    const entry = entryOf(
      begunOn,
      header.map((name, index) => [name, (record[index] ?? '').trim()]),
    );
    if (entry === null) sink.fault({ line: begunOn, message: 'there is no value' });
    else sink.entry(entry);
  };

  /** One character that means something, or the first of a field. */
  const step = (character: string): void => {
    switch (character) {
      case '\n':
        line++;
        if (state === 'quoted') add(character);
        else endRecord();
        return;
      case ',':
        if (state === 'quoted') add(character);
        else endField();
        return;
      case '"':
        if (state === 'start' && field.trim() === '') {
          field = '';
          state = 'quoted';
        } else if (state === 'quoted') state = 'closed';
        else if (state === 'closed') {
          state = 'quoted';
          add(character);
        } else broken ||= 'a quote stands in the middle of a field';
        return;
      default:
    }
  };

  return {
    read(text) {
      let from = 0;
      while (from < text.length) {
        const at = nextMark(text, from, state === 'quoted', marks);
        if (at > from) {
          plain(text.slice(from, at));
          from = at;
        }
        if (at < text.length) {
          step(text[at] ?? '');
          from = at + 1;
        }
      }
    },
    end() {
      if (state === 'quoted') broken ||= 'a quoted field has no end';
      if (fields.length > 0 || field !== '' || size > 0 || broken !== '') endRecord();
    },
  };

  function plain(text: string): void {
    if (state === 'closed') {
      if (text.trim() !== '') broken ||= 'something stands after a quoted field';
      return;
    }
    add(text);
    if (state === 'start' && text.trim() !== '') state = 'plain';
  }
}

/** Where the next character stands that means something; the end of the text when none does. */
function nextMark(text: string, from: number, quoted: boolean, marks: RegExp): number {
  if (quoted) {
    // Only a quote ends a quoted field; line ends count.
    const quote = text.indexOf('"', from);
    const newline = text.indexOf('\n', from);
    if (quote === -1) return newline === -1 ? text.length : newline;
    return newline === -1 ? quote : Math.min(quote, newline);
  }
  marks.lastIndex = from;
  return marks.exec(text)?.index ?? text.length;
}
