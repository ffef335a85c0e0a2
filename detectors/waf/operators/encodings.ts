/**
 * `@validateByteRange`, `@validateUrlEncoding` and `@validateUtf8Encoding`: each matches a text that violates its rule.
 * ModSecurity Reference Manual, "Operators".
 */
import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../../../core/errors.ts';
import { charSetOf, complementOf, setHas } from '../../regex/char-set.ts';
import type { OperatorFactory } from './operator.ts';
import { needOfCharacter } from './search-need.ts';

const highestByte = 255;

/** `9,10,32-126`: a byte outside of all ranges matches; without a range every byte does. */
export const validateByteRange: OperatorFactory = (argument) => {
  const parts = argument.split(',').map((part) => part.trim());
  const allowed = charSetOf(parts.filter((part) => part !== '').flatMap(rangeIn));
  const forbidden = complementOf(allowed, highestByte);
  const isForbidden = Uint8Array.from({ length: highestByte + 1 }, (_, code) => (setHas(forbidden, code) ? 1 : 0));
  return {
    need: needOfCharacter(forbidden),
    test: ({ value }) => {
      for (let index = 0; index < value.length; index++) if (isForbidden[value.charCodeAt(index)] !== 0) return true;
      return false;
    },
  };
};

function rangeIn(written: string): [number, number] {
  const [, from = '', to = from] = /^(\d{1,3})(?:\s*-\s*(\d{1,3}))?$/.exec(written) ?? [];
  const [low, high] = [Number(from), Number(to)];
  if (from === '' || high > highestByte || low > high) {
    throw new GatewayError('RULES_INVALID', `${JSON.stringify(written.slice(0, 60))} is no range of bytes`, {
      remedy: 'Write numbers from 0 to 255 such as 9,10,32-126.',
    });
  }
  return [low, high];
}

const brokenEscape = /%(?![0-9A-Fa-f]{2})/;

/** A `%` without two hexadecimal digits behind it. */
export const validateUrlEncoding: OperatorFactory = () => ({
  need: needOfCharacter([0x25, 0x25]),
  test: ({ value }) => brokenEscape.test(value),
});

/** Bytes that are no UTF-8 (RFC 3629): broken, overlong or surrogate sequences. */
export const validateUtf8Encoding: OperatorFactory = () => ({
  need: needOfCharacter([0x80, highestByte]),
  test: ({ value }) => !isUtf8(Buffer.from(value, 'latin1')),
});
