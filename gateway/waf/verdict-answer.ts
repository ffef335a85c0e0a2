/** What a client gets to see of a verdict: as little as of any other refusal. */
import type { Verdict } from '../../detectors/waf/engine/transaction-types.ts';
import type { Exchange } from '../exchange.ts';
import { type Answer, answerFor } from '../respond.ts';

/** Notes the refusal on the exchange. */
export function answerTo(exchange: Exchange, verdict: Verdict): Answer {
  exchange.outcome = 'refused';
  exchange.reason = verdict.ruleId === 0 ? 'waf: limit' : `waf: rule ${verdict.ruleId}`;
  switch (verdict.action) {
    case 'deny':
      return answerFor(verdict.status, verdict.status === 403 ? { detail: detailOf(verdict) } : {});
    case 'drop':
      return answerFor(403, { close: true });
    case 'redirect':
      return answerFor(verdict.status, { headers: ['Location', verdict.url] });
    default:
      return verdict.action satisfies never;
  }
}

function detailOf({ phase }: Verdict): string {
  return phase <= 2
    ? 'The request looks like an attack on this site, so it was not passed on.'
    : 'The answer to this request held what should not leave this site, so it was withheld.';
}
