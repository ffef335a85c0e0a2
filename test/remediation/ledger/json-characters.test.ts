/** Characters written several at a time against the plain spelling, at every place and with anything around them. */
import fc from 'fast-check';
import t from 'tap';
import {
  characters,
  copyCharacters,
  overrun,
  writeAddress,
  writeDuration,
  writeNumber,
} from '../../../remediation/ledger/json-characters.ts';
import { readUuid, uuidLength, writeUuidWords } from '../../../remediation/ledger/row-uuid.ts';

const seed = 20_260_104;
const room = 64;

/** What `write` leaves behind at `at`; throws when it touched what is before or far behind. */
function written(at: number, write: (to: DataView, at: number) => number): string {
  const bytes = new Uint8Array(at + room + 8).fill(35);
  const end = write(new DataView(bytes.buffer), at);
  const untouched = [...bytes.subarray(0, at), ...bytes.subarray(end + overrun)];
  if (untouched.some((byte) => byte !== 35)) throw new Error('bytes around were touched');
  return Buffer.from(bytes.subarray(at, end)).toString('latin1');
}

t.test('numbers of any length', async () => {
  const edges = Array.from({ length: 16 }, (_, power) => [10 ** power - 1, 10 ** power, 10 ** power + 1]).flat();
  const numbers = [...edges, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 48 - 1, 999_999_999, 1_000_000_000, 2 ** 53 - 1];
  for (const value of numbers) {
    const text = written(value % 5, (to, at) => writeNumber(to, at, value));
    if (text !== String(value)) throw new Error(`${value} became ${text}`);
  }
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(53), fc.nat(7), (large, bits, start) => {
      const value = Math.floor(large / 2 ** bits);
      return written(start, (to, at) => writeNumber(to, at, value)) === String(value);
    }),
    { seed, numRuns: 2_000 },
  );
});

t.test('addresses: each octet in each place', async () => {
  for (let octet = 0; octet < 256; octet++) {
    for (let place = 0; place < 4; place++) {
      const octets = [7, 70, 170, 9];
      octets[place] = octet;
      const word = octets.reduce((all, each) => (all << 8) | each, 0);
      const text = written(octet % 5, (to, at) => writeAddress(to, at, word));
      if (text !== octets.join('.')) throw new Error(`${octets.join('.')} became ${text}`);
    }
  }
});

t.test('durations as Go spells them', async (t) => {
  const cases: readonly (readonly [seconds: number, text: string])[] = [
    [0, '0s'],
    [-0, '0s'],
    [1, '1s'],
    [59, '59s'],
    [60, '1m0s'],
    [-62, '-1m2s'],
    [3_599, '59m59s'],
    [3_600, '1h0m0s'],
    [14_398, '3h59m58s'],
    [-86_400, '-24h0m0s'],
    [360_000_000, '100000h0m0s'],
    [281_474_976_710, '78187493h31m50s'],
  ];
  for (const [seconds, text] of cases) {
    t.equal(
      written(3, (to, at) => writeDuration(to, at, seconds)),
      text,
    );
  }
  t.equal(cases.length, 12);
});

t.test('uuids are read as they were written', async () => {
  fc.assert(
    fc.property(fc.uuid(), fc.nat(7), (uuid, start) => {
      const words = new Int32Array(4);
      if (!readUuid(`x${uuid}`, 1, words)) return false;
      const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
      const bytes = Buffer.alloc(uuidLength);
      writeUuidWords(new DataView(bytes.buffer, bytes.byteOffset, uuidLength), 0, w0, w1, w2, w3);
      return (
        bytes.toString('latin1') === uuid && written(start, (to, at) => writeUuidWords(to, at, w0, w1, w2, w3)) === uuid
      );
    }),
    { seed, numRuns: 500 },
  );
});

t.test('what is copied often, at any length', async () => {
  for (let length = 0; length <= room; length++) {
    const text = Array.from({ length }, (_, at) => String.fromCharCode(65 + (at % 26))).join('');
    const copied = written(length % 7, (to, at) => copyCharacters(characters(text), to, at));
    if (copied !== text) throw new Error(`${text} became ${copied}`);
  }
});
