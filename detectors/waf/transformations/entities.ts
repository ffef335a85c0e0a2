/**
 * `htmlEntityDecode`: character references, as browsers read them (HTML Living Standard, "Character reference state"). All names
 * of HTML are known, which ModSecurity does not: `&colon;`, `&lpar;` and `&Tab;` hide scripts as well as `&lt;` does.
 */
import { decodeHTML } from 'entities/decode';
import { utf8Bytes } from './bytes.ts';
import type { Transformation } from './transformation.ts';

/** The longest name of HTML has 31 characters, and its semicolon may follow. */
const reference = /&(?:#[xX]0*([0-9a-fA-F]*);?|#0*([0-9]*);?|[A-Za-z][A-Za-z0-9]{0,31};?)/g;

/** What HTML makes of the numbers 0x80 to 0x9F, which people meant in Windows-1252. 0: the number itself. */
const windows1252 = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0,
  0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
];

/**
 * Names with or without semicolon as HTML has them, `&#60;` and `&#x3c;` with or without; all in UTF-8. Unlike in HTML, `&#0;` is
 * a NUL, as in ModSecurity: rules remove NULs afterwards, and old browsers did.
 */
export const htmlEntityDecode: Transformation = {
  name: 'htmlEntityDecode',
  changes: [[0x26, 0x26]],
  apply: (value) => (value.includes('&') ? value.replaceAll(reference, decodeReference) : value),
};

function decodeReference(whole: string, hex: string | undefined, decimal: string | undefined): string {
  if (hex === undefined && decimal === undefined) {
    const decoded = decodeHTML(whole);
    return decoded === whole ? whole : Buffer.from(decoded, 'utf8').toString('latin1');
  }
  const hasDigit = /[0-9a-fA-F];?$/.test(whole);
  if (!hasDigit) return whole;
  const point = hex === undefined ? Number.parseInt(`0${decimal}`, 10) : Number.parseInt(`0${hex}`, 16);
  return utf8Bytes(windows1252[point - 0x80] || point);
}
