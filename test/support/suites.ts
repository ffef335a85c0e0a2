/** Where the outside suites are: `$PORTCULLIS_SUITES`, else `../shared/data` beside the checkout. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = process.env.PORTCULLIS_SUITES ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data');

/** What is needed of a test: a skip is a pass that says so. */
interface Counting {
  fail(message: string): unknown;
  pass(message: string, extra: { readonly skip: string }): unknown;
}

/**
 * The path of one suite (`hub/scenarios`), or null when it is absent: then `t` has counted one skip that names it, or one
 * failure where `CI=true`.
 */
export function suitePath(t: Counting, name: string): string | null {
  const path = join(root, name);
  if (existsSync(path)) return path;
  const message = `suite ${name} is absent: set PORTCULLIS_SUITES to the folder that holds it`;
  if (process.env.CI === 'true') t.fail(message);
  else t.pass(message, { skip: message });
  return null;
}
