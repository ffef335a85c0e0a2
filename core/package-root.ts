/** The folder that holds package.json: the checkout, or the installed package when this runs from `build/`. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const above = join(import.meta.dirname, '..');

/** True when this runs from what the build made, not from the sources. */
export const isInstalled = basename(above) === 'build';

export const packageRoot = isInstalled ? join(above, '..') : above;

/** The version in package.json. */
export function packageVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
