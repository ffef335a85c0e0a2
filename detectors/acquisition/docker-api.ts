/**
 * The few calls of Docker's HTTP API that reading logs takes, over a socket or TCP. Paths carry no version: the engine then
 * answers in its own, and what is used here is the same since 1.24. https://docs.docker.com/reference/api/engine/
 */
import { type IncomingMessage, request } from 'node:http';
import { GatewayError, messageOf } from '../../core/errors.ts';

export interface DockerApi {
  /** The JSON that is answered. @throws GatewayError SOURCE_FAILED */
  json(path: string, signal: AbortSignal): Promise<unknown>;
  /** An answer that goes on for as long as there is something to say. @throws GatewayError SOURCE_FAILED */
  stream(path: string, signal: AbortSignal): Promise<IncomingMessage>;
}

const largestAnswer = 16 * 1_048_576;
const answerWithinMs = 30_000;

/** `host`: `unix:///var/run/docker.sock` or `tcp://host:port`. */
export function createDockerApi(host: string): DockerApi {
  const target = targetOf(host);
  const call = (path: string, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => reject(unreachable(host, cause));
      const outgoing = request({ ...target, path, signal, agent: false, headers: { host: 'docker' } }, (answer) => {
        outgoing.setTimeout(0);
        resolve(answer);
      });
      outgoing.setTimeout(answerWithinMs, () => outgoing.destroy(new Error('no answer')));
      outgoing.on('error', fail);
      outgoing.end();
    });
  return {
    async json(path, signal) {
      const answer = await call(path, signal);
      const text = await readAll(answer, host);
      if (answer.statusCode !== 200) throw refused(path, answer.statusCode, text);
      try {
        return JSON.parse(text);
      } catch (cause) {
        throw unreachable(host, cause);
      }
    },
    async stream(path, signal) {
      const answer = await call(path, signal);
      if (answer.statusCode === 200) return answer;
      throw refused(path, answer.statusCode, await readAll(answer, host));
    },
  };
}

function targetOf(host: string): { socketPath: string } | { host: string; port: number } {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  const url = new URL(host.replace(/^tcp:/, 'http:'));
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || 2375) };
}

async function readAll(answer: IncomingMessage, host: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > largestAnswer) throw new Error(`an answer of more than ${largestAnswer} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unreachable(host, cause);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(host: string, cause: unknown): GatewayError {
  return new GatewayError('SOURCE_FAILED', `Docker at ${host}: ${messageOf(cause)}`, {
    remedy: 'Check that Docker runs, and that the gateway may use its socket (docker_host, group docker).',
    cause,
  });
}

function refused(path: string, status: number | undefined, text: string): GatewayError {
  return new GatewayError('SOURCE_FAILED', `Docker answered ${status ?? 0} to ${path}: ${text.slice(0, 200).trim()}`);
}
