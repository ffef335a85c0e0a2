/**
 * `acquis.yaml` → documents. Read strictly, each source with its own keys; a document with a mistake is left out with its
 * place, the others are used. Sources that are not supported are refused by name. `$NAME` and `${NAME}` stand for variables
 * of the environment that are set, as in CrowdSec.
 */
import { isMap, isScalar, type YAMLMap } from 'yaml';
import { GatewayError } from '../../core/errors.ts';
import { type DocumentReader, readDocuments } from '../documents/document-reader.ts';
import type { ItemFault, ItemKind } from '../documents/item-fault.ts';
import { compilePattern, type Pattern } from '../regex/compile-pattern.ts';
import type {
  AcquisitionDocument,
  DockerDocument,
  FileDocument,
  HttpAuth,
  HttpDocument,
  HttpTls,
  JournalDocument,
  Labels,
  SourceKind,
  StdinDocument,
  SyslogDocument,
} from './acquisition-document.ts';
import { parseGlob } from './glob-pattern.ts';
import { defaultLineLimit } from './line-splitter.ts';

export interface AcquisitionDocuments {
  readonly documents: readonly AcquisitionDocument[];
  readonly faults: readonly ItemFault[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

const acquisitionKind: ItemKind = { what: 'acquisition', code: 'ACQUISITION_INVALID' };

const commonKeys = 'source name labels log_level mode use_time_machine unique_id transform';

const sourceKeys: Readonly<Record<SourceKind, ReadonlySet<string>>> = {
  file: keySet(
    'filename filenames exclude_regexps force_inotify poll_without_inotify max_buffer_size discovery_poll_enable ' +
      'discovery_poll_interval',
  ),
  stdin: keySet(''),
  journalctl: keySet('journalctl_filter'),
  syslog: keySet('protocol listen_addr listen_port max_message_len disable_rfc_parser'),
  docker: keySet(
    'check_interval follow_stdout follow_stderr since until docker_host container_name container_id ' +
      'container_name_regexp container_id_regexp force_inotify use_container_labels',
  ),
  http: keySet(
    'listen_addr listen_socket path auth_type basic_auth headers tls custom_status_code custom_headers max_body_size timeout',
  ),
};

const refused: Readonly<Record<string, string>> = {
  appsec: 'the gateway inspects requests itself and needs no source for that',
  cloudwatch: 'is not supported',
  kafka: 'is not supported',
  kinesis: 'is not supported',
  'k8s-audit': 'is not supported',
  loki: 'is not supported',
  s3: 'is not supported',
  victorialogs: 'is not supported',
  wineventlog: 'exists on Windows only',
};

function keySet(words: string): ReadonlySet<string> {
  return new Set(`${commonKeys} ${words}`.split(' '));
}

/** Reads all documents of one file; empty ones are skipped. Never throws. */
export function readAcquisition(
  source: string | Uint8Array,
  file: string,
  env: Environment = {},
): AcquisitionDocuments {
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  const documents: AcquisitionDocument[] = [];
  const faults: ItemFault[] = [];
  for (const reader of readDocuments(expandVariables(text, env), file, acquisitionKind)) {
    const document = new AcquisitionReader(reader).read();
    if (document !== null) documents.push(document);
    faults.push(...reader.faults);
  }
  return { documents, faults };
}

/** Variables that are not set stay as they are written: `$` also ends a regular expression. */
function expandVariables(text: string, env: Environment): string {
  return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (written: string, braced?: string, bare?: string) => {
    const value = env[braced ?? bare ?? ''];
    return value ?? written;
  });
}

type Common = Pick<AcquisitionDocument, 'labels' | 'timeMachine' | 'transform' | 'file' | 'line'> & { name: string };

class AcquisitionReader {
  private readonly reader: DocumentReader;

  constructor(reader: DocumentReader) {
    this.reader = reader;
  }

  read(): AcquisitionDocument | null {
    const { reader } = this;
    const root = reader.root();
    if (root === null || root.items.length === 0) return null;
    const kind = this.kindOf(root);
    if (kind === null) return null;
    reader.name = reader.text(root, 'name');
    reader.checkKeys(root, sourceKeys[kind], `a document with source: ${kind}`);
    const document = this.documentOf(kind, root, this.common(root));
    return reader.faults.length === 0 ? document : null;
  }

  /** Documents from before there were several kinds say by their keys what they are. */
  private kindOf(root: YAMLMap): SourceKind | null {
    const { reader } = this;
    const written = reader.text(root, 'source');
    if (written === '') {
      if (root.has('filename') || root.has('filenames')) return 'file';
      if (root.has('journalctl_filter')) return 'journalctl';
      reader.fault(root, `source is missing; there are ${Object.keys(sourceKeys).join(', ')}`);
      return null;
    }
    if (Object.hasOwn(sourceKeys, written)) return written as SourceKind;
    const hint = written === 'journald' ? 'is written journalctl' : null;
    const reason = hint ?? (Object.hasOwn(refused, written) ? refused[written] : 'is unknown');
    reader.faultIn(root, 'source', `source ${written}: ${reason}; there are ${Object.keys(sourceKeys).join(', ')}`);
    return null;
  }

  private common(root: YAMLMap): Common {
    const { reader } = this;
    const labels = this.textMap(root, 'labels');
    const bringsLabels = reader.text(root, 'source') === 'docker' && reader.boolean(root, 'use_container_labels');
    if (!labels.type && !bringsLabels) {
      reader.faultIn(root, 'labels', 'labels.type is missing; it says which parsers read the lines, as in type: nginx');
    }
    const logLevel = reader.text(root, 'log_level');
    if (!/^(?:|trace|debug|info|warn|warning|error|fatal|panic)$/i.test(logLevel)) {
      reader.faultIn(root, 'log_level', `log_level ${logLevel} is unknown`);
    }
    const mode = this.mode(root);
    return {
      name: reader.name,
      labels,
      timeMachine: reader.boolean(root, 'use_time_machine') || mode === 'cat',
      transform: reader.text(root, 'transform'),
      file: reader.file,
      line: reader.line(root),
    };
  }

  private mode(root: YAMLMap): 'tail' | 'cat' {
    const written = this.reader.text(root, 'mode');
    if (written === 'cat') return 'cat';
    if (written !== '' && written !== 'tail')
      this.reader.faultIn(root, 'mode', `mode ${written} is neither tail nor cat`);
    return 'tail';
  }

  private documentOf(kind: SourceKind, root: YAMLMap, common: Common): AcquisitionDocument {
    if (kind !== 'file' && this.mode(root) === 'cat') {
      this.reader.faultIn(root, 'mode', `mode: cat is for files; source ${kind} goes on for ever`);
    }
    switch (kind) {
      case 'file':
        return this.fileDocument(root, common);
      case 'stdin':
        return { ...common, source: 'stdin', name: common.name || 'standard input' } satisfies StdinDocument;
      case 'journalctl':
        return this.journalDocument(root, common);
      case 'syslog':
        return this.syslogDocument(root, common);
      case 'docker':
        return this.dockerDocument(root, common);
      case 'http':
        return this.httpDocument(root, common);
      default:
        return kind satisfies never;
    }
  }

  private fileDocument(root: YAMLMap, common: Common): FileDocument {
    const { reader } = this;
    const single = reader.text(root, 'filename');
    const filenames = [...(single === '' ? [] : [single]), ...reader.texts(root, 'filenames')];
    if (filenames.length === 0) reader.fault(root, 'filename or filenames is missing');
    for (const pattern of filenames)
      this.check(root, root.has('filenames') ? 'filenames' : 'filename', () => parseGlob(pattern));
    return {
      ...common,
      source: 'file',
      name: common.name || (filenames[0] ?? ''),
      filenames,
      excludes: this.patterns(root, 'exclude_regexps'),
      mode: this.mode(root),
      watch: !reader.boolean(root, 'poll_without_inotify') || reader.boolean(root, 'force_inotify'),
      lineLimit: this.integer(root, 'max_buffer_size', defaultLineLimit, { least: 256, most: 1_048_576 }),
      searchPeriodMs: this.duration(root, 'discovery_poll_interval', 5_000),
    };
  }

  private journalDocument(root: YAMLMap, common: Common): JournalDocument {
    const { reader } = this;
    const filters = reader.texts(root, 'journalctl_filter');
    if (filters.length === 0) reader.fault(root, 'journalctl_filter is missing, as in ["_SYSTEMD_UNIT=ssh.service"]');
    for (const filter of filters) {
      if (
        /^(?:-[fonre]|--(?:follow|output|lines|reverse|pager-end|show-cursor|cursor|after-cursor|since))/.test(filter)
      ) {
        reader.faultIn(root, 'journalctl_filter', `${filter} is not a filter; how the journal is read is decided here`);
      }
    }
    return { ...common, source: 'journalctl', name: common.name || `journalctl-${filters.join('.')}`, filters };
  }

  private syslogDocument(root: YAMLMap, common: Common): SyslogDocument {
    const { reader } = this;
    const protocol = reader.text(root, 'protocol') || 'udp';
    if (protocol !== 'udp' && protocol !== 'tcp') {
      reader.faultIn(root, 'protocol', `protocol ${protocol} is neither udp nor tcp`);
    }
    const host = reader.text(root, 'listen_addr') || '127.0.0.1';
    const port = this.integer(root, 'listen_port', 514, { least: 0, most: 65_535 });
    return {
      ...common,
      source: 'syslog',
      name: common.name || `${protocol} ${host}:${port}`,
      protocol: protocol === 'tcp' ? 'tcp' : 'udp',
      host,
      port,
      maxMessageBytes: this.integer(root, 'max_message_len', 2_048, { least: 64, most: 65_536 }),
      raw: reader.boolean(root, 'disable_rfc_parser'),
    };
  }

  private dockerDocument(root: YAMLMap, common: Common): DockerDocument {
    const { reader } = this;
    const names = reader.texts(root, 'container_name');
    const ids = reader.texts(root, 'container_id');
    const namePatterns = this.patterns(root, 'container_name_regexp');
    const idPatterns = this.patterns(root, 'container_id_regexp');
    const useContainerLabels = reader.boolean(root, 'use_container_labels');
    const selects = names.length + ids.length + namePatterns.length + idPatterns.length > 0;
    if (!selects && !useContainerLabels) {
      reader.fault(
        root,
        'no container is named: container_name, container_id, a regexp of either, or use_container_labels',
      );
    }
    if (selects && useContainerLabels) {
      reader.faultIn(
        root,
        'use_container_labels',
        'use_container_labels and names or ids of containers exclude each other',
      );
    }
    const host = reader.text(root, 'docker_host') || 'unix:///var/run/docker.sock';
    if (!/^(?:unix:\/\/\/.+|(?:tcp|http):\/\/[^/]+)$/.test(host)) {
      reader.faultIn(root, 'docker_host', `docker_host ${host} is neither unix:///… nor tcp://host:port`);
    }
    return {
      ...common,
      source: 'docker',
      name: common.name || (useContainerLabels ? 'labelled containers' : [...names, ...ids].join(' ') || 'containers'),
      host,
      names,
      ids,
      namePatterns,
      idPatterns,
      useContainerLabels,
      stdout: !this.isFalse(root, 'follow_stdout'),
      stderr: !this.isFalse(root, 'follow_stderr'),
      since: reader.text(root, 'since'),
      until: reader.text(root, 'until'),
      checkPeriodMs: this.duration(root, 'check_interval', 10_000),
    };
  }

  private httpDocument(root: YAMLMap, common: Common): HttpDocument {
    const { reader } = this;
    const address = reader.text(root, 'listen_addr');
    const socketPath = reader.text(root, 'listen_socket');
    if (address === '' && socketPath === '') reader.fault(root, 'listen_addr or listen_socket is missing');
    const path = reader.text(root, 'path') || '/';
    if (!path.startsWith('/')) reader.faultIn(root, 'path', 'path starts with /');
    const tls = this.tls(root);
    return {
      ...common,
      source: 'http',
      name: common.name || `http ${address || socketPath}${path}`,
      listen: address === '' ? null : this.address(root, address),
      socketPath,
      path,
      auth: this.auth(root, tls),
      tls,
      statusCode: this.integer(root, 'custom_status_code', 200, { least: 200, most: 599 }),
      headers: this.textMap(root, 'custom_headers'),
      maxBodyBytes: this.integer(root, 'max_body_size', 8 * 1_048_576, { least: 1, most: 256 * 1_048_576 }),
      timeoutMs: this.duration(root, 'timeout', 30_000),
    };
  }

  private auth(root: YAMLMap, tls: HttpTls | null): HttpAuth {
    const { reader } = this;
    const type = reader.text(root, 'auth_type');
    const basic = reader.map(root, 'basic_auth', new Set(['username', 'password']));
    const headers = this.textMap(root, 'headers');
    switch (type) {
      case 'basic_auth': {
        const username = basic === null ? '' : reader.text(basic, 'username');
        const password = basic === null ? '' : reader.text(basic, 'password');
        if (username === '' || password === '') {
          reader.faultIn(root, 'basic_auth', 'basic_auth needs a username and a password');
        }
        return { type, username, password };
      }
      case 'headers':
        if (Object.keys(headers).length === 0) reader.faultIn(root, 'headers', 'auth_type: headers needs headers');
        return { type, headers };
      case 'mtls':
        if (!tls?.caFile)
          reader.faultIn(root, 'tls', 'auth_type: mtls needs server_cert, server_key and ca_cert in tls');
        return { type };
      default:
        reader.faultIn(root, 'auth_type', `auth_type ${type || '(missing)'} is not basic_auth, headers or mtls`);
        return { type: 'mtls' };
    }
  }

  private tls(root: YAMLMap): HttpTls | null {
    const { reader } = this;
    const map = reader.map(
      root,
      'tls',
      new Set(['insecure_skip_verify', 'server_name', 'server_cert', 'server_key', 'ca_cert']),
    );
    if (map === null) return null;
    const certFile = reader.text(map, 'server_cert');
    const keyFile = reader.text(map, 'server_key');
    if (certFile === '' || keyFile === '') reader.fault(map, 'tls needs server_cert and server_key');
    return { certFile, keyFile, caFile: reader.text(map, 'ca_cert') };
  }

  /** `127.0.0.1:8080`, `[::1]:8080` or `:8080`. */
  private address(root: YAMLMap, written: string): { host: string | null; port: number } {
    const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(written);
    const port = Number(match?.[3] ?? 0);
    if (match === null || port > 65_535) {
      this.reader.faultIn(root, 'listen_addr', `listen_addr ${written} is not an address such as 127.0.0.1:8081`);
    }
    return { host: match?.[1] || match?.[2] || null, port };
  }

  private patterns(root: YAMLMap, key: string): readonly Pattern[] {
    return this.reader.texts(root, key).flatMap((source) => this.check(root, key, () => compilePattern(source)) ?? []);
  }

  private textMap(root: YAMLMap, key: string): Labels {
    const map = this.reader.map(root, key, null);
    const texts: Record<string, string> = {};
    for (const { key: name, value } of map?.items ?? []) {
      if (!isScalar(name)) continue;
      if (isMap(value) || !isScalar(value)) this.reader.fault(name, `${key}.${String(name.value)} is a text`);
      else texts[String(name.value)] = this.reader.scalarText(value, key);
    }
    return texts;
  }

  private check<T>(root: YAMLMap, key: string, run: () => T): T | null {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.reader.faultIn(root, key, error.message);
      return null;
    }
  }

  private integer(root: YAMLMap, key: string, standard: number, limits: { least: number; most: number }): number {
    if (this.reader.value(root, key) === null) return standard;
    const value = this.reader.integer(root, key);
    if (value >= limits.least && value <= limits.most) return value;
    this.reader.faultIn(root, key, `${key} is from ${limits.least} to ${limits.most}`);
    return standard;
  }

  /** At least 10 ms: shorter periods are busy loops. */
  private duration(root: YAMLMap, key: string, standard: number): number {
    const ms = this.reader.duration(root, key);
    return this.reader.value(root, key) === null || ms === 0 ? standard : Math.max(10, ms);
  }

  private isFalse(root: YAMLMap, key: string): boolean {
    return this.reader.value(root, key) !== null && !this.reader.boolean(root, key);
  }
}
