/**
 * The request as detectors see it: CrowdSec's `evt`, with the fields that the hub's nginx and http-logs parsers would have
 * made of the access log line. Field rules: engine specification §8. Request fields are set before the request is judged,
 * response fields by `completeEvent` after the last byte.
 */
import { type Event, FieldMap, type Line, MetaMap, ParsedMap, type StringMap } from '../detectors/event.ts';

/** What the event is made of. */
export interface RequestFacts {
  readonly requestId: string;
  readonly clientIp: string;
  readonly method: string;
  /** Raw request target, undecoded, query included. */
  readonly target: string;
  readonly httpVersion: string;
  /** Host without port, lower case, "" when unknown. */
  readonly host: string;
  readonly userAgent: string | undefined;
  readonly referer: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  /** RFC 3339 of `at`. */
  readonly timestamp: string;
}

/** Upper-cased extensions that the hub's http-logs parser counts as static. */
const staticExtensions: ReadonlySet<string> = new Set(
  (
    '.JPG .CSS .JS .JPEG .PNG .SVG .MAP .ICO .OTF .GIF .MP3 .MP4 .WOFF .WOFF2 .TTF .EOT .WEBP .WAV .GZ .BROTLI .BVR ' +
    '.TS .BMP .AVIF .MJS'
  ).split(' '),
);

/** Statuses after which the hub's parsers say that a request had no effect. */
const withoutEffect: ReadonlySet<number> = new Set([403, 404, 502]);

export function createRequestEvent(facts: RequestFacts): Event {
  const question = facts.target.lastIndexOf('?');
  const path = question === -1 ? facts.target : facts.target.slice(0, question);
  const slash = path.lastIndexOf('/');
  const args = question === -1 ? undefined : facts.target.slice(question + 1);
  return {
    Type: 0,
    ExpectMode: 0,
    Whitelisted: false,
    WhitelistReason: '',
    Stage: 's02-enrich',
    Line: lineOf(facts),
    Parsed: parsedFields(facts, path, slash, args),
    Enriched: new FieldMap(),
    Meta: metaFields(facts, slash === -1 ? undefined : String(args?.length ?? 0)),
    Unmarshaled: {},
    Overflow: null,
    Time: facts.at,
    StrTime: facts.timestamp,
    StrTimeFormat: '',
    MarshaledTime: facts.timestamp,
    Process: true,
  };
}

/** Adds what only the response tells. */
export function completeEvent(event: Event, status: number, failedBasicUser: string | null): void {
  const text = String(status);
  event.Meta.http_status = text;
  event.Parsed.status = text;
  event.Parsed.impact_completion = withoutEffect.has(status) ? 'false' : 'true';
  if (failedBasicUser !== null) {
    event.Meta.sub_type = 'auth_fail';
    event.Meta.username = failedBasicUser;
  }
}

function lineOf(facts: RequestFacts): Line {
  const labels = new FieldMap();
  labels.type = 'portcullis';
  labels.request_id = facts.requestId;
  return { Raw: '', Src: 'gateway', Time: facts.at, Labels: labels, Process: true, Module: 'gateway' };
}

function metaFields(facts: RequestFacts, argsLength: string | undefined): StringMap {
  const meta = new MetaMap();
  meta.log_type = 'http_access-log';
  meta.service = 'http';
  meta.source_ip = facts.clientIp;
  meta.http_verb = facts.method;
  meta.http_path = facts.target;
  meta.http_user_agent = facts.userAgent;
  meta.http_args_len = argsLength;
  meta.target_fqdn = facts.host;
  meta.timestamp = facts.timestamp;
  meta.http_status = undefined;
  return meta;
}

function parsedFields(facts: RequestFacts, path: string, slash: number, args: string | undefined): StringMap {
  const parsed = new ParsedMap();
  parsed.verb = facts.method;
  parsed.request = path;
  parsed.http_args = args;
  parsed.http_user_agent = facts.userAgent;
  parsed.http_referer = facts.referer;
  parsed.http_version = facts.httpVersion;
  parsed.remote_addr = facts.clientIp;
  parsed.target_fqdn = facts.host;
  parsed.program = 'portcullis';
  parsed.static_ressource = 'false';
  if (slash !== -1) addFileFields(parsed, path, slash);
  return parsed;
}

/** `file_frag` has at least one character, so `.env` is a name without an extension. */
function addFileFields(parsed: StringMap, path: string, slash: number): void {
  const name = path.slice(slash + 1);
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  parsed.file_dir = path.slice(0, slash + 1);
  parsed.file_frag = dot > 0 ? name.slice(0, dot) : name;
  parsed.file_ext = extension;
  parsed.file_name = name === '' ? undefined : name;
  if (extension !== '' && staticExtensions.has(extension.toUpperCase())) parsed.static_ressource = 'true';
}
