import * as fc from 'fast-check';
import t from 'tap';
import { formatByteSize, parseByteSize } from '../../core/byte-size.ts';

t.test('sizes in units of 1024 and of 1000 are told apart', async (t) => {
  const cases: [text: string, bytes: number | null][] = [
    ['0', 0],
    ['16384', 16_384],
    ['512B', 512],
    ['16KiB', 16_384],
    ['16kib', 16_384],
    ['16 KiB', 16_384],
    ['16kB', 16_000],
    ['1.5MiB', 1_572_864],
    ['1MB', 1_000_000],
    ['1GiB', 1_073_741_824],
    ['2TB', 2_000_000_000_000],
    ['', null],
    ['KiB', null],
    ['16K', null],
    ['-1', null],
    ['1.5', null],
    ['0.3KiB', null],
    ['1e3', null],
    ['16XB', null],
    ['16  KiB', null],
    ['9999999999999999TiB', null],
    ['lots', null],
  ];
  t.equal(cases.length, 22);
  for (const [text, bytes] of cases) t.equal(parseByteSize(text), bytes, text);
});

t.test('a written size is read back as the same number', async (t) => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => parseByteSize(formatByteSize(bytes)) === bytes),
    { seed: 1, numRuns: 1000 },
  );
  t.equal(formatByteSize(16_384), '16KiB');
  t.equal(formatByteSize(1024 ** 3), '1GiB');
  t.equal(formatByteSize(1500), '1500');
});
