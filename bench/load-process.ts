/** A load generator as a child on its own core: started once, given one order after the other. */
import { spawn } from 'node:child_process';
import type { Teardown } from '../test/support/servers/process.ts';

export interface LoadProcess<Order, Result> {
  /** Rejects with the first wrong answer. */
  run(order: Order): Promise<Result>;
}

/** What the script sends back for each order that it receives. */
export type LoadReply<Result> = { readonly result: Result } | { readonly fault: string };

export async function startLoadProcess<Order extends object, Result>(
  t: Teardown,
  script: string,
  core: number,
): Promise<LoadProcess<Order, Result>> {
  const args = ['-c', String(core), process.execPath, script];
  const child = spawn('taskset', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // It ends by itself when this process is gone, because its channel closes.
  t.teardown(() => child.kill());
  return {
    run: (order) =>
      new Promise((resolve, reject) => {
        const ended = (): void => reject(new Error('the load generator ended'));
        child.once('exit', ended);
        child.once('error', reject);
        child.once('message', (reply: LoadReply<Result>) => {
          child.off('exit', ended);
          child.off('error', reject);
          if ('fault' in reply) reject(new Error(reply.fault));
          else resolve(reply.result);
        });
        child.send(order);
      }),
  };
}

/** For the script itself: carries out each order and answers; ends with its parent. */
export function answerOrders(run: (order: unknown) => Promise<unknown>): void {
  process.on('message', (order: unknown) => {
    const reply = (answer: LoadReply<unknown>): void => void process.send?.(answer);
    run(order).then(
      (result) => reply({ result }),
      (error: unknown) => reply({ fault: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit());
}
