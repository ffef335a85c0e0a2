/** The services of a machine: what gives them away, and where their lines can be read. */
import { posix } from 'node:path';
import { apacheLogs } from './apache-logs.ts';
import type { KnownService, LogFiles } from './known-service.ts';
import type { Machine } from './machine.ts';
import { type ConfiguredLogs, nginxLogs } from './nginx-logs.ts';
import type { RootFiles } from './root-files.ts';
import { syslogFile } from './syslog-files.ts';

/** Why a service is thought to be there. */
export interface Evidence {
  readonly kind: 'running' | 'unit' | 'file';
  /** The program, the unit's file, or the file. */
  readonly what: string;
}

/** Where lines come from, and the type that parsers want. */
export type LogSource =
  | {
      readonly from: 'files';
      readonly type: string;
      readonly paths: readonly string[];
      /** Regular expressions of files that these paths stand for and that are not read. */
      readonly excluded: readonly string[];
    }
  | { readonly from: 'syslog'; readonly path: string }
  | { readonly from: 'journal'; readonly matches: readonly string[] };

export interface FoundService {
  readonly service: KnownService;
  readonly evidence: readonly Evidence[];
  /** Null when there is nothing to read, for now. */
  readonly source: LogSource | null;
  /** What a person should know, one sentence each. */
  readonly notes: readonly string[];
}

export function findServices(machine: Machine, services: readonly KnownService[]): readonly FoundService[] {
  const taken = new Set<string>();
  const found: FoundService[] = [];
  for (const service of services) {
    const evidence = evidenceOf(machine, service);
    if (evidence.length === 0) continue;
    const one = foundService(machine, service, evidence);
    // MariaDB goes by MySQL's names as well: whose log it is has been said before.
    const paths = one.source?.from === 'files' ? one.source.paths : [];
    if (paths.length > 0 && paths.every((path) => taken.has(path))) continue;
    for (const path of paths) taken.add(path);
    found.push(one);
  }
  return found;
}

/** Services that run in containers here, and nowhere else. */
export function containedServices(machine: Machine, services: readonly KnownService[]): readonly KnownService[] {
  return services.filter(
    (service) =>
      service.programs.some((name) => machine.contained.has(name)) && evidenceOf(machine, service).length === 0,
  );
}

function evidenceOf(machine: Machine, service: KnownService): readonly Evidence[] {
  const evidence: Evidence[] = [];
  const program = service.programs.find((name) => machine.programs.has(name));
  if (program !== undefined) evidence.push({ kind: 'running', what: program });
  const unit = service.units.map((name) => machine.unit(`${name}.service`)).find((path) => path !== null);
  if (unit !== undefined) evidence.push({ kind: 'unit', what: unit });
  const mark = (service.marks ?? []).flatMap((pattern) => machine.files.glob(pattern))[0];
  if (mark !== undefined) evidence.push({ kind: 'file', what: mark });
  return evidence;
}

function foundService(machine: Machine, service: KnownService, evidence: readonly Evidence[]): FoundService {
  const { logs, syslog, hint } = service;
  const configured = configuredLogs(machine.files, service);
  const paths = logs === undefined ? [] : logPaths(machine.files, logs, configured.paths);
  if (logs !== undefined && paths.length > 0) {
    const excluded = excludedFiles(logs, paths, configured.excluded);
    return { service, evidence, source: { from: 'files', type: logs.type, paths, excluded }, notes: configured.notes };
  }
  if (syslog !== undefined) {
    const path = syslogFile(machine, syslog.facility, syslog.files);
    if (path !== null) return { service, evidence, source: { from: 'syslog', path }, notes: [] };
    if (machine.journal) return { service, evidence, source: { from: 'journal', matches: syslog.journal }, notes: [] };
  }
  return { service, evidence, source: null, notes: [hint ?? 'No log of it was found.'] };
}

function configuredLogs(files: RootFiles, { reader, logs }: KnownService): ConfiguredLogs {
  switch (reader) {
    case 'nginx':
      return nginxLogs(files);
    case 'apache':
      return apacheLogs(files);
    case undefined:
      return { paths: logs === undefined ? [] : settingPaths(files, logs), excluded: [], notes: [] };
    default:
      return reader satisfies never;
  }
}

/** Samba's `%m` and its like stand for names. */
function settingPaths(files: RootFiles, { settings = [] }: LogFiles): readonly string[] {
  return settings.flatMap(({ files: patterns, pattern }) =>
    patterns
      .flatMap((path) => files.glob(path))
      .flatMap((path) => Array.from((files.text(path) ?? '').matchAll(pattern), ([, log = '']) => log))
      .filter((log) => posix.isAbsolute(log) && !log.startsWith('/dev/'))
      .map((log) => posix.normalize(log.replaceAll(/%\w/g, '*'))),
  );
}

/** The usual places that have files, and the configured ones that no usual place stands for. */
function logPaths(files: RootFiles, { usual }: LogFiles, configured: readonly string[]): readonly string[] {
  const present = usual
    .map((pattern) => ({ pattern, matches: files.glob(pattern) }))
    .filter(({ matches }) => matches.length > 0);
  const covered = new Set(present.flatMap(({ pattern, matches }) => [pattern, ...matches]));
  const rest = configured.filter(
    (path) => !covered.has(path) && !present.some(({ pattern }) => isBelow(path, pattern)),
  );
  return [...new Set([...present.map(({ pattern }) => pattern), ...rest])];
}

/** `/var/log/nginx/shop.log`, that is not there yet, is below `/var/log/nginx/*.log`. */
function isBelow(path: string, pattern: string): boolean {
  return new RegExp(`^${patternSource(pattern)}$`).test(path);
}

/** The service's own exclusions, and each configured one that a path stands for and no exclusion does. */
function excludedFiles({ excluded = [] }: LogFiles, paths: readonly string[], configured: readonly string[]): string[] {
  const expressions = excluded.map((source) => new RegExp(source));
  const more = configured.filter(
    (path) => paths.some((pattern) => isBelow(path, pattern)) && !expressions.some((one) => one.test(path)),
  );
  const patterns = paths.some((path) => path.includes('*')) ? excluded : [];
  return [...patterns, ...more.map((path) => `^${patternSource(path)}$`)];
}

function patternSource(pattern: string): string {
  return pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
}
