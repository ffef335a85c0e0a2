/** What becomes of an event in the parsers. */

export type ParseOutcome =
  /** Through all stages. `event.Whitelisted` says whether somebody whitelisted it. */
  | { readonly kind: 'passed' }
  | { readonly kind: 'discarded'; readonly reason: DiscardReason }
  /**
   * Another server has to be asked: for the name of an address, or for what an expression wants. `ready` resolves within
   * seconds and never rejects; a fresh copy of the event is to be parsed then.
   */
  | { readonly kind: 'pending'; readonly ready: Promise<void> };

/** `unparsed`: no node of a stage succeeded. `misplaced`: the event left a stage that it was not in. `failed`: a static did. */
export type DiscardReason = 'unparsed' | 'misplaced' | 'failed';

export const passed: ParseOutcome = Object.freeze({ kind: 'passed' });
export const unparsed: ParseOutcome = Object.freeze({ kind: 'discarded', reason: 'unparsed' });
export const misplaced: ParseOutcome = Object.freeze({ kind: 'discarded', reason: 'misplaced' });
export const failed: ParseOutcome = Object.freeze({ kind: 'discarded', reason: 'failed' });
