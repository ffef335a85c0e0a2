/**
 * A syslog receiver over UDP or TCP. What comes over UDP and finds no room is dropped and counted; a TCP sender is made to
 * wait. Connections, senders and messages are bounded, and a message that was begun has to come to its end. Specification: CrowdSec
 * `pkg/acquisition/modules/syslog`; RFC 3164, 5424, 5426 (UDP) and 6587 (TCP).
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TimerHandle } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { parseIp } from '../../core/ip.ts';
import { orAborted } from './abortable.ts';
import type { SyslogDocument } from './acquisition-document.ts';
import type { AcquisitionSource } from './acquisition-source.ts';
import type { LineOutlet } from './line-outlet.ts';
import { createManagedSource, type SourceRun } from './managed-source.ts';
import { PeerLimits } from './peer-limits.ts';
import { outletOf, type SourceParts } from './source-parts.ts';
import { SyslogFramer } from './syslog-framing.ts';
import { parseSyslog, syslogLine, withoutPriority } from './syslog-message.ts';

/** A message over TCP that was begun ends within this, or the connection does. */
const messageWithinMs = 30_000;
/** Asked of the system, so that a burst is not lost while the engine is busy; it may give less. */
const receiveBufferBytes = 4 * 1_048_576;

interface Receiver {
  readonly document: SyslogDocument;
  readonly parts: SourceParts;
  readonly run: SourceRun;
  readonly outlet: LineOutlet;
  readonly limits: PeerLimits;
}

export function createSyslogSource(document: SyslogDocument, parts: SourceParts): AcquisitionSource {
  return createManagedSource(
    {
      kind: 'syslog',
      name: document.name,
      async run(run) {
        const outlet = outletOf(document, document.labels, parts, run);
        const limits = new PeerLimits(parts.runtime.clock);
        const receiver = { document, parts, run, outlet, limits };
        try {
          await (document.protocol === 'udp' ? receiveDatagrams(receiver) : receiveStreams(receiver));
        } finally {
          run.meter.listens(null);
        }
      },
    },
    parts.runtime,
  );
}

async function receiveDatagrams(receiver: Receiver): Promise<void> {
  const { document, run, outlet, limits } = receiver;
  const socket = createSocket(document.host.includes(':') ? 'udp6' : 'udp4');
  const failure = new Promise<never>((_, reject) => {
    socket.on('error', reject);
  });
  try {
    socket.on('message', (bytes: Buffer, { address }: RemoteInfo) => {
      const peer = addressText(address);
      if (!limits.admit(peer)) return run.meter.drop(1, `${peer} sends more messages than one sender may`);
      const line = lineOf(receiver, bytes.subarray(0, document.maxMessageBytes), peer);
      if (bytes.length > document.maxMessageBytes) run.meter.truncate();
      if (line !== null) outlet.offer(line, peer);
    });
    socket.bind(document.port, document.host);
    await orAborted(Promise.race([once(socket, 'listening'), failure]), run.signal);
    if (run.signal.aborted) return;
    growBuffer(() => socket.setRecvBufferSize(receiveBufferBytes));
    run.meter.listens(`${document.host}:${socket.address().port}`);
    run.meter.running();
    await orAborted(failure, run.signal);
  } finally {
    socket.close();
  }
}

function growBuffer(grow: () => void): void {
  try {
    grow();
  } catch {
    // The system's own size has to do.
  }
}

async function receiveStreams(receiver: Receiver): Promise<void> {
  const { document, run, limits } = receiver;
  const open = new Set<Promise<void>>();
  const server = createServer((socket) => {
    const peer = addressText(socket.remoteAddress ?? '');
    const refusal = limits.connect(peer, socket);
    if (refusal !== null) {
      run.meter.trouble(refusal);
      socket.destroy();
      return;
    }
    const connection = readConnection(receiver, socket, peer).finally(() => limits.disconnect(peer, socket));
    open.add(connection);
    void connection.finally(() => open.delete(connection));
  });
  const failure = new Promise<never>((_, reject) => {
    server.on('error', reject);
  });
  try {
    server.listen(document.port, document.host);
    await orAborted(Promise.race([once(server, 'listening'), failure]), run.signal);
    if (run.signal.aborted) return;
    run.meter.listens(`${document.host}:${(server.address() as AddressInfo).port}`);
    run.meter.running();
    await orAborted(failure, run.signal);
  } finally {
    server.close();
    limits.closeAll();
    await Promise.all(open);
  }
}

/** Ends with the connection; never rejects. */
async function readConnection(receiver: Receiver, socket: Socket, peer: string): Promise<void> {
  const { document, run, limits, parts } = receiver;
  const framer = new SyslogFramer(document.maxMessageBytes);
  let timer: TimerHandle | null = null;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      limits.touch(socket);
      for (const framed of framer.feed(chunk)) {
        timer?.cancel();
        timer = null;
        if (framed.kind === 'broken') {
          run.meter.drop(1, `${peer}: ${framed.why}`);
          return;
        }
        if (framed.truncated) run.meter.truncate();
        if (!(await deliver(receiver, framed.bytes, peer))) return;
      }
      if (framer.isInMessage)
        timer ??= parts.runtime.clock.after(messageWithinMs, () =>
          socket.destroy(new Error('a message was begun and not ended')),
        );
    }
    const last = framer.end();
    if (last?.kind === 'message') await deliver(receiver, last.bytes, peer);
  } catch (error) {
    if (!run.signal.aborted) run.meter.trouble(`${peer}: ${messageOf(error)}`);
  } finally {
    timer?.cancel();
    socket.destroy();
  }
}

async function deliver(receiver: Receiver, bytes: Buffer, peer: string): Promise<boolean> {
  if (bytes.length === 0) return true;
  const line = lineOf(receiver, bytes, peer);
  return line === null || (await receiver.outlet.deliver(line, peer));
}

/** The line for the parsers; null for what is no syslog message, which is counted. */
function lineOf({ document, parts, run }: Receiver, bytes: Buffer, peer: string): string | null {
  const message = bytes.toString('utf8').replace(/[\r\n\0]+$/, '');
  if (document.raw) {
    const rest = withoutPriority(message);
    if (rest === null) run.meter.drop(1, `${peer}: a message without a priority, such as <13>, at its start`);
    return rest;
  }
  const parsed = parseSyslog(message);
  if (parsed !== null) return syslogLine(parsed, parts.runtime.clock.now());
  run.meter.drop(1, `${peer}: a message that is neither RFC 3164 nor RFC 5424; disable_rfc_parser takes it as it is`);
  return null;
}

/** IPv4 addresses look the same however the socket was opened. */
function addressText(address: string): string {
  return parseIp(address)?.text ?? address;
}
