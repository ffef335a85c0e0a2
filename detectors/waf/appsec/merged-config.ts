/**
 * Several appsec-configs as one: rules and hooks add up, and what is a single value is the last document's, even where that
 * says nothing and the default returns. Specification: CrowdSec `pkg/appsec/appsec.go` (`LoadByPath`).
 */
import type { AppSecConfigDocument, Band, BandOptions, HookSpec } from './config-document.ts';

export interface AppSecConfig {
  /** Of the documents, in order. */
  readonly names: readonly string[];
  readonly rules: Readonly<Record<Band, readonly string[]>>;
  readonly options: Readonly<Record<Band, BandOptions>>;
  readonly defaultRemediation: string;
  readonly defaultPassAction: string;
  /** HTTP statuses: what the bouncer is told, and what the visitor is to be answered. */
  readonly blockedHttpCode: number;
  readonly passedHttpCode: number;
  readonly userBlockedHttpCode: number;
  readonly userPassedHttpCode: number;
  readonly variablesTracking: Readonly<Record<Band, readonly string[]>>;
  readonly hooks: readonly HookSpec[];
}

/** The defaults alone when there is no document. */
export function mergeConfigs(documents: readonly AppSecConfigDocument[]): AppSecConfig {
  const last = documents.at(-1);
  const distinct = (of: (document: AppSecConfigDocument) => readonly string[]): readonly string[] => [
    ...new Set(documents.flatMap(of)),
  ];
  const nothing: BandOptions = { disableBodyInspection: null, bodyInMemoryLimit: null };
  return {
    names: documents.map(({ name }) => name),
    rules: { in: distinct(({ rules }) => rules.in), out: distinct(({ rules }) => rules.out) },
    options: last?.options ?? { in: nothing, out: nothing },
    defaultRemediation: last?.defaultRemediation ?? 'ban',
    defaultPassAction: last?.defaultPassAction ?? 'allow',
    blockedHttpCode: last?.blockedHttpCode ?? 403,
    passedHttpCode: last?.passedHttpCode ?? 200,
    userBlockedHttpCode: last?.userBlockedHttpCode ?? 403,
    userPassedHttpCode: last?.userPassedHttpCode ?? 200,
    variablesTracking: {
      in: distinct(({ variablesTracking }) => variablesTracking.in),
      out: distinct(({ variablesTracking }) => variablesTracking.out),
    },
    hooks: documents.flatMap(({ hooks }) => hooks),
  };
}
