/** What every kind of source is made from, and what they derive from their documents in the same way. */
import { createHash } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import type { Runtime } from '../../core/runtime.ts';
import { FieldMap, type StringMap } from '../event.ts';
import type { AcquisitionDocument, Labels } from './acquisition-document.ts';
import type { FileClaims } from './file-claims.ts';
import { LineOutlet, type LineTransform } from './line-outlet.ts';
import type { SourceRun } from './managed-source.ts';
import type { ResumeStore } from './resume-store.ts';

export interface SourceParts {
  readonly runtime: Runtime;
  readonly resume: ResumeStore;
  /** Where relative file patterns start. */
  readonly base: string;
  /** Standard input. */
  readonly stdin: NodeJS.ReadableStream;
  /** Starts journalctl with these arguments; its standard output and error are pipes. */
  readonly spawnJournal: (args: readonly string[]) => ChildProcess;
  /** `transform`, compiled. @throws GatewayError when it cannot be; then the document is refused. */
  readonly compileTransform: (expression: string) => LineTransform;
  /** Which files are being read, by all documents. */
  readonly claims: Pick<FileClaims, 'claim' | 'release'>;
}

/** The outlet of one run. */
export function outletOf(
  document: AcquisitionDocument,
  labels: Labels,
  parts: SourceParts,
  run: SourceRun,
): LineOutlet {
  return new LineOutlet({
    sink: run.sink,
    meter: run.meter,
    signal: run.signal,
    clock: parts.runtime.clock,
    module: document.source,
    labels: labelMap(labels),
    timeMachine: document.timeMachine,
    transform: document.transform === '' ? null : parts.compileTransform(document.transform),
  });
}

/** Labels as lines carry them. */
export function labelMap(labels: Labels): StringMap {
  return Object.assign(new FieldMap(), labels);
}

/** The same for documents that read the same for the same purpose, whatever else stands in `acquis.yaml`. */
export function resumeKeyOf(document: AcquisitionDocument): string {
  return `${document.source} ${labelsKey(document.labels)}`;
}

/** Equal labels have equal keys. */
export function labelsKey(labels: Labels): string {
  const text = JSON.stringify(Object.entries(labels).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
