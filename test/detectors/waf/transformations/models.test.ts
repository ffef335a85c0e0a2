/** The transformations that are built from searches and patterns do what the engines' loops over single bytes do. */
import fc from 'fast-check';
import t from 'tap';
import { findTransformation } from '../../../../detectors/waf/transformations/find-transformation.ts';
import { hostileText } from './hostile-text.ts';

const blank = (character: string): boolean => /^[\t-\r ]$/.test(character);

/** One step for each byte, in the order of the reference manual. */
const models: Readonly<Record<string, (value: string) => string>> = {
  cmdLine(value) {
    let out = '';
    let afterBlank = false;
    for (const character of value) {
      if ('"\'\\^'.includes(character)) continue;
      if (' ,;\t\r\n'.includes(character)) {
        if (!afterBlank) out += ' ';
        afterBlank = true;
        continue;
      }
      if ((character === '/' || character === '(') && afterBlank) out = out.slice(0, -1);
      afterBlank = false;
      out += character >= 'A' && character <= 'Z' ? character.toLowerCase() : character;
    }
    return out;
  },
  compressWhitespace(value) {
    let out = '';
    let inRun = false;
    for (const character of value.replaceAll('\xc2\xa0', '\xa0')) {
      const counts = blank(character) || character === '\xa0';
      if (!counts) out += character;
      else if (!inRun) out += ' ';
      inRun = counts;
    }
    return out;
  },
  trim(value) {
    let [start, end] = [0, value.length];
    while (start < end && blank(value.charAt(start))) start += 1;
    while (end > start && blank(value.charAt(end - 1))) end -= 1;
    return value.slice(start, end);
  },
  urlDecode(value) {
    let out = '';
    for (let at = 0; at < value.length; at += 1) {
      const digits = value.slice(at + 1, at + 3);
      if (value[at] === '+') out += ' ';
      else if (value[at] === '%' && /^[0-9a-f]{2}$/i.test(digits)) {
        out += String.fromCharCode(Number.parseInt(digits, 16));
        at += 2;
      } else out += value.charAt(at);
    }
    return out;
  },
  replaceComments(value) {
    let out = '';
    let inside = false;
    for (let at = 0; at < value.length; at += 1) {
      const two = value.slice(at, at + 2);
      if (!inside && two === '/*') {
        inside = true;
        at += 1;
      } else if (inside && two === '*/') {
        inside = false;
        at += 1;
        out += ' ';
      } else if (!inside) out += value.charAt(at);
    }
    return inside ? `${out} ` : out;
  },
  removeCommentsChar(value) {
    let out = '';
    for (let at = 0; at < value.length; ) {
      const mark = ['/*', '*/', '<!--', '-->', '--', '#'].find((one) => value.startsWith(one, at));
      if (mark === undefined) out += value.charAt(at);
      at += mark?.length ?? 1;
    }
    return out;
  },
  base64Decode(value) {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    let [out, bits, count] = ['', 0, 0];
    for (const character of value) {
      if (character === '\r' || character === '\n') continue;
      const sextet = alphabet.indexOf(character);
      if (sextet < 0) break;
      bits = ((bits << 6) | sextet) & 0xffff;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      out += String.fromCharCode((bits >> count) & 0xff);
    }
    return out;
  },
  jsDecode(value) {
    let out = '';
    for (let at = 0; at < value.length; ) {
      const rest = value.slice(at);
      const unit = /^\\u([0-9a-f]{2})([0-9a-f]{2})/i.exec(rest);
      const byte = /^\\x([0-9a-f]{2})/i.exec(rest);
      const octal = /^\\([0-3][0-7]{0,2}|[4-7][0-7]?)/.exec(rest);
      const letter = /^\\([^])/.exec(rest);
      const low = Number.parseInt(unit?.[2] ?? '', 16);
      if (unit) out += String.fromCharCode(/ff/i.test(unit[1] ?? '') && low > 0 && low < 0x5f ? low + 0x20 : low);
      else if (byte) out += String.fromCharCode(Number.parseInt(byte[1] ?? '', 16));
      else if (octal) out += String.fromCharCode(Number.parseInt(octal[1] ?? '', 8));
      else if (letter) out += '\x07\b\f\n\r\t\v'['abfnrtv'.indexOf(letter[1] ?? '')] ?? letter[1];
      else out += rest.charAt(0);
      at += (unit ?? byte ?? octal ?? letter)?.[0].length ?? 1;
    }
    return out;
  },
};

t.test('each agrees with a loop over single bytes', async (t) => {
  const names = Object.entries(models);
  t.equal(names.length, 8);
  for (const [name, model] of names) {
    const transformation = findTransformation(name);
    if (transformation === null) throw new Error(`no ${name}`);
    fc.assert(
      fc.property(hostileText, (value) => transformation.apply(value) === model(value)),
      { seed: 4_711, numRuns: 3000 },
    );
    t.pass(name);
  }
});

t.test('names and numbers of HTML mean the same, and what is neither stays', async (t) => {
  const decode = findTransformation('htmlEntityDecode');
  if (decode === null) throw new Error('no htmlEntityDecode');
  const pairs: readonly (readonly [name: string, number: string])[] = [
    ['&lt;', '&#60;'],
    ['&lt', '&#x3C'],
    ['&quot;', '&#0034;'],
    ['&apos;', '&#x27;'],
    ['&lpar;', '&#x0000000028;'],
    ['&NewLine;', '&#10;'],
    ['&euro;', '&#x20ac;'],
    ['&euro;', '&#x80;'],
    ['&nbsp', '&#160'],
    ['&Aacute;', '&#193;'],
    ['&bsol;', '&#92;'],
    ['&CounterClockwiseContourIntegral;', '&#x2233;'],
  ];
  for (const [name, number] of pairs) t.equal(decode.apply(name), decode.apply(number), `${name} is ${number}`);
  t.equal(pairs.length, 12);
  const left = ['&', '&;', '&#', '&#;', '&#x', '&#x;', '&#xg', '&zzz;', '& lt;', '&9;'];
  for (const text of left) t.equal(decode.apply(text), text, `${text} stays`);
  t.equal(decode.apply('&#x110000;&#xd800;&#99999999999999999999;'), '\xef\xbf\xbd'.repeat(3), 'what is no character');
  t.equal(decode.apply('&amp;lt;'), '&lt;', 'once');
});
