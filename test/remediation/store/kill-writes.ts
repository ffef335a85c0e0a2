/** What the process of the kill test writes, so that the test knows what to look for. */
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { sampleAlert, sampleDecision } from '../../contracts/store-samples.ts';
import { added } from '../../contracts/store/tools.ts';

/** One unit: all of it is there, or nothing. */
export function burst(index: number): StoreWrite[] {
  const alert = sampleAlert(index);
  return [
    added(sampleDecision(2 * index, { alertUuid: alert.uuid })),
    { kind: 'alert', alert },
    added(sampleDecision(2 * index + 1, { alertUuid: alert.uuid })),
    { kind: 'alert', alert: sampleAlert(index, { message: 'again' }) },
  ];
}

/** Decisions of an import: three units. */
export const importLength = 1_500;

export function importOf(index: number): StoreWrite[] {
  const first = 1_000_000 + index * importLength;
  return Array.from({ length: importLength }, (_, place) => added(sampleDecision(first + place, { origin: 'lists' })));
}
