/** `normalizePath` and `normalizePathWin`: no empty segments, no `.`, and `..` takes its parent away. */
import type { Transformation } from './transformation.ts';

/** Also found as `normalisePath`. `..` above the root of an absolute path goes, above the start of a relative one stays. */
export const normalizePath: Transformation = {
  name: 'normalizePath',
  changes: [[0x2e, 0x2f]],
  apply: normalize,
};

/** Also found as `normalisePathWin`: backslashes are slashes first. */
export const normalizePathWin: Transformation = {
  name: 'normalizePathWin',
  changes: [
    [0x2e, 0x2f],
    [0x5c, 0x5c],
  ],
  apply: (value) => normalize(value.includes('\\') ? value.replaceAll('\\', '/') : value),
};

const irregular = /\/\/|(?:^|\/)\.\.?(?:\/|$)/;

function normalize(value: string): string {
  if (!irregular.test(value)) return value;
  const absolute = value.startsWith('/');
  const kept: string[] = [];
  for (const segment of value.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!absolute) kept.push('..');
  }
  if (kept.length === 0) return absolute ? '/' : '';
  return `${absolute ? '/' : ''}${kept.join('/')}${value.endsWith('/') ? '/' : ''}`;
}
