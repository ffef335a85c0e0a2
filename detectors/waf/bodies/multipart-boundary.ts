/**
 * The boundary that a Content-Type announces. Origins differ most in this place, so everything but the one usual spelling is
 * noted: RFC 2046 §5.1.1, the messages are ModSecurity's.
 */
import { readParameters } from './header-parameters.ts';

export interface Boundary {
  /** Null: there is none, and the body cannot be read. */
  readonly text: string | null;
  readonly quoted: boolean;
  /** White space where none belongs. */
  readonly whitespace: boolean;
  readonly missingSemicolon: boolean;
  /** "" when it is as it should be. */
  readonly fault: string;
}

const longestBoundary = 70;

const mediaType = /^multipart\/form-data$/i;

/** What RFC 2046 allows, without the comma, at which PHP ends an unquoted boundary. */
const plainCharacters = /^[0-9A-Za-z'()+_\-./:=?]*$/;
const quotedCharacters = /^[0-9A-Za-z'()+_,\-./:=? ]*[0-9A-Za-z'()+_,\-./:=?]$/;

export function readBoundary(contentType: string): Boundary {
  const { type, parameters, fault } = readParameters(contentType);
  const parameter = parameters.find(({ name }) => name === 'boundary');
  if (parameter === undefined) return lenientBoundary(contentType);
  const { value, quote, spaced } = parameter;
  const problem =
    mentionProblem(contentType) ||
    boundaryProblem(value, quote) ||
    (fault === '' ? '' : `Invalid boundary in C-T (malformed): ${fault}`) ||
    (mediaType.test(type) ? '' : 'Invalid boundary in C-T (malformed): the media type');
  return {
    text: value === '' ? null : value,
    quoted: quote === '"',
    whitespace: spaced || /\s$/.test(contentType.slice(-1)),
    missingSemicolon: false,
    fault: problem,
  };
}

/** No parameter of that name; some origins search for the word, wherever it is. */
function lenientBoundary(contentType: string): Boundary {
  const found = /boundary\s*=\s*"?([^\s",;]+)/i.exec(contentType);
  return {
    text: found?.[1] ?? null,
    quoted: false,
    whitespace: false,
    missingSemicolon: found !== null && !contentType.slice(0, found.index).includes(';'),
    fault: !/boundary/i.test(contentType) ? 'Boundary not found in C-T' : 'Invalid boundary in C-T (parameter name)',
  };
}

/** PHP looks for the word first and for "=" behind it: the first mention has to be the parameter, and the only one. */
function mentionProblem(contentType: string): string {
  const assigning = contentType
    .toLowerCase()
    .split(/[;,"]/)
    .filter((segment) => segment.includes('boundary') && segment.includes('=', segment.indexOf('boundary')));
  if (assigning.length > 1) return 'Multiple boundary parameters in C-T';
  const first = contentType.toLowerCase().indexOf('boundary');
  return /^boundary\s*=/i.test(contentType.slice(first, first + longestBoundary))
    ? ''
    : 'Invalid boundary in C-T (malformed)';
}

function boundaryProblem(value: string, quote: string): string {
  if (value === '') return 'Invalid boundary in C-T (empty)';
  if (value.length > longestBoundary) return 'Invalid boundary in C-T (length)';
  if (quote === "'") return 'Invalid boundary in C-T (quote)';
  const allowed = quote === '"' ? quotedCharacters : plainCharacters;
  return allowed.test(value) ? '' : 'Invalid boundary in C-T (characters)';
}
