/**
 * The operational log. An object first, then a constant message: `log.info({ clientIp, scenario }, 'alert raised')`.
 * Field names are a public interface, because people feed logs to other programs. Bodies and secrets are never logged.
 */
import { pino, type DestinationStream, type Logger } from 'pino';
import type { RecentLines } from './recent-lines.ts';

export type Log = Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Written with care at the call sites; this list is the second fence. */
const secretPaths = ['password', 'token', 'apiKey', 'secret', 'authorization', 'cookie'].flatMap((name) => [
  name,
  `*.${name}`,
  `headers.${name}`,
]);

/** Where lines go: standard error unless said otherwise, so that `--json` output stays clean. */
export type LogDestination = DestinationStream;

/** JSON lines on `destination`; `recent` is given each line too, exactly as it is written. */
export function createLog(
  level: LogLevel,
  destination: LogDestination = pino.destination(2),
  recent?: Pick<RecentLines, 'write'>,
): Log {
  return pino(
    {
      level,
      base: { name: 'portcullis' },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretPaths, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
    },
    recent === undefined ? destination : both(destination, recent),
  );
}

function both(destination: LogDestination, recent: Pick<RecentLines, 'write'>): LogDestination {
  return {
    write(line) {
      recent.write(line);
      destination.write(line);
    },
  };
}
