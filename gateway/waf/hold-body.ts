/** Holds the beginning of a request's body until the rules have judged it. */
import { BodyFault, type ClientBody } from '../body.ts';
import type { Exchange } from '../exchange.ts';
import { type Answer, answerFor } from '../respond.ts';
import type { Inspection } from './inspection.ts';
import { answerTo } from './verdict-answer.ts';

/**
 * What to do with the request: pass it on, answer in the origin's place, or nothing, because its client has left. Never
 * rejects.
 */
export async function holdBody(
  exchange: Exchange,
  inspection: Inspection,
  body: ClientBody,
): Promise<Answer | 'pass' | 'gone'> {
  exchange.relay = {
    abort: () => body.fail(new Error('client went away')),
    breakBody: () => body.fail(new BodyFault('BODY_MALFORMED')),
  };
  try {
    inspection.noteHeld('request');
    const { bytes, complete } = await body.hold(inspection.requestBodyBytes);
    const verdict = inspection.requestBody(bytes, complete);
    if (verdict === null) return exchange.done ? 'gone' : 'pass';
    await body.release();
    return answerTo(exchange, verdict);
  } catch (thrown) {
    if (!(thrown instanceof BodyFault)) {
      // The client broke off within its body: there is nobody to answer, and nothing that could be passed on.
      exchange.response.destroy();
      return 'gone';
    }
    exchange.outcome = 'rejected';
    exchange.reason = thrown.message;
    return answerFor(thrown.status, { close: true });
  } finally {
    exchange.relay = null;
  }
}
