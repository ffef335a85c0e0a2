/**
 * Bayesian buckets: how likely an attack is after each event, from conditions that are likelier in attacks than outside.
 * Numbers are single precision, as upstream's are, because the threshold is compared with what they come to.
 * Specification: CrowdSec `pkg/leakybucket/bayesian.go`.
 */
import type { BayesianCondition } from './scenario-document.ts';

/** The probabilities of one condition, rounded once. */
export interface Likelihood {
  readonly evil: number;
  readonly benign: number;
  /** Once the condition was true in a bucket it stays true. */
  readonly guillotine: boolean;
}

export function likelihoodOf({ probGivenEvil, probGivenBenign, guillotine }: BayesianCondition): Likelihood {
  return { evil: Math.fround(probGivenEvil), benign: Math.fround(probGivenBenign), guillotine };
}

/**
 * What `prior` becomes when a condition was found true or false: for a false one the complements of its probabilities count.
 * Not a number when neither an attack nor anything else can have led here; that is above no threshold.
 */
export function updated(prior: number, { evil, benign }: Likelihood, holds: boolean): number {
  const { fround } = Math;
  const inAttack = fround((holds ? evil : fround(1 - evil)) * prior);
  const otherwise = fround((holds ? benign : fround(1 - benign)) * fround(1 - prior));
  return fround(inAttack / fround(inAttack + otherwise));
}
