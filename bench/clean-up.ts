/** What a measurement has started, ended again. */
import type { Telling } from '../test/support/servers/tell-on-failure.ts';

/** What `teardown` is to a test: run in reverse order, all of it, whatever fails. */
export class CleanUp implements Telling {
  readonly #steps: (() => unknown)[] = [];

  teardown(run: () => unknown): void {
    this.#steps.push(run);
  }

  /** What failed is in the error that ends the measurement. */
  passing(): boolean {
    return true;
  }

  comment(): void {}

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await Promise.resolve(step()).catch(() => {});
  }
}
