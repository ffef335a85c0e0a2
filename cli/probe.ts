/** One plain request to the gateway's own listener, as a client would send it. */
import { request } from 'node:http';
import { GatewayError, messageOf } from '../core/errors.ts';

export interface Probe {
  readonly url: string;
  readonly socketPath: string | null;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const patienceMs = 15_000;

/** The status of the answer; the body is read and forgotten. @throws GatewayError SELFTEST_FAILED */
export function sendProbe({ url, socketPath, target, headers, signal }: Probe): Promise<number> {
  const { hostname, port } = new URL(url);
  const where = socketPath === null ? { host: hostname.replace(/^\[|\]$/g, ''), port } : { socketPath };
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(
        new GatewayError('SELFTEST_FAILED', `${socketPath ?? url} does not answer: ${messageOf(cause)}`, {
          remedy: 'The listener must be reachable from this machine.',
          cause,
        }),
      );
    const asked = request(
      { ...where, path: target, headers, agent: false, signal, timeout: patienceMs },
      (response) => {
        response.resume();
        response.on('error', fail);
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', fail);
    asked.end();
  });
}
