/** `cmdLine`: what the shells of Windows and Unix do not see goes, so that `c^md ,/c "dir"` reads `cmd/c dir`. */
import { lowerAscii } from './letters.ts';
import type { Transformation } from './transformation.ts';

/** A run of separators that is more than one plain blank. */
const separators = /[,;\t\r\n][ ,;\t\r\n]*| [ ,;\t\r\n]+/g;

/** Quotes, backslashes and carets go; commas, semicolons and blanks become one blank, none before `/` and `(`; lower case. */
export const cmdLine: Transformation = {
  name: 'cmdLine',
  changes: [
    [0x09, 0x0a],
    [0x0d, 0x0d],
    [0x20, 0x20],
    [0x22, 0x22],
    [0x27, 0x27],
    [0x2c, 0x2c],
    [0x3b, 0x3b],
    [0x41, 0x5a],
    [0x5c, 0x5c],
    [0x5e, 0x5e],
  ],
  apply: (value) => {
    let text = value;
    if (/["'\\^]/.test(text)) text = text.replaceAll(/["'\\^]+/g, '');
    text = text.replaceAll(separators, ' ');
    if (text.includes(' /')) text = text.replaceAll(' /', '/');
    if (text.includes(' (')) text = text.replaceAll(' (', '(');
    return lowerAscii(text);
  },
};
