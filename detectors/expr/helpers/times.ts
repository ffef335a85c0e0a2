/** Time helpers. Times are UTC; intervals are durations. */
import type { HelperDependencies } from '../dependencies.ts';
import { GoDuration, GoTime } from '../go-time.ts';
import type { HelperTable } from '../helper.ts';
import { anyArray, durationType, stringType, timeType } from '../types.ts';
import { goType, ValueError } from '../values.ts';

export function timeHelpers({ clock }: HelperDependencies): HelperTable {
  return {
    TimeNow: { parameters: [], returns: timeType, run: () => new GoTime(clock.now()) },
    ParseUnix: {
      parameters: [stringType],
      returns: stringType,
      pure: true,
      run: (text: string) => parseUnix(text)?.toJson() ?? '',
    },
    AverageInterval: {
      parameters: [anyArray],
      returns: durationType,
      run: (times: readonly unknown[]) => {
        const gaps = intervals('AverageInterval', times);
        return new GoDuration(gaps.reduce((total, gap) => total + gap, 0) / gaps.length);
      },
    },
    MedianInterval: {
      parameters: [anyArray],
      returns: durationType,
      run: (times: readonly unknown[]) => {
        const gaps = intervals('MedianInterval', times).sort((left, right) => left - right);
        const middle = Math.floor(gaps.length / 2);
        const upper = gaps[middle] ?? 0;
        return new GoDuration(gaps.length % 2 === 1 ? upper : ((gaps[middle - 1] ?? 0) + upper) / 2);
      },
    },
  };
}

/** Gaps between neighbours in time, milliseconds. @throws ValueError for fewer than two times */
function intervals(name: string, times: readonly unknown[]): number[] {
  const sorted = times
    .map((time) => {
      if (!(time instanceof GoTime)) throw new ValueError(`${name} wants times, got ${goType(time)}`);
      return time.ms;
    })
    .sort((left, right) => left - right);
  if (sorted.length < 2) throw new ValueError(`${name} needs at least two times`);
  return sorted.slice(1).map((time, index) => time - (sorted[index] ?? time));
}

/** Unix seconds, what stands before a dot; null when that is not a positive number. */
function parseUnix(text: string): GoTime | null {
  const seconds = text.split('.', 1)[0] ?? '';
  if (!/^\d{1,12}$/.test(seconds) || Number(seconds) <= 0) return null;
  return new GoTime(Number(seconds) * 1000);
}
