/**
 * Sends requests of tests over the wire, byte by byte as they are, to a gateway (or any other server) whose rules are tested.
 * What the rules said comes from elsewhere: a `RuleLog` is asked for it, by the port that the request came from.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '../../../core/errors.ts';
import type { StageOutcome } from './check-stage.ts';
import { parseRawResponse, type RawResponse } from './parse-raw-response.ts';
import type { RequestSender } from './run-test.ts';

/** Where the lines are that rules wrote about a request. */
export interface RuleLog {
  /** Asked once the response is here; waits until the rules are done with the request. Empty: no rule saw it, or none matched. */
  linesOf(sent: SentRequest): Promise<readonly string[]>;
}

export interface SentRequest {
  /** Of our end of the connection. */
  readonly clientPort: number;
  /** Null: there was none that could be read. */
  readonly response: RawResponse | null;
}

/** A server that says nothing for so long has dropped the request. */
const patienceMs = 10_000;
const largestResponse = 16 * 1024 * 1024;

/** `url` names the server; what requests say about theirs is left as it is. */
export function createHttpSender(url: URL, log: RuleLog): RequestSender {
  return { send: (raw) => sendOver(url, raw, log) };
}

async function sendOver(url: URL, raw: string, log: RuleLog): Promise<StageOutcome> {
  const { clientPort, response, error } = await sendRaw(url, raw);
  try {
    const lines = await log.linesOf({ clientPort, response });
    if (response !== null) return { error: null, status: response.status, body: response.body, lines };
    return { error, status: 0, body: '', lines };
  } catch (thrown) {
    return { error: `the log cannot be read: ${messageOf(thrown)}`, status: 0, body: '', lines: [] };
  }
}

function noResponse(text: string): string {
  return text === '' ? 'the connection was closed without a response' : 'the response is none of HTTP/1';
}

function isHead(raw: string): boolean {
  return /^\s*HEAD /.test(raw);
}

export interface Exchanged extends SentRequest {
  /** Why there is no response; null: there is one. */
  readonly error: string | null;
}

/** One connection, one request, sent as it is: what came back until the response was complete or the connection ended. */
export function sendRaw(url: URL, raw: string): Promise<Exchanged> {
  return new Promise((resolve) => {
    const socket = open(url);
    const chunks: Buffer[] = [];
    let [clientPort, size] = [0, 0];
    let error: string | null = null;
    const isComplete = (): boolean => {
      const response = parseRawResponse(Buffer.concat(chunks).toString('latin1'), isHead(raw));
      return response?.complete === true;
    };
    socket.setTimeout(patienceMs, () => {
      error = 'no response in time';
      socket.destroy();
    });
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      clientPort = socket.localPort ?? 0;
      socket.write(raw, 'latin1');
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > largestResponse || isComplete()) socket.destroy();
    });
    socket.once('error', (thrown) => {
      error = messageOf(thrown);
    });
    socket.once('close', () => {
      const text = Buffer.concat(chunks).toString('latin1');
      const response = parseRawResponse(text, isHead(raw));
      resolve({ clientPort, response, error: response === null ? (error ?? noResponse(text)) : null });
    });
  });
}

function open(url: URL): Socket {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (isTls ? 443 : 80);
  // The certificate of a gateway under test is no business of these tests.
  return isTls ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port });
}
