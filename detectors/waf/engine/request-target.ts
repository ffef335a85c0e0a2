/** The parts of a request target as variables have them. ModSecurity Reference Manual, REQUEST_URI and its neighbours. */
import { decodePercent } from '../bodies/percent-decode.ts';

export interface RequestTarget {
  /** Path and query, without scheme, host and fragment; nothing is decoded. */
  readonly uri: string;
  /** The path, percent-decoded once. */
  readonly filename: string;
  /** What follows the last `/` or `\` of the path. */
  readonly basename: string;
  /** What follows the first `?`, "" when there is none; nothing is decoded. */
  readonly query: string;
}

const schemeAndHost = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

export function splitTarget(target: string): RequestTarget {
  const fragment = target.indexOf('#');
  const whole = fragment === -1 ? target : target.slice(0, fragment);
  // An origin form needs no pattern.
  const uri = whole.charCodeAt(0) === 0x2f ? whole : withoutOrigin(whole);
  const question = uri.indexOf('?');
  const filename = decodePercent(question === -1 ? uri : uri.slice(0, question));
  const basename = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
  return { uri, filename, basename, query: question === -1 ? '' : uri.slice(question + 1) };
}

function withoutOrigin(target: string): string {
  const origin = schemeAndHost.exec(target);
  if (origin === null) return target;
  const rest = target.slice(origin[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
