/**
 * The body processor XML: the texts and the attribute values of a document, for `XML:/*` and `XML://@*`. It reads tokens and
 * builds no tree, so it is as lenient as it can be: elements need not be closed nor match. Texts that only comments, processing
 * instructions or CDATA borders separate are one text, as an application sees them.
 *
 * Nothing is fetched and no entity is expanded but the five of XML and character references. What a document type declares is
 * kept as texts, so that the rules see addresses of external entities and what entities stand for, and a document that declares
 * entities is reported: an origin that expands them reads something that was not inspected.
 * Specification: XML 1.0, fifth edition; XPath 1.0 §5.3.
 */
import type { BodyContents, BodyContext, BodyProcessor } from './body-processor.ts';
import { emptyContents, FirstFault, TextList } from './body-values.ts';
import { isBlank, trimBlanks } from './parse-cookies.ts';
import { decodeReferences } from './xml-references.ts';
import { toUtf8Document } from './utf8-bytes.ts';

export const xmlProcessor: BodyProcessor = {
  name: 'XML',
  process(body, context): BodyContents {
    const { text, encoding } = toUtf8Document(body);
    return new XmlReader(text, encoding !== 'utf-8', context).read();
  },
};

/** Encodings in which ASCII is ASCII, so that markup is where we see it. */
const asciiEncodings = /^(?:utf-?8|us-ascii|ascii|iso-?8859-?\d{1,2}|latin1|windows-125\d|koi8-[ru])$/i;
const wideEncodings = /^(?:utf-?(?:16|32)(?:le|be)?|ucs-[24]|iso-10646-ucs-[24])$/i;

/** An attribute that declares a namespace (XPath does not count it as one), unless its value is no ordinary address. */
const namespaceName = /^xmlns(?::|$)/;
const plainAddress = /^[\w\-.~:/?#@&=+,%]*$/;

const lessThan = 0x3c;
const greaterThan = 0x3e;
const slash = 0x2f;
const equalsSign = 0x3d;
const doubleQuote = 0x22;
const singleQuote = 0x27;

class XmlReader {
  readonly #text: string;
  readonly #wide: boolean;
  readonly #truncated: boolean;
  readonly #maxDepth: number;
  readonly #texts: TextList;
  readonly #attributes: TextList;
  readonly #fault = new FirstFault();
  /** Pieces of the text that is being read. */
  #pieces: string[] = [];
  #at = 0;
  #depth = 0;
  #elements = 0;

  constructor(text: string, wide: boolean, { limits, truncated }: BodyContext) {
    this.#text = text;
    this.#wide = wide;
    this.#truncated = truncated;
    this.#maxDepth = limits.depth;
    this.#texts = new TextList(limits.arguments);
    this.#attributes = new TextList(limits.arguments);
  }

  read(): BodyContents {
    const text = this.#text;
    while (this.#at < text.length) {
      const tag = text.indexOf('<', this.#at);
      const end = tag < 0 ? text.length : tag;
      if (end > this.#at) this.#pieces.push(decodeReferences(text.slice(this.#at, end)));
      this.#at = end;
      if (end < text.length) this.#markup();
    }
    this.#endText();
    if (this.#elements === 0 && text !== '' && !this.#truncated) this.#complain('no element');
    return {
      ...emptyContents,
      xmlTexts: this.#texts.finish(),
      xmlAttributes: this.#attributes.finish(),
      error: this.#fault.text,
    };
  }

  /** What begins with the `<` here. */
  #markup(): void {
    const text = this.#text;
    const code = text.charCodeAt(this.#at + 1);
    if (text.startsWith('<!--', this.#at)) this.#upTo('-->', 4, 'a comment');
    else if (text.startsWith('<![CDATA[', this.#at)) {
      const content = this.#upTo(']]>', 9, 'a CDATA section');
      if (content !== null) this.#pieces.push(content);
    } else if (code === 0x21) this.#declaration();
    else if (code === 0x3f) this.#instruction();
    else if (code === slash) {
      this.#endText();
      if (this.#depth > 0) this.#depth -= 1;
      this.#upTo('>', 2, 'an end tag');
    } else if (isNameStart(code)) {
      this.#endText();
      this.#startTag();
    } else {
      if (this.#at + 1 < text.length || !this.#truncated) this.#complain('"<" that begins nothing');
      this.#pieces.push('<');
      this.#at += 1;
    }
  }

  /**
   * Passes everything from `#at` to `end`, and gives what is between; null: there is no end, and what follows was kept as text.
   */
  #upTo(end: string, opening: number, what: string): string | null {
    const start = this.#at + opening;
    const found = this.#text.indexOf(end, start);
    if (found >= 0) {
      this.#at = found + end.length;
      return this.#text.slice(start, found);
    }
    if (!this.#truncated) this.#complain(`${what} without its end`);
    this.#pieces.push(this.#text.slice(start));
    this.#at = this.#text.length;
    return null;
  }

  #instruction(): void {
    const content = this.#upTo('?>', 2, 'a processing instruction');
    if (content === null || !/^xml\s/i.test(content)) return;
    const encoding = /\sencoding\s*=\s*["']([^"']*)/i.exec(content)?.[1];
    if (encoding === undefined) return;
    if (asciiEncodings.test(encoding) || (this.#wide && wideEncodings.test(encoding))) return;
    this.#complain(`the encoding ${encoding.slice(0, 40)} is not understood`);
  }

  /** `<!DOCTYPE …>` with its internal subset. Each quoted literal becomes a text of its own. */
  #declaration(): void {
    this.#endText();
    const text = this.#text;
    let brackets = 0;
    let at = this.#at + 2;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === doubleQuote || code === singleQuote) {
        const close = text.indexOf(text.charAt(at), at + 1);
        const end = close < 0 ? text.length : close;
        this.#addText(decodeReferences(text.slice(at + 1, end)));
        at = end + 1;
        continue;
      }
      if (code === lessThan) at = this.#innerMarkup(at);
      else if (code === 0x5b) brackets += 1;
      else if (code === 0x5d) brackets -= 1;
      else if (code === greaterThan && brackets <= 0) {
        this.#at = at + 1;
        return;
      }
      at += 1;
    }
    if (!this.#truncated) this.#complain('a declaration without its end');
    this.#at = text.length;
  }

  /** Markup inside a document type. The position of the last character that needs no more looking at. */
  #innerMarkup(at: number): number {
    const text = this.#text;
    if (text.startsWith('<!--', at)) return endOf(text, '-->', at + 4);
    if (text.startsWith('<?', at)) return endOf(text, '?>', at + 2);
    if (text.startsWith('<!ENTITY', at)) this.#complain('it declares entities, which are not expanded');
    return at;
  }

  #startTag(): void {
    const text = this.#text;
    this.#elements += 1;
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) this.#complain(`nesting is deeper than ${this.#maxDepth}`);
    let at = this.#at + 1;
    while (at < text.length && !endsName(text.charCodeAt(at))) at += 1;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === greaterThan) {
        this.#at = at + 1;
        return;
      }
      if (code === lessThan) {
        // The tag was never ended; what begins here is looked at for itself.
        this.#complain('a tag without its end');
        this.#at = at;
        return;
      }
      if (code === slash && text.charCodeAt(at + 1) === greaterThan) this.#depth -= 1;
      at = code === slash || isBlank(code) ? at + 1 : this.#attribute(at);
    }
    if (!this.#truncated) this.#complain('a tag without its end');
    this.#at = text.length;
  }

  /** Reads the attribute at `at`; where it ends. Always beyond `at`. */
  #attribute(at: number): number {
    const text = this.#text;
    let end = at + 1;
    while (end < text.length && !endsName(text.charCodeAt(end))) end += 1;
    const name = text.slice(at, end);
    let value = end;
    while (value < text.length && isBlank(text.charCodeAt(value))) value += 1;
    if (text.charCodeAt(value) !== equalsSign) {
      // HTML's short form, or the beginning of one whose rest is not here. Lenient readers take the name as the value.
      this.#attributes.add(name);
      if (end < text.length || !this.#truncated) this.#complain('an attribute without a value');
      return end;
    }
    value += 1;
    while (value < text.length && isBlank(text.charCodeAt(value))) value += 1;
    const quote = text.charAt(value);
    if (quote === '"' || quote === "'") return this.#quotedValue(name, value + 1, quote);
    end = value;
    while (end < text.length && text.charCodeAt(end) !== greaterThan && !isBlank(text.charCodeAt(end))) end += 1;
    if (end < text.length || !this.#truncated) this.#complain('an attribute value without quotes');
    this.#addAttribute(name, text.slice(value, end));
    return end;
  }

  #quotedValue(name: string, start: number, quote: string): number {
    const text = this.#text;
    const found = text.indexOf(quote, start);
    if (found < 0 && !this.#truncated) this.#complain('an attribute value without its end');
    const end = found < 0 ? text.length : found;
    const value = text.slice(start, end);
    if (value.includes('<')) this.#complain('"<" in an attribute value');
    this.#addAttribute(name, value);
    return end + 1;
  }

  #addAttribute(name: string, source: string): void {
    if (name.startsWith('xmlns') && namespaceName.test(name) && plainAddress.test(source)) return;
    this.#attributes.add(decodeReferences(source));
  }

  #addText(text: string): void {
    const trimmed = trimBlanks(text);
    if (trimmed !== '') this.#texts.add(trimmed);
  }

  #endText(): void {
    if (this.#pieces.length === 0) return;
    const text = this.#pieces.length === 1 ? (this.#pieces[0] ?? '') : this.#pieces.join('');
    this.#pieces = [];
    this.#addText(text);
  }

  #complain(what: string): void {
    if (!this.#fault.isNoted) this.#fault.note(`XML parsing error: ${what} at byte ${this.#at}`);
  }
}

/** The position of the last character of `end`, or of the text. */
function endOf(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found < 0 ? text.length : found + end.length - 1;
}

function isNameStart(code: number): boolean {
  return ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) || code === 0x5f || code === 0x3a || code >= 0x80;
}

/** White space, `=`, `/`, `>`, `<`. */
function endsName(code: number): boolean {
  return code <= greaterThan && (code >= lessThan || code === slash || code === 0x20 || (code >= 0x09 && code <= 0x0d));
}
