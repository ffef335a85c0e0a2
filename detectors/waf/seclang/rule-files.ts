/** Where rule texts come from: files by path or glob pattern, read as bytes, and texts out of other documents. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { GatewayError } from '../../../core/errors.ts';

export type RuleSource =
  | { readonly kind: 'file'; readonly path: string }
  /** `name` stands in places of faults; relative paths in the text start in `folder`. */
  | { readonly kind: 'text'; readonly name: string; readonly text: string; readonly folder: string };

export interface RuleFiles {
  /** The content, one character for each byte. Throws when there is none. */
  read(path: string): string;
  /** Existing files, sorted by name. */
  glob(pattern: string): readonly string[];
}

/** The largest rule file in the wild has some 300 KB. */
const largestFileBytes = 16 * 1024 ** 2;

/** The file system. `read` throws GatewayError RULES_INVALID. */
export function createRuleFiles(): RuleFiles {
  return {
    read: (path) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined) throw new GatewayError('RULES_INVALID', `${path} does not exist`);
      if (!stats.isFile()) throw new GatewayError('RULES_INVALID', `${path} is not a file`);
      if (stats.size > largestFileBytes) {
        throw new GatewayError('RULES_INVALID', `${path} is larger than ${largestFileBytes / 1024 ** 2} MiB`);
      }
      return readFileSync(path, 'latin1');
    },
    glob: (pattern) => globSync(pattern).toSorted(),
  };
}
