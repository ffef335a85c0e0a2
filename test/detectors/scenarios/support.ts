/** What the tests of this folder share: access events with the fields of the gateway, and detectors of documents. */
import type { Clock } from '../../../core/clock.ts';
import { createLog } from '../../../core/log.ts';
import { createSystemRandom } from '../../../core/random.ts';
import { type Event, FieldMap, type StringMap } from '../../../detectors/event.ts';
import type { Alert } from '../../../detectors/alert.ts';
import { createExpressionCompiler } from '../../../detectors/expr/compile.ts';
import { type DataFiles, noDataFiles } from '../../../detectors/expr/data-files.ts';
import { eventEnvironment, overflowEnvironment } from '../../../detectors/expr/environment.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import {
  createScenarioDetector,
  type ScenarioDetector,
  type ScenarioDetectorDeps,
  type ScenarioDetectorOptions,
} from '../../../detectors/scenarios/detector.ts';
import { alertsIn } from '../../../detectors/scenarios/overflow.ts';
import type { ScenarioExpressions } from '../../../detectors/scenarios/scenario.ts';
import { readScenarioDocuments } from '../../../detectors/scenarios/scenario-document.ts';

/** The compilers of scenario expressions, without the helpers that need a network or a database. */
export function scenarioExpressions(clock: Clock, files: DataFiles = noDataFiles): ScenarioExpressions {
  const helpers = { clock, files, regex: compilePattern };
  return {
    event: createExpressionCompiler({ environment: eventEnvironment, helpers }),
    overflow: createExpressionCompiler({ environment: overflowEnvironment, helpers }),
  };
}

/** A detector whose pours give the alerts alone. */
export interface AlertDetector extends Omit<ScenarioDetector, 'pourRequest' | 'pourResponse' | 'pour'> {
  pourRequest(event: Event): readonly Alert[];
  pourResponse(event: Event): readonly Alert[];
  pour(event: Event): readonly Alert[];
}

/** A detector of the documents in `yaml`, which must be without fault. */
export function overflowDetectorOf(
  yaml: string,
  clock: Clock,
  options: Partial<ScenarioDetectorOptions> = {},
  deps: Partial<ScenarioDetectorDeps> = {},
): ScenarioDetector {
  const { documents, faults } = readScenarioDocuments(yaml, 'test.yaml');
  const expressions = scenarioExpressions(clock, deps.files);
  const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
  const detector = createScenarioDetector(
    { documents, ...options },
    { ...runtime, expressions, files: noDataFiles, ...deps },
  );
  const [fault] = [...faults, ...detector.faults];
  if (fault !== undefined) throw fault.error;
  return detector;
}

/** The same, when only the alerts matter. */
export function detectorOf(...args: Parameters<typeof overflowDetectorOf>): AlertDetector {
  const detector = overflowDetectorOf(...args);
  return {
    scenarios: detector.scenarios,
    faults: detector.faults,
    pourRequest: (event) => alertsIn(detector.pourRequest(event)),
    pourResponse: (event) => alertsIn(detector.pourResponse(event)),
    pour: (event) => alertsIn(detector.pour(event)),
    listen: (listener) => detector.listen(listener),
    endReplay: () => detector.endReplay(),
    get counters() {
      return detector.counters;
    },
    forget: (source) => detector.forget(source),
    close: () => detector.close(),
  };
}

export interface Access {
  readonly ip?: string;
  readonly verb?: string;
  /** The raw request target. */
  readonly target?: string;
  readonly status?: string;
  readonly userAgent?: string;
  readonly referer?: string;
  readonly host?: string;
  readonly version?: string;
  /** RFC 3339; given, the event is replayed (time-machine). */
  readonly replayedAt?: string;
  readonly requestId?: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly parsed?: Readonly<Record<string, string>>;
}

const statics = new Set(
  '.jpg .css .js .jpeg .png .svg .map .ico .otf .gif .mp3 .mp4 .woff .woff2 .ttf .eot .webp .wav .gz .brotli .bvr .ts .bmp .avif .mjs'.split(
    ' ',
  ),
);

/** An access event with exactly the fields that CrowdSec's web parsers fill. */
export function accessEvent(access: Access = {}): Event {
  const { ip = '192.0.2.1', verb = 'GET', target = '/', status = '200', userAgent = 'Mozilla/5.0', host = '' } = access;
  const query = target.lastIndexOf('?');
  const request = query === -1 ? target : target.slice(0, query);
  const args = query === -1 ? null : target.slice(query + 1);
  const slash = request.lastIndexOf('/');
  const base = slash === -1 ? '' : request.slice(slash + 1);
  const dot = base.lastIndexOf('.');
  const extension = dot > 0 ? base.slice(dot) : '';
  const refused = ['404', '403', '502'].includes(status);
  const parsed: Record<string, string | null> = {
    verb,
    request,
    http_args: args,
    http_user_agent: userAgent,
    http_referer: access.referer ?? null,
    http_version: access.version ?? '1.1',
    status,
    remote_addr: ip,
    target_fqdn: host,
    impact_completion: refused ? 'false' : 'true',
    file_dir: slash === -1 ? null : request.slice(0, slash + 1),
    file_frag: slash === -1 ? null : base.slice(0, base.length - extension.length),
    file_ext: slash === -1 ? null : extension,
    file_name: base === '' ? null : base,
    static_ressource: String(statics.has(extension.toLowerCase())),
    ...access.parsed,
  };
  const meta: Record<string, string | null> = {
    log_type: 'http_access-log',
    service: 'http',
    source_ip: ip,
    http_status: status,
    http_verb: verb,
    http_path: target,
    http_user_agent: userAgent,
    http_args_len: slash === -1 ? null : String(args?.length ?? 0),
    target_fqdn: host,
    timestamp: access.replayedAt ?? '',
    ...access.meta,
  };
  const labels = new FieldMap();
  labels.type = 'portcullis';
  if (access.requestId !== undefined) labels.request_id = access.requestId;
  return {
    Type: 0,
    ExpectMode: access.replayedAt === undefined ? 0 : 1,
    Whitelisted: false,
    WhitelistReason: '',
    Stage: '',
    Line: { Raw: '', Src: '', Time: 0, Labels: labels, Process: true, Module: 'gateway' },
    Parsed: fieldMap(parsed),
    Enriched: new FieldMap(),
    Meta: fieldMap(meta),
    Unmarshaled: {},
    Overflow: null,
    Time: 0,
    StrTime: '',
    StrTimeFormat: '',
    MarshaledTime: access.replayedAt ?? '',
    Process: true,
  };
}

function fieldMap(fields: Readonly<Record<string, string | null>>): StringMap {
  const map = new FieldMap();
  for (const [key, value] of Object.entries(fields)) if (value !== null) map[key] = value;
  return map;
}
