/** The load of `bench proxy` on its own core. */
import { join } from 'node:path';
import type { Teardown } from '../test/support/servers/process.ts';
import { startLoadProcess, type LoadProcess as AnyLoadProcess } from './load-process.ts';
import type { LoadOrder, LoadResult } from './proxy-load.ts';

export type LoadProcess = AnyLoadProcess<LoadOrder, LoadResult>;

export function startLoad(t: Teardown, core: number): Promise<LoadProcess> {
  return startLoadProcess<LoadOrder, LoadResult>(t, join(import.meta.dirname, 'proxy-load.ts'), core);
}
