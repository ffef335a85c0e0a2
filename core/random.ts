/** Randomness as an argument, so that tests and fault injection are repeatable from a seed. */
import { randomBytes, randomFillSync } from 'node:crypto';

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

const blockBytes = 4_096;
const digits = Buffer.from('0123456789abcdef');
/** Where the two digits of each byte of a UUID stand. */
const uuidPlaces = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/** Unpredictable bytes drawn in blocks: one system call serves 512 request identifiers. */
export function createSystemRandom(): Random {
  const block = Buffer.allocUnsafe(blockBytes);
  let used = blockBytes;
  /** Where the next `length` bytes begin. */
  const draw = (length: number): number => {
    if (used + length > blockBytes) {
      randomFillSync(block);
      used = 0;
    }
    used += length;
    return used - length;
  };
  const text = Buffer.alloc(36, '-');
  return {
    uuid() {
      const start = draw(16);
      block[start + 6] = ((block[start + 6] as number) & 0x0f) | 0x40;
      block[start + 8] = ((block[start + 8] as number) & 0x3f) | 0x80;
      for (const [index, place] of uuidPlaces.entries()) {
        const byte = block[start + index] as number;
        text[place] = digits[byte >>> 4] as number;
        text[place + 1] = digits[byte & 15] as number;
      }
      // In one piece, unlike a text put together of five: a million of those take seconds and hundreds of megabytes more.
      return text.toString('latin1');
    },
    bytes: (length) => randomBytes(length),
    fraction: () => Math.random(),
    requestId() {
      const start = draw(8);
      return block.toString('hex', start, start + 8);
    },
  };
}
