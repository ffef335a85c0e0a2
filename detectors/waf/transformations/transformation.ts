/**
 * What every transformation is: a function from a latin1 string (one character for each byte) to another. It never throws,
 * takes linear time, and returns the very same string when nothing changes.
 */
export interface Transformation {
  /** As SecLang spells it: `urlDecodeUni`. Found without regard to case. */
  readonly name: string;
  readonly apply: (value: string) => string;
  /**
   * Only a text that holds one of these characters can change; null: any text can. Ranges of character codes, both ends
   * included. It lets the engine skip what changes nothing.
   */
  readonly changes: readonly (readonly [number, number])[] | null;
}
