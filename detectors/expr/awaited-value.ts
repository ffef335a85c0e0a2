/**
 * A value that an expression cannot have yet, because another server has to be asked for it. Expressions never wait: the
 * helper raises this, and whoever may wait evaluates again when it is `ready`. For everybody else it is an error like any other.
 */
import type { Answer } from '../../core/answer-cache.ts';

export class AwaitedValue extends Error {
  /** Resolves when evaluating again gets further. Never rejects. */
  readonly ready: Promise<void>;

  constructor(ready: Promise<void>) {
    super('the answer of another server is not there yet');
    this.name = 'AwaitedValue';
    this.ready = ready;
  }
}

/** @throws AwaitedValue when it is still being asked for */
export function valueOf<Value>(answer: Answer<Value>): Value {
  if (answer.kind === 'asked') throw new AwaitedValue(answer.ready);
  return answer.value;
}
