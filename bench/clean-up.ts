/** What a measurement has started, ended again. */
import type { Teardown } from '../test/support/servers/process.ts';

/** What `teardown` is to a test: run in reverse order, all of it, whatever fails. */
export class CleanUp implements Teardown {
  readonly #steps: (() => unknown)[] = [];

  teardown(run: () => unknown): void {
    this.#steps.push(run);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await Promise.resolve(step()).catch(() => {});
  }
}
