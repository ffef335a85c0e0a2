/** The three results that a check of `doctor` can have. */
import type { DoctorCheck } from './models.ts';

export function ok(group: string, name: string, message: string): DoctorCheck {
  return { group, name, status: 'ok', message, remedy: null };
}

export function warn(group: string, name: string, message: string, remedy: string): DoctorCheck {
  return { group, name, status: 'warn', message, remedy };
}

export function fail(group: string, name: string, message: string, remedy: string): DoctorCheck {
  return { group, name, status: 'fail', message, remedy };
}

/** Faults of one kind that are told one by one. */
export const mostFaults = 20;
