/**
 * The operational log. An object first, then a constant message: `log.info({ clientIp, scenario }, 'alert raised')`.
 * Field names are a public interface, because people feed logs to other programs. Bodies and secrets are never logged.
 */
import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Written with care at the call sites; this list is the second fence. */
const secretPaths = ['password', 'token', 'apiKey', 'secret', 'authorization', 'cookie'].flatMap((name) => [
  name,
  `*.${name}`,
  `headers.${name}`,
]);

/** JSON lines on `destination` (standard error by default, so that `--json` output stays clean). */
export function createLog(level: LogLevel, destination: DestinationStream = pino.destination(2)): Log {
  return pino(
    {
      level,
      base: { name: 'portcullis' },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretPaths, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
