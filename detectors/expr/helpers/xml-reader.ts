/**
 * A small strict XML reader for log events: elements, attributes, text, CDATA, comments, processing instructions, the five
 * named entities and character references. A document type is skipped, so no entity can be defined; depth, size and the
 * number of nodes are limited. Namespaces are ignored: `ns:Tag` is `Tag`.
 */

export interface XmlElement {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  /** The text before the first child. */
  text: string;
}

const longestDocument = 1_048_576;
const deepestDocument = 64;
const mostElements = 20_000;

/** A document's single element with the tag "", holding the root; null when the text is not well-formed or too large. */
export function readXml(text: string): XmlElement | null {
  if (text.length > longestDocument) return null;
  const top: XmlElement = { tag: '', attributes: new Map(), children: [], text: '' };
  const open: XmlElement[] = [top];
  let elements = 0;
  let at = 0;
  while (at < text.length) {
    const bracket = text.indexOf('<', at);
    const end = bracket === -1 ? text.length : bracket;
    if (end > at && !addText(open, decodeEntities(text.slice(at, end)))) return null;
    if (bracket === -1) break;
    const markup = markupEnd(text, bracket);
    if (markup === -1) return null;
    at = markup;
    const kind = text[bracket + 1];
    if (text.startsWith('<![CDATA[', bracket)) {
      if (!addText(open, text.slice(bracket + 9, at - 3))) return null;
    } else if (kind === '/') {
      const closed = open.length > 1 ? open.pop() : undefined;
      if (closed === undefined || localName(text.slice(bracket + 2, at - 1).trim()) !== closed.tag) return null;
    } else if (kind !== '!' && kind !== '?') {
      const selfClosing = text[at - 2] === '/';
      const element = readTag(text.slice(bracket + 1, selfClosing ? at - 2 : at - 1));
      if (element === null || ++elements > mostElements || open.length > deepestDocument) return null;
      open.at(-1)?.children.push(element);
      if (!selfClosing) open.push(element);
    }
  }
  return open.length === 1 && top.children.length > 0 ? top : null;
}

/** Text outside the root may only be space; text after a child is not kept. */
function addText(open: readonly XmlElement[], text: string | null): boolean {
  if (text === null) return false;
  const parent = open.at(-1);
  if (parent === undefined || open.length === 1) return text.trim() === '';
  if (parent.children.length === 0) parent.text += text;
  return true;
}

/** The offset after the markup that starts at `at`, or -1. */
function markupEnd(text: string, at: number): number {
  const close = (mark: string, from: number): number => {
    const found = text.indexOf(mark, from);
    return found === -1 ? -1 : found + mark.length;
  };
  if (text.startsWith('<!--', at)) return close('-->', at + 4);
  if (text.startsWith('<![CDATA[', at)) return close(']]>', at + 9);
  if (text[at + 1] === '?') return close('?>', at + 2);
  let quote = 0;
  let brackets = 0;
  for (let index = at + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === 34 || code === 39) quote = code;
    else if (code === 91) brackets++;
    else if (code === 93) brackets--;
    else if (code === 62 && brackets <= 0) return index + 1;
  }
  return -1;
}

const tagName = /^[^\s<>"'/=&]+/;
const attribute = /\s+([^\s<>"'/=&]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;

function readTag(body: string): XmlElement | null {
  const name = tagName.exec(body)?.[0];
  if (name === undefined) return null;
  const attributes = new Map<string, string>();
  let at = name.length;
  for (;;) {
    attribute.lastIndex = at;
    const found = attribute.exec(body);
    if (found === null) break;
    const value = decodeEntities(found[2] ?? found[3] ?? '');
    if (value === null) return null;
    attributes.set(localName(found[1] ?? ''), value);
    at = attribute.lastIndex;
  }
  if (body.slice(at).trim() !== '') return null;
  return { tag: localName(name), attributes, children: [], text: '' };
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Text with its references replaced, or null when one of them is unknown. */
function decodeEntities(text: string): string | null {
  if (!text.includes('&')) return text;
  let sound = true;
  const decoded = text.replaceAll(/&([^;&]{0,10});|&/g, (_, name?: string) => {
    const character = name === undefined ? null : entity(name);
    if (character === null) sound = false;
    return character ?? '';
  });
  return sound ? decoded : null;
}

function entity(name: string): string | null {
  if (Object.hasOwn(named, name)) return named[name] ?? null;
  const digits = /^#(?:x([\da-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
  if (digits === null) return null;
  const point = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  return point > 0x10ffff || point === 0 || (point >= 0xd800 && point <= 0xdfff) ? null : String.fromCodePoint(point);
}
