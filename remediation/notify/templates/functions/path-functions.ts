/** Sprig's paths and URLs. */
import { posix } from 'node:path';
import { ValueFault } from '../template-error.ts';
import { define, type TemplateFunction, type TemplateMap, typeName } from '../values.ts';

const base = define(['text'], ([path]) => baseOf(path));
const directory = define(['text'], ([path]) => clean(path.slice(0, path.lastIndexOf('/') + 1)));
const cleaned = define(['text'], ([path]) => clean(path));
const extension = define(['text'], ([path]) => /\.[^./]*$/.exec(path)?.[0] ?? '');
const absolute = define(['text'], ([path]) => path.startsWith('/'));

export const pathFunctions: Readonly<Record<string, TemplateFunction>> = {
  base,
  dir: directory,
  clean: cleaned,
  ext: extension,
  isAbs: absolute,
  osBase: base,
  osDir: directory,
  osClean: cleaned,
  osExt: extension,
  osIsAbs: absolute,
  urlParse: define(['text'], ([text]) => parseUrl(text)),
  urlJoin: define(['map'], ([parts]) => joinUrl(parts)),
};

function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function baseOf(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** The parts of a URL by RFC 3986 (appendix B), as Go's `url.Parse` names them. */
function parseUrl(text: string): TemplateMap {
  // The pattern takes any text.
  const [, scheme = '', authority, rest = '', , query = '', , fragment = ''] =
    /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(\?([^#]*))?(#([^]*))?$/.exec(text) ?? [];
  if (/[\0-\x1f\x7f]/.test(text)) throw new ValueFault('unable to parse url: invalid control character in URL');
  const at = (authority ?? '').lastIndexOf('@');
  const host = (authority ?? '').slice(at + 1);
  const isOpaque = scheme !== '' && authority === undefined && rest !== '' && !rest.startsWith('/');
  return new Map([
    ['scheme', scheme.toLowerCase()],
    ['host', host],
    ['hostname', host.replace(/:[0-9]*$/, '').replace(/^\[(.*)\]$/, '$1')],
    ['path', isOpaque ? '' : decoded(rest)],
    ['query', query],
    ['opaque', isOpaque ? rest : ''],
    ['fragment', decoded(fragment)],
    ['userinfo', at === -1 ? '' : (authority ?? '').slice(0, at)],
  ]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueFault('unable to parse url: invalid URL escape');
  }
}

function joinUrl(parts: TemplateMap): string {
  const part = (key: string): string => {
    const value = parts.get(key) ?? '';
    if (typeof value === 'string') return value;
    throw new ValueFault(`unable to parse ${key} key, must be of type string, but ${typeName(value)} found`);
  };
  const { scheme, host, userinfo } = { scheme: part('scheme'), host: part('host'), userinfo: part('userinfo') };
  const { opaque, query, fragment } = { opaque: part('opaque'), query: part('query'), fragment: part('fragment') };
  const path = encodePath(part('path'));
  let out = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') out += opaque;
  else {
    if (host !== '' || userinfo !== '' || (scheme !== '' && path.startsWith('//'))) {
      out += `//${userinfo === '' ? '' : `${userinfo}@`}${host}`;
    }
    out += path !== '' && !path.startsWith('/') && host !== '' ? `/${path}` : path;
  }
  return out + (query === '' ? '' : `?${query}`) + (fragment === '' ? '' : `#${encodePath(fragment)}`);
}

function encodePath(text: string): string {
  return encodeURI(text.toWellFormed()).replaceAll(/[?#]/g, (sign) => (sign === '?' ? '%3F' : '%23'));
}
