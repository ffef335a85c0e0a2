/** One request over TLS on a connection of its own, with or without a client certificate. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { ClientFiles } from './certificate-authority.ts';

export interface TlsQuestion {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

export interface TlsAnswer {
  readonly status: number;
  readonly body: string;
}

/** Rejects with the error of the socket or of TLS when no answer comes. */
export function askOverTls(url: string, tls: ClientFiles, question: TlsQuestion = {}): Promise<TlsAnswer> {
  const { method = 'GET', headers = {}, body } = question;
  const { caFile, certFile, keyFile } = tls;
  return new Promise((resolve, reject) => {
    const asking = request(url, {
      method,
      headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      agent: false,
      ca: readFileSync(caFile),
      ...(certFile !== undefined && { cert: readFileSync(certFile) }),
      ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
    });
    asking.once('error', reject);
    asking.once('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
