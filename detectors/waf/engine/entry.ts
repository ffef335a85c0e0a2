/** One value of a collection. */
import type { Text } from '../text/text.ts';

export interface Entry {
  /** Of the value in its collection, in its own spelling: `User-Agent`. */
  readonly name: string;
  /** The name in lower case: names compare without regard to ASCII case. "" in MATCHED_VARS, where it is seldom asked for. */
  readonly key: string;
  readonly text: Text;
}

export const noEntries: readonly Entry[] = [];
