/**
 * The one exception to "nothing on the request path waits": bouncers in live mode, which ask another Local API about an address
 * that they do not know. Opt-in. The wait is short, questions about one address are joined, an answer is remembered, and
 * what cannot be asked is judged by what is known here.
 */
import type { IpAddress } from '../core/ip.ts';

export interface LiveQuestions {
  /** Null: nothing need be asked. Else it resolves, soon and in any case, when the index knows what there is to know. */
  pending(address: IpAddress, now: number): Promise<void> | null;
}
