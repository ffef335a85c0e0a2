/**
 * The access log: one line for each request, in the combined form that every log reader knows or as JSON. What a client sent
 * is escaped as nginx does it, so that no request can forge a line.
 */
import type { Clock } from '../core/clock.ts';
import type { WafRecord } from '../detectors/waf/waf-record.ts';
import type { Exchange } from './exchange.ts';
import { createLineWriter } from './line-writer.ts';

export interface AccessLogOptions {
  readonly format: 'combined' | 'json' | 'off';
  /** A file, or `-` for standard output. */
  readonly path: string;
}

export interface AccessLog {
  write(exchange: Exchange, durationMs: number): void;
  /** Opens the file anew after a rotation. */
  reopen(): void;
  close(): Promise<void>;
}

export function createAccessLog(
  options: AccessLogOptions,
  deps: { readonly clock: Clock; readonly onDrop: (lines: number, cause: string) => void },
): AccessLog {
  if (options.format === 'off') return { write() {}, reopen() {}, close: async () => {} };
  const writer = createLineWriter(options.path, deps);
  const format = options.format === 'json' ? jsonLine : createCombinedLine();
  return {
    write: (exchange, durationMs) => writer.write(format(exchange, durationMs)),
    reopen: () => writer.reopen(),
    close: () => writer.close(),
  };
}

function createCombinedLine(): (exchange: Exchange, durationMs: number) => string {
  const timeOf = createLogTimes();
  return (exchange) => {
    const { head, request } = exchange;
    return (
      `${exchange.client.address.text} - - [${timeOf(exchange.startedAt)}] ` +
      `"${escaped(exchange.method)} ${escaped(head.target)} HTTP/${request.httpVersion}" ${exchange.status} ` +
      `${exchange.bytesSent} "${escaped(head.referer ?? '-')}" "${escaped(head.userAgent ?? '-')}"\n`
    );
  };
}

function jsonLine(exchange: Exchange, durationMs: number): string {
  const { head, request, client } = exchange;
  return `${JSON.stringify({
    time: new Date(exchange.startedAt).toISOString(),
    requestId: exchange.id,
    clientIp: client.address.text,
    clientFrom: client.from,
    peerIp: exchange.peer.address.text,
    site: exchange.site?.name ?? '',
    host: head.host,
    method: exchange.method,
    target: head.target,
    httpVersion: request.httpVersion,
    status: exchange.status,
    bytesSent: exchange.bytesSent,
    bytesReceived: exchange.bytesReceived,
    durationMs: Math.round(durationMs * 1_000) / 1_000,
    outcome: exchange.outcome,
    reason: exchange.reason,
    remediation: exchange.decision?.type ?? '',
    observed: exchange.observed?.type ?? '',
    scenario: exchange.decision?.scenario ?? exchange.observed?.scenario ?? '',
    referer: head.referer ?? '',
    userAgent: head.userAgent ?? '',
    waf: wafField(exchange.findings),
  })}\n`;
}

/** One entry for each set of rules that came to a verdict; the field is left out where none did. */
function wafField(findings: readonly WafRecord[]): readonly object[] | undefined {
  if (findings.length === 0) return undefined;
  return findings.map(({ layer, enforced, ruleId, score, matches }) => ({
    layer,
    enforced,
    ruleId,
    score,
    matched: [...new Set(matches.map((match) => match.ruleId))],
  }));
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `20/Nov/2026:23:31:34 +0000`, in UTC, formatted once a second. */
function createLogTimes(): (epochMs: number) => string {
  let lastSecond = -1;
  let lastText = '';
  return (epochMs) => {
    const second = Math.floor(epochMs / 1_000);
    if (second !== lastSecond) {
      lastSecond = second;
      const date = new Date(epochMs);
      const two = (value: number): string => String(value).padStart(2, '0');
      lastText =
        `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:` +
        `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
    }
    return lastText;
  };
}

const unsafeInLog = /["\\\x00-\x1f\x7f-\xff]/g;

/** nginx's `escape=default`: `\xHH` for quotes, backslashes, control characters and bytes above ASCII. */
function escaped(text: string): string {
  if (text.search(unsafeInLog) === -1) return text;
  return text.replace(unsafeInLog, (one) => `\\x${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
