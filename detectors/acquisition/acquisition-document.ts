/**
 * One document of `acquis.yaml`, read: what each kind of source can be told. Names of keys are CrowdSec's; durations are
 * milliseconds and sizes bytes. Specification: CrowdSec `pkg/acquisition/modules/*`, `configuration.DataSourceCommonCfg`.
 */
import type { Pattern } from '../regex/compile-pattern.ts';

export type Labels = Readonly<Record<string, string>>;

interface CommonDocument {
  /** `name`, or what stands for it: the first file, the address. */
  readonly name: string;
  /** `labels.type` is always there, but for containers that bring their own. */
  readonly labels: Labels;
  /** `use_time_machine`: buckets follow the time that the lines carry. */
  readonly timeMachine: boolean;
  /** An expression that makes one line into several, or "". */
  readonly transform: string;
  /** Where it stands. */
  readonly file: string;
  readonly line: number;
}

export interface FileDocument extends CommonDocument {
  readonly source: 'file';
  readonly filenames: readonly string[];
  readonly excludes: readonly Pattern[];
  readonly mode: 'tail' | 'cat';
  /** False: files are only looked at now and then (`poll_without_inotify`), as network file systems need. */
  readonly watch: boolean;
  readonly lineLimit: number;
  readonly searchPeriodMs: number;
}

export interface StdinDocument extends CommonDocument {
  readonly source: 'stdin';
}

export interface JournalDocument extends CommonDocument {
  readonly source: 'journalctl';
  /** Arguments of journalctl, such as `_SYSTEMD_UNIT=ssh.service`. */
  readonly filters: readonly string[];
}

export interface SyslogDocument extends CommonDocument {
  readonly source: 'syslog';
  readonly protocol: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
  readonly maxMessageBytes: number;
  /** `disable_rfc_parser`: only the priority is taken off, the rest is handed on as it came. */
  readonly raw: boolean;
}

export interface DockerDocument extends CommonDocument {
  readonly source: 'docker';
  /** `unix:///var/run/docker.sock` or `tcp://host:port`. */
  readonly host: string;
  readonly names: readonly string[];
  readonly ids: readonly string[];
  readonly namePatterns: readonly Pattern[];
  readonly idPatterns: readonly Pattern[];
  /** Containers labelled `crowdsec.enable=true` are read, with the labels that `crowdsec.labels.*` gives. */
  readonly useContainerLabels: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** As Docker understands it (a time, or a duration back from now), or "". */
  readonly since: string;
  readonly until: string;
  readonly checkPeriodMs: number;
}

export type HttpAuth =
  | { readonly type: 'basic_auth'; readonly username: string; readonly password: string }
  | { readonly type: 'headers'; readonly headers: Labels }
  | { readonly type: 'mtls' };

export interface HttpTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities that sign the certificates of clients; "" without. */
  readonly caFile: string;
}

export interface HttpDocument extends CommonDocument {
  readonly source: 'http';
  /** Null when only a socket is listened on. */
  readonly listen: { readonly host: string | null; readonly port: number } | null;
  readonly socketPath: string;
  readonly path: string;
  readonly auth: HttpAuth;
  readonly tls: HttpTls | null;
  readonly statusCode: number;
  readonly headers: Labels;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
}

export type AcquisitionDocument =
  | FileDocument
  | StdinDocument
  | JournalDocument
  | SyslogDocument
  | DockerDocument
  | HttpDocument;

export type SourceKind = AcquisitionDocument['source'];
