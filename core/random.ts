/** Randomness as an argument, so that tests and fault injection are repeatable from a seed. */
import { randomBytes, randomFillSync, randomUUID } from 'node:crypto';

export interface Random {
  /** RFC 9562 version 4 UUID. */
  uuid(): string;
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1). Not for secrets: jitter and sampling only. */
  fraction(): number;
  /** A short identifier for one request: 16 hexadecimal digits, unpredictable. */
  requestId(): string;
}

/** Unpredictable bytes drawn in blocks: one system call serves 512 request identifiers. */
export function createSystemRandom(): Random {
  const block = Buffer.allocUnsafe(4096);
  let used = block.length;
  return {
    uuid: () => randomUUID(),
    bytes: (length) => randomBytes(length),
    fraction: () => Math.random(),
    requestId() {
      if (used === block.length) {
        randomFillSync(block);
        used = 0;
      }
      used += 8;
      return block.toString('hex', used - 8, used);
    },
  };
}
