/**
 * The contract of `Store`, run against every store that `createStore` knows: what a store promises, in the order in which the
 * interface says it.
 */
import type { Test } from 'tap';
import { writes } from './store/writes.ts';
import { identifiers } from './store/identifiers.ts';
import { stream } from './store/stream.ts';
import { queries } from './store/queries.ts';
import { records } from './store/records.ts';
import { allowlists } from './store/allowlists.ts';
import { peers } from './store/peers.ts';
import { limits } from './store/limits.ts';
import { forgetting } from './store/forgetting.ts';
import { lifetime } from './store/lifetime.ts';
import { model } from './store/model.ts';
import type { Open } from './store/tools.ts';

/** Registers the whole suite. `open` makes an empty store of `contractRetention` and frees it when its test ends. */
export function storeContract(t: Test, open: Open): void {
  writes(t, open);
  identifiers(t, open);
  stream(t, open);
  queries(t, open);
  records(t, open);
  allowlists(t, open);
  peers(t, open);
  limits(t, open);
  forgetting(t, open);
  lifetime(t, open);
  model(t, open);
}
