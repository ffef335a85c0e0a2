/**
 * As much of Docker's HTTP API as reading logs takes, on a Unix socket: the list of running containers, one container, its
 * log (frames or terminal, `since` with nanoseconds, followed), and the events. Made from the published description, because no
 * engine runs where the tests run. https://docs.docker.com/reference/api/engine/
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { rm } from 'node:fs/promises';

export interface EngineContainer {
  readonly id: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
}

export interface DockerEngine {
  /** Paths with their query, in the order in which they were asked for. */
  readonly requests: readonly string[];
  run(container: EngineContainer): void;
  /** Ends the followed logs; the container is no longer listed. */
  stop(id: string): void;
  /** One message on a stream of the container: a line with its end, or a part of one. */
  write(id: string, text: string, stream?: 1 | 2): void;
  /** Bytes as they are, into the followed logs. */
  writeRaw(id: string, bytes: Uint8Array): void;
  /** Ends all connections and answers no more; `listen` again afterwards. */
  close(): Promise<void>;
  listen(): Promise<void>;
}

interface Message {
  /** Nanoseconds since 1970. */
  readonly at: bigint;
  readonly stream: 1 | 2;
  readonly text: string;
}

interface Running {
  readonly container: EngineContainer;
  readonly startedAt: bigint;
  readonly messages: Message[];
  readonly followers: Set<{ readonly response: ServerResponse; readonly streams: ReadonlySet<number> }>;
  isRunning: boolean;
}

/** `nanos` tells the time: tests that want two messages at one time say so. */
export function createDockerEngine(socketPath: string, nanos: () => bigint): DockerEngine {
  const containers = new Map<string, Running>();
  const listeners = new Set<ServerResponse>();
  const requests: string[] = [];
  const find = (id: string): Running => {
    const running = containers.get(id);
    if (running === undefined) throw new Error(`no container ${id}`);
    return running;
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(request.url ?? '');
    const url = new URL(request.url ?? '', 'http://docker');
    const [, id = '', what] = /^\/containers\/([0-9a-f]+)\/(json|logs)$/.exec(url.pathname) ?? [];
    const running = containers.get(id);
    if (url.pathname === '/containers/json') return sendJson(response, 200, list(containers));
    if (url.pathname === '/events') {
      listeners.add(response);
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      return;
    }
    if (running === undefined) return sendJson(response, 404, { message: `No such container: ${id}` });
    if (what === 'json') return sendJson(response, 200, details(running));
    followLog(running, url.searchParams, response);
  };
  let server = createServer(handle);
  return {
    requests,
    run(container) {
      const before = containers.get(container.id);
      const running = {
        container,
        startedAt: nanos(),
        messages: before?.messages ?? [],
        followers: new Set<never>(),
        isRunning: true,
      };
      containers.set(container.id, running);
      for (const response of listeners)
        response.write(`${JSON.stringify({ Type: 'container', Action: 'start', id: container.id })}\n`);
    },
    stop(id) {
      const running = find(id);
      running.isRunning = false;
      for (const { response } of running.followers) response.end();
      running.followers.clear();
    },
    write(id, text, stream = 1) {
      const running = find(id);
      const message = { at: nanos(), stream, text };
      running.messages.push(message);
      for (const { response, streams } of running.followers) {
        if (streams.has(stream)) response.write(encode(message, running.container.tty === true));
      }
    },
    writeRaw(id, bytes) {
      for (const { response } of find(id).followers) response.write(bytes);
    },
    async close() {
      listeners.clear();
      for (const running of containers.values()) running.followers.clear();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    async listen() {
      await rm(socketPath, { force: true });
      server = createServer(handle);
      await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    },
  };
}

function list(containers: ReadonlyMap<string, Running>): unknown {
  return [...containers.values()]
    .filter(({ isRunning }) => isRunning)
    .map(({ container }) => ({
      Id: container.id,
      Names: [`/${container.name}`],
      Labels: container.labels ?? {},
      State: 'running',
    }));
}

function details({ container, startedAt, isRunning }: Running): unknown {
  return {
    Id: container.id,
    Name: `/${container.name}`,
    State: { Running: isRunning, StartedAt: isoTime(startedAt) },
    Config: { Tty: container.tty === true, Labels: container.labels ?? {} },
  };
}

function followLog(running: Running, query: URLSearchParams, response: ServerResponse): void {
  const isTerminal = running.container.tty === true;
  const since = nanosOf(query.get('since') ?? '0');
  const streams = new Set([
    ...(query.get('stdout') === 'true' ? [1] : []),
    ...(query.get('stderr') === 'true' ? [2] : []),
  ]);
  const type = isTerminal ? 'application/vnd.docker.raw-stream' : 'application/vnd.docker.multiplexed-stream';
  response.writeHead(200, { 'content-type': type }).flushHeaders();
  for (const message of running.messages) {
    if (message.at >= since && streams.has(message.stream)) response.write(encode(message, isTerminal));
  }
  if (!running.isRunning || query.get('follow') !== 'true') return void response.end();
  running.followers.add({ response, streams });
}

function encode({ at, stream, text }: Message, isTerminal: boolean): Buffer {
  const payload = Buffer.from(`${isoTime(at)} ${text}`);
  if (isTerminal) return payload;
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function isoTime(nanos: bigint): string {
  const seconds = new Date(Number(nanos / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(nanos % 1_000_000_000n).padStart(9, '0')}Z`;
}

function nanosOf(written: string): bigint {
  const [seconds = '0', fraction = ''] = written.split('.');
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
