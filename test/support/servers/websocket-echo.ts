/** The server side of RFC 6455 as far as an echo needs it: every message comes back, ping is answered, close is returned. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const opcodes = { close: 8, ping: 9, pong: 10 } as const;

export interface WebSocketFrame {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: Buffer;
}

/** The `Sec-WebSocket-Accept` that answers a key (RFC 6455 §4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + acceptSuffix)
    .digest('base64');
}

/** Accepts the upgrade and echoes until either side closes. The path `/ws-refuse` answers 403 instead. */
export function answerWebSocket(request: IncomingMessage, socket: Socket, head: Buffer): void {
  socket.on('error', () => {});
  const key = request.headers['sec-websocket-key'];
  if (key === undefined || request.url?.startsWith('/ws-refuse') === true) {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    return;
  }
  const protocol = request.headers['sec-websocket-protocol']?.split(',')[0]?.trim();
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  lines.push(`Sec-WebSocket-Accept: ${webSocketAccept(key)}`);
  if (protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  let pending = head;
  const answerFrames = (): void => {
    for (;;) {
      const taken = takeFrame(pending);
      if (!taken) return;
      pending = taken.rest;
      answerFrame(socket, taken.frame);
    }
  };
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    answerFrames();
  });
  answerFrames();
}

function answerFrame(socket: Socket, frame: WebSocketFrame): void {
  if (frame.opcode === opcodes.pong) return;
  if (frame.opcode === opcodes.ping) return void socket.write(encodeFrame({ ...frame, opcode: opcodes.pong }));
  socket.write(encodeFrame(frame));
  if (frame.opcode === opcodes.close) socket.end();
}

/** A frame as bytes; `mask` of four bytes makes it a client's. */
export function encodeFrame(frame: WebSocketFrame, mask?: Uint8Array): Buffer {
  const { payload } = frame;
  const first = (frame.final ? 0x80 : 0) | frame.opcode;
  const maskBit = mask === undefined ? 0 : 0x80;
  let head: Buffer;
  if (payload.length < 126) head = Buffer.from([first, maskBit | payload.length]);
  else if (payload.length < 65_536) {
    head = Buffer.from([first, maskBit | 126, 0, 0]);
    head.writeUInt16BE(payload.length, 2);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  if (mask === undefined) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, masked(payload, mask)]);
}

/** The first frame of `bytes` and what follows it, or null while it is incomplete. */
export function takeFrame(bytes: Buffer): { readonly frame: WebSocketFrame; readonly rest: Buffer } | null {
  if (bytes.length < 2) return null;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const maskBytes = (second & 0x80) === 0 ? 0 : 4;
  const start = 2 + lengthBytes + maskBytes;
  if (bytes.length < start) return null;
  const length =
    lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return null;
  const raw = bytes.subarray(start, start + length);
  const payload = maskBytes === 0 ? raw : masked(raw, bytes.subarray(2 + lengthBytes, start));
  return {
    frame: { opcode: first & 0x0f, final: (first & 0x80) !== 0, payload },
    rest: bytes.subarray(start + length),
  };
}

function masked(payload: Uint8Array, mask: Uint8Array): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
}
