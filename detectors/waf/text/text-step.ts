/** Transformations in the form in which texts apply them: with a number, and the classes of characters they look at. */
import { allClasses, type CharClasses, type CharRanges, classesOf } from './char-classes.ts';

/** A transformation (`transformations/`): it returns the very same string when nothing changes. */
export interface TextChange {
  readonly name: string;
  readonly apply: (value: string) => string;
  /** Only a text with one of these characters can change; null: any text can, the empty one included. */
  readonly changes: CharRanges | null;
}

export interface TextStep {
  readonly number: number;
  readonly change: TextChange;
  readonly classes: CharClasses;
  /** True when every text can change. */
  readonly always: boolean;
}

/** Several steps as one question: a text with none of the classes goes through all of them unchanged. */
export interface TextChain {
  readonly steps: readonly TextStep[];
  readonly classes: CharClasses;
  readonly always: boolean;
}

/** Numbers the transformations of a rule set. */
export class TextSteps {
  readonly #steps = new Map<TextChange, TextStep>();

  step(change: TextChange): TextStep {
    const known = this.#steps.get(change);
    if (known !== undefined) return known;
    const { changes } = change;
    const classes = changes === null ? allClasses : classesOf(changes);
    const step: TextStep = { number: this.#steps.size, change, classes, always: changes === null };
    this.#steps.set(change, step);
    return step;
  }

  chain(changes: readonly TextChange[]): TextChain {
    const steps = changes.map((change) => this.step(change));
    const low = steps.reduce((bits, step) => bits | step.classes.low, 0);
    const high = steps.reduce((bits, step) => bits | step.classes.high, 0);
    return { steps, classes: { low, high }, always: steps.some((step) => step.always) };
  }
}
