/** Sprig's encodings, digests, identifiers and random texts; JSON. */
import { createHash } from 'node:crypto';
import { encodeJson, decodeJson } from '../go-json.ts';
import type { RenderContext } from '../render-context.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { ValueFault } from '../template-error.ts';
import { bytesOf, define, type TemplateFunction, type TemplateValue } from '../values.ts';
import { toCount } from './conversions.ts';

const digits = '0123456789';
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const oneLine = { escapeHtml: true, indent: '' };
const json = define(['any'], ([value], context) => encodeJson(value, oneLine, context));
const pretty = define(['any'], ([value], context) => encodeJson(value, { escapeHtml: true, indent: '  ' }, context));
const rawJson = define(['any'], ([value], context) => encodeJson(value, { escapeHtml: false, indent: '' }, context));

export const encodingFunctions: Readonly<Record<string, TemplateFunction>> = {
  toJson: json,
  mustToJson: json,
  toPrettyJson: pretty,
  mustToPrettyJson: pretty,
  toRawJson: rawJson,
  mustToRawJson: rawJson,
  fromJson: define(['text'], ([text], context) => leniently(() => decodeJson(text, context))),
  mustFromJson: define(['text'], ([text], context) => decodeJson(text, context)),
  b64enc: define(['text'], ([text]) => bytesOf(text).toString('base64')),
  b64dec: define(['text'], ([text]) => fromBase64(text)),
  b32enc: define(['text'], ([text]) => toBase32(bytesOf(text))),
  b32dec: define(['text'], ([text]) => fromBase32(text)),
  sha1sum: define(['text'], ([text]) => createHash('sha1').update(text).digest('hex')),
  sha256sum: define(['text'], ([text]) => createHash('sha256').update(text).digest('hex')),
  sha512sum: define(['text'], ([text]) => createHash('sha512').update(text).digest('hex')),
  adler32sum: define(['text'], ([text]) => adler32(bytesOf(text))),
  uuidv4: define([], (_, { runtime }) => runtime.random.uuid()),
  randBytes: define(['int'], ([count], context) => {
    const length = toCount(count, 'randBytes count');
    context.reserve(length * 2);
    return Buffer.from(context.runtime.random.bytes(length)).toString('base64');
  }),
  randAlphaNum: define(['int'], ([count], context) => randomText(count, letters + digits, context)),
  randAlpha: define(['int'], ([count], context) => randomText(count, letters, context)),
  randNumeric: define(['int'], ([count], context) => randomText(count, digits, context)),
  randAscii: define(['int'], ([count], context) => randomText(count, ascii, context)),
  shuffle: define(['text'], ([text], { runtime }) => shuffled([...text], () => runtime.random.fraction())),
};

/** Sprig swallows what cannot be read; the bounds of the run are kept. */
function leniently(read: () => TemplateValue): TemplateValue {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof ValueFault && thrown.message === 'invalid JSON') return null;
    throw thrown;
  }
}

function fromBase64(text: string): string {
  const plain = text.replaceAll(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)) {
    const at = plain.search(/[^A-Za-z0-9+/]/);
    return `illegal base64 data at input byte ${at === -1 ? plain.length - (plain.length % 4) : at}`;
  }
  return Buffer.from(plain, 'base64').toString('utf8');
}

function toBase32(bytes: Buffer): string {
  let out = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) out += base32Letters.charAt((held >> (bits - 5)) & 31);
    held &= (1 << bits) - 1;
  }
  if (bits > 0) out += base32Letters.charAt((held << (5 - bits)) & 31);
  return out.padEnd(Math.ceil(out.length / 8) * 8, '=');
}

function fromBase32(text: string): string {
  const plain = text.replaceAll(/[\r\n]/g, '');
  const [, body = '', padding = ''] = /^([A-Z2-7]*)(=*)$/.exec(plain) ?? [];
  if (
    plain.length % 8 !== 0 ||
    body.length + padding.length !== plain.length ||
    ![0, 1, 3, 4, 6].includes(padding.length)
  ) {
    const at = plain.search(/[^A-Z2-7]/);
    return `illegal base32 data at input byte ${at === -1 ? plain.length - (plain.length % 8) : at}`;
  }
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of body) {
    held = (held << 5) | base32Letters.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 255);
      held &= (1 << bits) - 1;
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

function adler32(bytes: Buffer): string {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return String(high * 65_536 + low);
}

/** Every character equally likely: bytes beyond the last whole multiple are drawn again. */
function randomText(count: bigint, alphabet: string, context: RenderContext): string {
  const wanted = toCount(count, 'random string length');
  context.reserve(wanted);
  const fair = 256 - (256 % alphabet.length);
  let out = '';
  for (let tries = 0; out.length < wanted; tries++) {
    if (tries > 100) throw new GatewayError('RUNTIME_UNSUITABLE', 'the source of randomness gives nothing usable');
    for (const byte of context.runtime.random.bytes(wanted - out.length)) {
      if (byte < fair) out += alphabet.charAt(byte % alphabet.length);
    }
  }
  return out;
}

function shuffled(characters: string[], fraction: () => number): string {
  for (let at = characters.length - 1; at > 0; at--) {
    const other = Math.floor(fraction() * (at + 1));
    [characters[at], characters[other]] = [characters[other] ?? '', characters[at] ?? ''];
  }
  return characters.join('');
}
