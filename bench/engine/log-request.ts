/** One request as an access log tells it, and its line in nginx's `combined` format. */

export interface LogRequest {
  readonly client: string;
  /** Null: what came was no request at all, and `target` holds the bytes as nginx escapes them. */
  readonly verb: string | null;
  /** As it stood in the request line, already escaped as nginx does. */
  readonly target: string;
  readonly version: '1.0' | '1.1' | '2.0';
  readonly status: number;
  readonly bytes: number;
  /** `-` when there is none, as in the log. */
  readonly referer: string;
  readonly userAgent: string;
}

/** Without a line break. `at` is `21/Nov/2026:10:00:00 +0000`. */
export function combinedLine(request: LogRequest, at: string): string {
  const { client, verb, target, version, status, bytes, referer, userAgent } = request;
  const head = verb === null ? target : `${verb} ${target} HTTP/${version}`;
  return `${client} - - [${at}] "${head}" ${status} ${bytes} "${referer}" "${userAgent}"`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Epoch seconds as nginx's `$time_local` in UTC. */
export function logTime(epochSeconds: number): string {
  const iso = new Date(epochSeconds * 1000).toISOString();
  return `${iso.slice(8, 10)}/${months[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
