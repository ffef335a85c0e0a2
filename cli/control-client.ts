/** Speaks to the running gateway over its admin socket, and says so plainly when none runs. */
import { type ClientRequest, request } from 'node:http';
import { type ErrorCode, errorCodes, GatewayError, messageOf } from '../core/errors.ts';
import type { ErrorModel } from '../gateway/admin/models.ts';

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ControlClient {
  readonly socketPath: string;
  /** @throws GatewayError GATEWAY_ABSENT, or what the gateway answered. */
  ask<Answer>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    input?: { readonly query?: Query; readonly body?: object },
  ): Promise<Answer>;
  /** Sends lines of JSON as fast as the gateway takes them. @throws GatewayError as `ask`; what `lines` throws. */
  send<Answer>(path: string, query: Query, lines: AsyncIterable<string>): Promise<Answer>;
}

/** The gateway answers from memory or a local store; whatever takes longer is stuck. Lifting a million decisions is not. */
const patienceMs = 120_000;

export function createControlClient(socketPath: string): ControlClient {
  return {
    socketPath,
    async ask<Answer>(
      method: string,
      path: string,
      { query = {}, body }: { query?: Query; body?: object } = {},
    ): Promise<Answer> {
      const text = body === undefined ? '' : JSON.stringify(body);
      return answered(await exchange(socketPath, method, path + queryText(query), text)) as Answer;
    },
    async send<Answer>(path: string, query: Query, lines: AsyncIterable<string>): Promise<Answer> {
      return answered(await stream(socketPath, path + queryText(query), lines)) as Answer;
    },
  };
}

/** The gateway of the same version answers with the model of the path. */
function answered({ status, text }: Answer): unknown {
  const parsed = parse(text);
  if (status >= 200 && status < 300) return parsed;
  throw refusal(parsed, status);
}

function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) parameters.append(name, one);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function exchange(socketPath: string, method: string, path: string, body: string): Promise<Answer> {
  const headers = body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const asked = request({ socketPath, method, path, headers, agent: false, timeout: patienceMs });
  const answer = answerTo(asked, socketPath);
  asked.end(body);
  return answer;
}

/** The gateway may answer before the last line, when it makes no sense to go on: then the rest is not sent. */
async function stream(socketPath: string, path: string, lines: AsyncIterable<string>): Promise<Answer> {
  const headers = { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' };
  const asked = request({ socketPath, method: 'POST', path, headers, agent: false, timeout: patienceMs });
  let isAnswered = false;
  const answer = answerTo(asked, socketPath).finally(() => {
    isAnswered = true;
  });
  // Awaited below; until then a failure is no surprise to anybody.
  answer.catch(() => undefined);
  try {
    for await (const line of lines) {
      if (isAnswered) break;
      if (!asked.write(`${line}\n`)) await room(asked);
    }
  } catch (thrown) {
    if (!isAnswered) asked.destroy();
    throw isAnswered
      ? await answer.then(
          () => thrown,
          (failure: unknown) => failure,
        )
      : thrown;
  }
  asked.end();
  return answer;
}

/** Resolves when more can be written, or when nothing more will be. */
function room(asked: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      for (const event of ['drain', 'close', 'response', 'error']) asked.off(event, go);
      resolve();
    };
    for (const event of ['drain', 'close', 'response', 'error']) asked.on(event, go);
  });
}

function answerTo(asked: ClientRequest, socketPath: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => reject(unreachable(socketPath, error)));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    asked.on('timeout', () => asked.destroy(new Error('the gateway did not answer in time')));
    asked.on('error', (error) => reject(unreachable(socketPath, error)));
  });
}

function unreachable(socketPath: string, cause: NodeJS.ErrnoException): GatewayError {
  switch (cause.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return new GatewayError('GATEWAY_ABSENT', `no gateway answers on ${socketPath}`, {
        remedy:
          'Start one with `npm start` or `portcullis serve`, or name its socket with --socket or its settings with --config.',
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new GatewayError('GATEWAY_ABSENT', `this user may not open ${socketPath}`, {
        remedy: 'Run the command as the user that runs the gateway, or with sudo.',
        cause,
      });
    default:
      return new GatewayError('GATEWAY_ABSENT', `the gateway on ${socketPath} does not answer: ${messageOf(cause)}`, {
        remedy: 'Look at its log; it may be stopping.',
        cause,
      });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(body: unknown, status: number): GatewayError {
  const { code, message, remedy } = (typeof body === 'object' && body !== null ? body : {}) as Partial<ErrorModel>;
  const known = typeof code === 'string' && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'GATEWAY_REFUSED';
  const detail = typeof remedy === 'string' ? { remedy } : {};
  return new GatewayError(known, typeof message === 'string' ? message : `the gateway answered ${status}`, detail);
}
