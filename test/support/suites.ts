/** Where the outside suites are: `$PORTCULLIS_SUITES`, else `../shared/data` beside the checkout. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = process.env.PORTCULLIS_SUITES ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data');

interface Skippable {
  fail(message: string): unknown;
  skip(message: string): unknown;
}

/**
 * The path of one suite (`hub/scenarios`), or null when it is absent: then `t` has counted one skip that names it, or one
 * failure where `CI=true`.
 */
export function suitePath(t: Skippable, name: string): string | null {
  const path = join(root, name);
  if (existsSync(path)) return path;
  const message = `suite ${name} is absent: set PORTCULLIS_SUITES to the folder that holds it`;
  if (process.env.CI === 'true') t.fail(message);
  else t.skip(message);
  return null;
}
