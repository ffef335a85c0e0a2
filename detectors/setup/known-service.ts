/** What is known of a service: how to recognise it, where its logs are, and which items read them. */

/** Facilities of syslog (RFC 5424 §6.2.1) under which the services of the table write. */
export type Facility = 'auth' | 'mail' | 'kern' | 'daemon' | 'local0';

/** A place in a configuration that names a log file: the first group of the pattern. */
export interface LogSetting {
  /** Configuration files; `*` and `?` stand for names. */
  readonly files: readonly string[];
  /** Global and multi-line; its first group is the path of the log. */
  readonly pattern: RegExp;
}

/** Logs that the service writes itself. */
export interface LogFiles {
  /** `labels.type`: what the parsers of the hub and ours expect. */
  readonly type: string;
  /** Where they usually are; `*` and `?` stand for names. Used when there are such files. */
  readonly usual: readonly string[];
  /** Files among them that are not read: JavaScript regular expressions on the path, as `exclude_regexps` has them. */
  readonly excluded?: readonly string[];
  /** Where a configuration says that they are. Used whether they exist yet or not. */
  readonly settings?: readonly LogSetting[];
}

/** Lines that go to syslog or the journal. */
export interface SyslogLines {
  readonly facility: Facility;
  /** A file of its own that distributions give it. */
  readonly files?: readonly string[];
  /** Matches of journalctl; several of one field mean any of them. */
  readonly journal: readonly string[];
}

export interface KnownService {
  /** The name of its acquisition file. */
  readonly name: string;
  readonly title: string;
  readonly programs: readonly string[];
  /** Names of units without `.service`. */
  readonly units: readonly string[];
  /** Files that only this service leaves, for those without a unit or a program of their own. */
  readonly marks?: readonly string[];
  readonly logs?: LogFiles;
  /** Whose configuration is read by a reader of its own, since it has includes and variables. */
  readonly reader?: 'nginx' | 'apache';
  readonly syslog?: SyslogLines;
  /** Its log has the requests that a gateway in front of it has seen already. */
  readonly isWebServer?: true;
  /** Collections of the hub. */
  readonly collections: readonly string[];
  /** Parsers and scenarios for it ship with Portcullis; the collections add to them. */
  readonly builtin: boolean;
  /** What a person has to know or do before there is something to read; one sentence. */
  readonly hint?: string;
}
