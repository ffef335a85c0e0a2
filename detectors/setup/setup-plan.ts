/**
 * What `setup detect` would do: which services are there, which acquisition files are to be written, which collections of the
 * hub go with them. Nothing is written here. Lines that several services share (syslog) are read by one file, once.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { GatewayError, messageOf } from '../../core/errors.ts';
import {
  type AcquisitionDocument,
  type AcquisitionFile,
  acquisitionFile,
  type Authorship,
  authorshipOf,
} from './acquisition-file.ts';
import { containedServices, type FoundService, findServices, type LogSource } from './find-services.ts';
import type { KnownService } from './known-service.ts';
import type { Machine } from './machine.ts';

export interface PlannedFile extends AcquisitionFile {
  readonly path: string;
  /** `keep`: somebody else wrote or changed it. `covered`: what it would read is read already, or seen by the gateway. */
  readonly action: 'create' | 'update' | 'unchanged' | 'keep' | 'covered';
  /** Names of the services whose lines it reads. */
  readonly services: readonly string[];
  /** Why it is kept or covered; "" otherwise. */
  readonly reason: string;
}

export interface SetupPlan {
  readonly folder: string;
  readonly services: readonly FoundService[];
  readonly files: readonly PlannedFile[];
  /** Collections of the hub, sorted. */
  readonly collections: readonly string[];
  /** Known services that run in containers only. */
  readonly contained: readonly KnownService[];
  /** The socket of Docker, or null. */
  readonly docker: string | null;
}

export interface SetupOptions {
  /**
   * The gateway stands in front of web servers of this machine: what is in their logs it has seen itself, and to read it
   * again would count every request twice.
   */
  readonly beforeWebServers: boolean;
}

/** @throws GatewayError SETUP_FAILED when the folder is there and cannot be read. */
export function planSetup(
  machine: Machine,
  services: readonly KnownService[],
  folder: string,
  { beforeWebServers }: SetupOptions = { beforeWebServers: false },
): SetupPlan {
  const found = findServices(machine, services);
  const present = readFolder(folder);
  const isFronted = ({ service }: FoundService): boolean => beforeWebServers && service.isWebServer === true;
  const files = [
    ...wantedFiles(found.filter((one) => !isFronted(one))).map((wanted) => planned(wanted, folder, present)),
    // Of the lines that share syslog, those of web servers have no file of their own.
    ...wantedFiles(found.filter((one) => isFronted(one) && one.source?.from !== 'syslog')).map((wanted) =>
      fronted(planned(wanted, folder, present)),
    ),
  ];
  return {
    folder,
    services: found,
    files,
    collections: [...new Set(found.flatMap(({ service }) => service.collections))].sort(),
    contained: containedServices(machine, services),
    docker: machine.docker,
  };
}

interface WantedFile extends AcquisitionFile {
  readonly services: readonly string[];
  readonly document: AcquisitionDocument;
}

function wantedFiles(found: readonly FoundService[]): readonly WantedFile[] {
  const wanted: WantedFile[] = [];
  const shared: { readonly paths: Set<string>; readonly services: KnownService[] } = { paths: new Set(), services: [] };
  const journals = new Map<string, KnownService[]>();
  for (const { service, source } of found) {
    switch (source?.from) {
      case 'files':
        wanted.push(wantedFile(service.name, [service], fileDocument(source)));
        break;
      case 'syslog':
        shared.paths.add(source.path);
        shared.services.push(service);
        break;
      case 'journal': {
        const key = source.matches.join('\0');
        journals.set(key, [...(journals.get(key) ?? []), service]);
        break;
      }
      case undefined:
        break;
      default:
        source satisfies never;
    }
  }
  for (const [key, services] of journals) {
    const document = { source: 'journalctl', journalctl_filter: key.split('\0'), labels: { type: 'syslog' } } as const;
    wanted.push(wantedFile(services[0]?.name ?? '', services, document));
  }
  if (shared.services.length > 0) {
    const document = { filenames: [...shared.paths].sort(), labels: { type: 'syslog' } };
    wanted.push(wantedFile('syslog', shared.services, document));
  }
  return wanted;
}

function fileDocument({ type, paths, excluded }: LogSource & { readonly from: 'files' }): AcquisitionDocument {
  const exclusion = excluded.length === 0 ? {} : { exclude_regexps: excluded };
  return { filenames: paths, ...exclusion, labels: { type } };
}

function wantedFile(name: string, services: readonly KnownService[], document: AcquisitionDocument): WantedFile {
  const title = services.map((service) => service.title).join(', ');
  return { ...acquisitionFile(name, title, document), services: services.map((service) => service.name), document };
}

/** A file that was written before stays; none is begun. */
function fronted(file: PlannedFile): PlannedFile {
  if (file.action !== 'create') return file;
  return { ...file, action: 'covered', reason: 'the gateway sees its requests (--web-servers)' };
}

interface PresentFile {
  readonly name: string;
  readonly text: string;
  readonly authorship: Authorship;
  /** What it reads: paths and journal matches. */
  readonly reads: ReadonlySet<string>;
}

function planned(wanted: WantedFile, folder: string, present: readonly PresentFile[]): PlannedFile {
  const { name, text, services } = wanted;
  const file = { name, text, services, path: join(folder, name), reason: '' };
  const same = present.find((one) => one.name === name);
  if (same !== undefined && same.authorship !== 'ours') {
    return {
      ...file,
      action: 'keep',
      reason: same.authorship === 'changed' ? 'changed by hand' : 'not written by setup',
    };
  }
  const subjects = 'filenames' in wanted.document ? wanted.document.filenames : wanted.document.journalctl_filter;
  const others = present.filter((one) => one.name !== name && one.authorship !== 'ours');
  const covering = others.find(({ reads }) => subjects.every((subject) => reads.has(subject)));
  if (same === undefined && covering !== undefined) {
    return { ...file, action: 'covered', reason: `${covering.name} reads the same` };
  }
  if (same === undefined) return { ...file, action: 'create' };
  return { ...file, action: same.text === text ? 'unchanged' : 'update' };
}

function readFolder(folder: string): readonly PresentFile[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => /\.ya?ml$/.test(name))
      .map(({ name }) => {
        const text = readFileSync(join(folder, name), 'utf8');
        return { name, text, authorship: authorshipOf(text), reads: subjectsOf(text) };
      });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw new GatewayError('SETUP_FAILED', `${folder} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Run this as a user who may read and write there, or name another folder with --folder.',
      cause,
    });
  }
}

/** Of documents with mistakes what can be understood: acquisition itself reports the mistakes. */
function subjectsOf(text: string): ReadonlySet<string> {
  const subjects = new Set<string>();
  for (const document of parseAllDocuments(text)) {
    const content: unknown = document.errors.length === 0 ? document.toJS({ maxAliasCount: 100 }) : null;
    if (typeof content !== 'object' || content === null) continue;
    const { filenames, filename, journalctl_filter: matches } = content as Readonly<Record<string, unknown>>;
    for (const value of [filenames, filename, matches].flat()) if (typeof value === 'string') subjects.add(value);
  }
  return subjects;
}
