/**
 * All sources of log lines together: makes a source of each document, starts and stops them, shows how they do. One that
 * fails concerns nobody else.
 */
import { spawn } from 'node:child_process';
import { GatewayError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ItemFault } from '../documents/item-fault.ts';
import type { AcquisitionDocument } from './acquisition-document.ts';
import type { AcquisitionSource, LineSink, SourceStatus } from './acquisition-source.ts';
import { acquisitionFault } from './acquisition-fault.ts';
import { createDockerSource } from './docker-source.ts';
import { FileClaims } from './file-claims.ts';
import { createFileSource } from './file-source.ts';
import { createHttpSource } from './http-source.ts';
import { createJournalSource } from './journal-source.ts';
import type { LineTransform } from './line-outlet.ts';
import { openResumeStore, type ResumeStore } from './resume-store.ts';
import type { SourceParts } from './source-parts.ts';
import { createStdinSource } from './stdin-source.ts';
import { createSyslogSource } from './syslog-source.ts';

export interface AcquisitionDeps extends Runtime {
  /** The file in which positions are kept; null: they are not. */
  readonly statePath: string | null;
  /** Where relative file patterns start; the folder that the process runs in without it. */
  readonly base?: string;
  readonly stdin?: NodeJS.ReadableStream;
  readonly spawnJournal?: SourceParts['spawnJournal'];
  /** Compiles `transform` expressions; without it documents that have one are refused. @throws GatewayError */
  readonly compileTransform?: (expression: string) => LineTransform;
}

export interface Acquisition {
  /** Documents that no source could be made from; the others run. */
  readonly faults: readonly ItemFault[];
  /** Once. */
  start(sink: LineSink): void;
  status(): readonly SourceStatus[];
  /** Stops all sources and saves their positions. Safe before `start`, and twice. */
  close(): Promise<void>;
}

export async function createAcquisition(
  documents: readonly AcquisitionDocument[],
  deps: AcquisitionDeps,
): Promise<Acquisition> {
  const resume = await openResumeStore(deps.statePath, deps);
  const parts = sourceParts(deps, resume);
  const faults: ItemFault[] = [];
  const sources: AcquisitionSource[] = [];
  for (const document of withOwnNames(documents)) {
    try {
      if (document.transform !== '') parts.compileTransform(document.transform);
      sources.push(createSource(document, parts));
    } catch (error) {
      faults.push(acquisitionFault(document.file, document.line, document.name, error));
    }
  }
  return {
    faults,
    start(sink) {
      for (const source of sources) source.start(sink);
    },
    status: () => sources.map((source) => source.status()),
    async close() {
      await Promise.all(sources.map((source) => source.close()));
      await resume.close();
    },
  };
}

/** Status and metrics tell sources apart by their names. */
function withOwnNames(documents: readonly AcquisitionDocument[]): readonly AcquisitionDocument[] {
  const taken = new Set<string>();
  return documents.map((document) => {
    let name = document.name;
    for (let number = 2; taken.has(name); number++) name = `${document.name} (${number})`;
    taken.add(name);
    return { ...document, name };
  });
}

export function createSource(document: AcquisitionDocument, parts: SourceParts): AcquisitionSource {
  switch (document.source) {
    case 'file':
      return createFileSource(document, parts);
    case 'stdin':
      return createStdinSource(document, parts);
    case 'journalctl':
      return createJournalSource(document, parts);
    case 'syslog':
      return createSyslogSource(document, parts);
    case 'docker':
      return createDockerSource(document, parts);
    case 'http':
      return createHttpSource(document, parts);
    default:
      return document satisfies never;
  }
}

function sourceParts(deps: AcquisitionDeps, resume: ResumeStore): SourceParts {
  return {
    runtime: deps,
    resume,
    base: deps.base ?? process.cwd(),
    stdin: deps.stdin ?? process.stdin,
    spawnJournal: deps.spawnJournal ?? ((args) => spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'pipe'] })),
    compileTransform: deps.compileTransform ?? refuseTransform,
    claims: new FileClaims(deps.log),
  };
}

function refuseTransform(): never {
  throw new GatewayError('ACQUISITION_INVALID', 'transform is not available here');
}
