/** Reads plain lists: one value on each line. Empty lines and those that begin with `#` or `;` say nothing, as in most feeds. */
import { type ListReader, type ListSink, longestEntry } from './import-entry.ts';

export function createValuesReader(sink: ListSink): ListReader {
  let begun = '';
  let line = 1;
  /** The rest of a line that is too long is not kept. */
  let skipping = false;

  const take = (text: string): void => {
    if (skipping) {
      skipping = false;
      sink.fault({ line, message: `the line is longer than ${longestEntry} characters` });
      return;
    }
    // What stands after a value is a comment in most feeds: `192.0.2.1 # scanner`.
    const value = text.replace(/[\t ]+[#;].*$/, '').trim();
    if (value !== '' && value[0] !== '#' && value[0] !== ';') sink.entry({ line, value });
  };

  return {
    read(text) {
      let from = 0;
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
        const rest = text.slice(from, at);
        if (begun.length + rest.length > longestEntry) skipping = true;
        take(begun === '' ? rest : begun + rest);
        begun = '';
        line++;
        from = at + 1;
      }
      const rest = text.slice(from);
      if (skipping || begun.length + rest.length > longestEntry) {
        skipping = true;
        begun = '';
      } else begun += rest;
    },
    end() {
      if (begun !== '' || skipping) take(begun);
      begun = '';
    },
  };
}
