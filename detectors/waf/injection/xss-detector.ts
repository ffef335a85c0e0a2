/**
 * `@detectXSS`: would a value, put into a page as an application might put it there, bring markup that runs or loads
 * something? The value is read by `html-tokenizer.ts` as text and as the rest of an attribute's value in each of the four
 * ways of writing one; `xss-words.ts` says what the tags and attributes found can do.
 *
 * A detector keeps nothing between texts. It never throws, and takes time in proportion to the length of the text.
 */
import { type HtmlContext, type HtmlToken, HtmlTokenizer } from './html-tokenizer.ts';
import { decodeHtmlReferences } from './html-references.ts';
import { type AttributePower, createXssWords, type XssWords } from './xss-words.ts';

const quotes: readonly HtmlContext[] = ["'", '"', '`'];

/** The detector: true for a byte string that is an attack. */
export function createXssDetector(): (text: string) => boolean {
  const words = createXssWords();
  return (text) => {
    if (text.includes('<') && isActive(text, 'data', words)) return true;
    if (!text.includes('=')) return false;
    if (isActive(text, 'unquoted', words)) return true;
    if (/^on[a-z]+\s*=/i.test(text) && isActive(text, 'tag', words)) return true;
    return quotes.some((quote) => text.includes(quote) && isActive(text, quote, words));
  };
}

function isActive(text: string, context: HtmlContext | 'nested', words: XssWords): boolean {
  const tokenizer = new HtmlTokenizer(text, context === 'nested' ? 'data' : context);
  let inTag = false;
  let power: AttributePower = 'none';
  for (;;) {
    const token = tokenizer.next();
    if (token === null) return false;
    switch (token.type) {
      case 'DOCTYPE':
        return true;
      case 'TAG_NAME_OPEN':
        if (words.isActiveTag(nameOf(token))) return true;
        inTag = true;
        power = 'none';
        break;
      case 'ATTR_NAME':
        power = words.powerOf(nameOf(token), inTag);
        break;
      case 'ATTR_VALUE':
        if (isActiveValue(token.value, power, inTag, words)) return true;
        // Parsers that disagree on where a value ends see the markup in it. Values do not overlap, and there is one level.
        if (inTag && context !== 'nested' && holdsMarkup(token.value) && isActive(token.value, 'nested', words))
          return true;
        power = 'none';
        break;
      case 'TAG_COMMENT':
        if (isActiveComment(token.value)) return true;
        break;
      case 'DATA_TEXT':
      case 'TAG_NAME_CLOSE':
      case 'TAG_NAME_SELFCLOSE':
      case 'TAG_CLOSE':
        break;
      default:
        return token.type satisfies never;
    }
  }
}

/** The shortest that runs anything is longer than `<a b=c`. */
function holdsMarkup(value: string): boolean {
  return value.length > 6 && value.includes('<');
}

/** Upper case, without the NULs that some browsers skip. */
function nameOf(token: HtmlToken): string {
  return token.value.replaceAll('\0', '').toUpperCase();
}

function isActiveValue(value: string, power: AttributePower, inTag: boolean, words: XssWords): boolean {
  switch (power) {
    case 'active':
    case 'event':
      return true;
    case 'address':
      return runsScript(value);
    case 'indirect': {
      const named = words.powerOf(decodeHtmlReferences(value).trim().toUpperCase(), true);
      return named !== 'none' || /^\s*innerhtml/i.test(value);
    }
    case 'none':
      return inTag && runsScript(value) && !/^[\s\0]*data/i.test(value);
    default:
      return power satisfies never;
  }
}

/** Only so much of an address is looked at: its scheme and the type of its data. */
const longestScheme = 32;
const skippedByBrowsers = /[^!-~]+/g;

/** An address that runs or is itself a document, after the references and the white space that browsers skip. */
function runsScript(value: string): boolean {
  const address = decodeHtmlReferences(value).replace(skippedByBrowsers, '').slice(0, longestScheme);
  if (/^data:image\/(?:png|gif|jpe?g|webp)[;,]/i.test(address)) return false;
  return /^(?:(?:feed|jar):)?(?:javascript|vbscript|livescript|view-source|data|mhtml):/i.test(address);
}

/** What old Internet Explorers ran in a comment, and what XML parsers do. */
function isActiveComment(value: string): boolean {
  if (value.includes('`')) return true;
  return /^(?:\[if|xml|import\b|entity\b)/i.test(value.replaceAll('\0', ''));
}
