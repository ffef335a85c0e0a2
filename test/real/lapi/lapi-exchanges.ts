/** The whole conversation with a Local API, in an order that matters: later questions are about what earlier ones left behind. */
import { bouncerExchanges, machineExchanges, transportExchanges } from './access-exchanges.ts';
import {
  acceptedAlertExchanges,
  alertSearchExchanges,
  oddAlertExchanges,
  refusedAlertExchanges,
} from './alert-exchanges.ts';
import { deletionExchanges, liveExchanges, streamExchanges } from './decision-exchanges.ts';
import type { Exchange } from './exchange.ts';
import { laterExchanges } from './later-exchanges.ts';

/** Who must be known to the server before. */
export const callers = { bouncers: ['b1', 's1', 's2', 's3', 's4'], machines: ['m1', 'leaver'] } as const;

/** `now` is the time of the alerts in it, in epoch milliseconds. */
export function lapiExchanges(now: number): readonly Exchange[] {
  return [
    ...transportExchanges,
    ...bouncerExchanges,
    ...machineExchanges,
    ...refusedAlertExchanges(now),
    ...acceptedAlertExchanges(now),
    ...alertSearchExchanges,
    ...liveExchanges,
    ...streamExchanges(now),
    ...deletionExchanges(now),
    ...oddAlertExchanges(now),
    ...laterExchanges,
  ];
}
