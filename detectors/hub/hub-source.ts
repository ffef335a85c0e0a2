/** Where a hub is: an address or a folder, and where a file of it or a data file is found from there. */
import { join, resolve } from 'node:path';
import { GatewayError } from '../../core/errors.ts';
import { sourceProblem } from './options.ts';

export const indexFile = '.index.json';

/** Where the data files of CrowdSec's hub are; a mirror has the same paths. */
const publicData = 'https://hub-data.crowdsec.net/';

export interface HubSource {
  /** An address without a slash at its end, or an absolute folder: how the source is remembered and shown. */
  readonly location: string;
  /** The address or path of a file; `path` is relative, with forward slashes. */
  locate(path: string): string;
}

export interface SourceContext {
  /** What `{branch}` stands for. */
  readonly branch: string;
  /** Where a relative folder starts. */
  readonly cwd: string;
}

/**
 * Reads an address or a folder; both may name the index itself.
 * @throws GatewayError USAGE
 */
export function readHubSource(text: string, { branch, cwd }: SourceContext): HubSource {
  const problem = sourceProblem(text);
  if (problem !== null) {
    throw new GatewayError('USAGE', `"${text}" is no hub: ${problem}`, {
      remedy: 'Give an address that holds .index.json, or a folder.',
    });
  }
  const base = text.replaceAll('{branch}', branch).replace(/\/+(?:\.index\.json)?$/, '');
  if (isAddress(text)) return { location: base, locate: (path) => `${base}/${path}` };
  const folder = resolve(cwd, base === '' ? '/' : base);
  return { location: folder, locate: (path) => join(folder, path) };
}

/** Where to get a data file: its own address, or that of the mirror when it is one of the public ones. */
export function dataLocation(url: string, mirror: HubSource | null): string {
  return mirror !== null && url.startsWith(publicData) ? mirror.locate(url.slice(publicData.length)) : url;
}

export function isAddress(location: string): boolean {
  return /^https?:\/\//i.test(location);
}
