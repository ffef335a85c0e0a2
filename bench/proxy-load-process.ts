/** The load generator as a child on its own core: started once, given one order after the other. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Teardown } from '../test/support/servers/process.ts';
import type { LoadOrder, LoadReply, LoadResult } from './proxy-load.ts';

export interface LoadProcess {
  /** Rejects with the first wrong answer. */
  run(order: LoadOrder): Promise<LoadResult>;
}

export async function startLoad(t: Teardown, core: number): Promise<LoadProcess> {
  const args = ['-c', String(core), process.execPath, join(import.meta.dirname, 'proxy-load.ts')];
  const child = spawn('taskset', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // It ends by itself when this process is gone, because its channel closes.
  t.teardown(() => child.kill());
  return {
    run: (order) =>
      new Promise((resolve, reject) => {
        const ended = (): void => reject(new Error('the load generator ended'));
        child.once('exit', ended);
        child.once('error', reject);
        child.once('message', (reply: LoadReply) => {
          child.off('exit', ended);
          child.off('error', reject);
          if ('fault' in reply) reject(new Error(reply.fault));
          else resolve(reply.result);
        });
        child.send(order);
      }),
  };
}
