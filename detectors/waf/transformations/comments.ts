/** The transformations of comments, as C, SQL, shells and HTML write them. */
import type { Transformation } from './transformation.ts';

/** C comments as one blank each; one that does not end takes all that follows. */
export const replaceComments: Transformation = {
  name: 'replaceComments',
  changes: [[0x2a, 0x2a]],
  apply: (value) => {
    let start = value.indexOf('/*');
    if (start < 0) return value;
    let out = '';
    let copied = 0;
    while (start >= 0) {
      out += `${value.slice(copied, start)} `;
      const end = value.indexOf('*/', start + 2);
      if (end < 0) return out;
      copied = end + 2;
      start = value.indexOf('/*', copied);
    }
    return out + value.slice(copied);
  },
};

const opening = /\/\*|<!--|--|#/g;
const closing = /\*\/|-->/g;

/**
 * Comments of C and HTML go; one that does not end, and one of SQL or a shell (`--`, `#`), takes all that follows and leaves a
 * blank. A comment that ends the value leaves a NUL, as in ModSecurity and Coraza, and as their cases demand. They also pass
 * over a comment that follows another at once; we remove it.
 */
export const removeComments: Transformation = {
  name: 'removeComments',
  changes: [
    [0x23, 0x23],
    [0x2a, 0x2a],
    [0x2d, 0x2d],
  ],
  apply: (value) => {
    const open = new RegExp(opening);
    const close = new RegExp(closing);
    let out = '';
    let copied = 0;
    for (;;) {
      open.lastIndex = copied;
      const start = open.exec(value);
      if (start === null) return copied === 0 ? value : out + value.slice(copied);
      out += value.slice(copied, start.index);
      if (start[0] === '--' || start[0] === '#') return `${out} `;
      close.lastIndex = open.lastIndex;
      if (close.exec(value) === null) return `${out} `;
      copied = close.lastIndex;
      if (copied === value.length) return `${out}\0`;
    }
  },
};

/** Only the marks of comments go; what is in them stays. */
export const removeCommentsChar: Transformation = {
  name: 'removeCommentsChar',
  changes: [
    [0x23, 0x23],
    [0x2a, 0x2a],
    [0x2d, 0x2d],
  ],
  apply: (value) => value.replaceAll(/\/\*|\*\/|<!--|-->|--|#/g, ''),
};
