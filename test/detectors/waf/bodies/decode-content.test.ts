import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { decodeContent } from '../../../../detectors/waf/bodies/decode-content.ts';

const encodings = [
  ['gzip', gzipSync],
  ['X-GZip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const;

/** Numbers that do not repeat (Park and Miller's generator), so that packing leaves something to damage. */
const numbers = Array.from({ length: 8_000 }, () => 0);
for (let index = 0; index < numbers.length; index += 1)
  numbers[index] = ((numbers[index - 1] ?? 1) * 48_271) % 2_147_483_647;
const text = Buffer.from(numbers.join(' '));

t.test('every content encoding is undone', async (t) => {
  for (const [name, encode] of encodings) {
    const { body, complete, error } = await decodeContent(encode(text), name, 1_000_000);
    t.ok(body.equals(text), name);
    t.equal(complete, true);
    t.equal(error, '');
  }
});

t.test('encodings on top of each other are undone from the last to the first', async (t) => {
  const body = zstdCompressSync(brotliCompressSync(gzipSync(text)));
  t.ok((await decodeContent(body, 'gzip, br,zstd', 1_000_000)).body.equals(text));
  t.ok((await decodeContent(gzipSync(text), 'identity, gzip', 1_000_000)).body.equals(text));
  const many = await decodeContent(text, 'gzip,gzip,gzip,gzip,gzip', 100);
  t.match(many.error, /more than 4/);
  t.ok(many.body.equals(text.subarray(0, 100)));
});

t.test('a body that is not encoded is left alone', async (t) => {
  for (const name of ['', 'identity', ' , ']) {
    t.same(await decodeContent(text, name, 1_000_000), { body: text, complete: true, error: '' });
  }
});

t.test('an unknown encoding gives the bytes as they are, and an error', async (t) => {
  const { body, complete, error } = await decodeContent(text, 'compress', 1_000_000);
  t.ok(body.equals(text));
  t.equal(complete, false);
  t.match(error, /compress is not known/);
});

t.test('what is larger than the limit is cut there', async (t) => {
  for (const [name, encode] of [...encodings, ['', (body: Buffer) => body] as const]) {
    const exactly = await decodeContent(encode(text), name, text.length);
    t.equal(exactly.complete, true, name);
    const { body, complete, error } = await decodeContent(encode(text), name, text.length - 1);
    t.ok(body.equals(text.subarray(0, -1)), name);
    t.equal(complete, false);
    t.equal(error, '');
  }
});

t.test('a bomb gives its beginning and is not unpacked further', async (t) => {
  const zeros = Buffer.alloc(16 * 1_024 * 1_024);
  for (const [name, encode] of encodings) {
    const { body, complete } = await decodeContent(encode(zeros), name, 524_288);
    t.equal(body.length, 524_288, name);
    t.equal(complete, false);
  }
  const nested = await decodeContent(gzipSync(gzipSync(zeros)), 'gzip, gzip', 524_288);
  t.equal(nested.body.length, 524_288);
  t.equal(nested.complete, false);
});

t.test('an encoded body that was cut gives what there is', async (t) => {
  for (const [name, encode] of encodings) {
    const packed = encode(text);
    const { body, error } = await decodeContent(packed.subarray(0, packed.length >> 1), name, 1_000_000);
    t.equal(error, '', name);
    t.ok(body.length < text.length);
    t.ok(body.equals(text.subarray(0, body.length)), name);
  }
});

t.test('a damaged body gives what came before, and an error or other bytes, never more than the limit', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(encodings.length - 1),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1 }),
      async (which, changes) => {
        const [name, encode] = encodings[which] ?? encodings[0];
        const packed = encode(text.subarray(0, 20_000));
        for (const [at, value] of changes) packed[at % packed.length] = value;
        const { body, complete, error } = await decodeContent(packed, name, 10_000);
        return body.length <= 10_000 && !(complete && error !== '');
      },
    ),
    { seed: 4_041, numRuns: 300 },
  );
  const packed = gzipSync(text);
  // The checksum: the client will have seen all of it, the rules see it but for the last piece.
  packed.writeInt32LE(~packed.readInt32LE(packed.length - 8), packed.length - 8);
  const { body, complete, error } = await decodeContent(packed, 'gzip', 1_000_000);
  t.match(error, /cannot be decoded: incorrect data check/);
  t.equal(complete, false);
  t.ok(body.length > 60_000, `${body.length} bytes`);
  t.ok(body.equals(text.subarray(0, body.length)));
});

t.test('what only looks encoded is an error', async (t) => {
  for (const name of ['gzip', 'br', 'zstd', 'deflate']) {
    t.match((await decodeContent(Buffer.from('<html>plain</html>'), name, 1_000)).error, /cannot be decoded/, name);
  }
  t.same((await decodeContent(Buffer.alloc(0), 'gzip', 1_000)).error, '');
});
