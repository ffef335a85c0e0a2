/** Simple values of directives and controls. */
import { lowerAscii } from './ascii.ts';
import type { RuleEngineMode } from './definition.ts';
import { type Report, quoted } from './report.ts';

export function parseOnOff(value: string, report: Report): boolean | null {
  const word = lowerAscii(value);
  if (word === 'on') return true;
  if (word === 'off') return false;
  report('error', `${quoted(value)} is neither On nor Off.`);
  return null;
}

export function parseEngineMode(value: string, report: Report): RuleEngineMode | null {
  const word = lowerAscii(value);
  if (word === 'on' || word === 'off') return word;
  if (word === 'detectiononly') return 'detection-only';
  report('error', `${quoted(value)} is none of On, Off and DetectionOnly.`);
  return null;
}

/** A whole number from 0 to 2⁵³. */
export function parseSize(value: string, report: Report): number | null {
  const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  report('error', `${quoted(value)} is no whole number.`);
  return null;
}
