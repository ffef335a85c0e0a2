import { join } from 'node:path';
import t from 'tap';
import { readTextFile } from '../../config/read-text-file.ts';

t.test('a file is read whole, up to its limit and not beyond', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'origin: ü\n', full: 'x'.repeat(100), long: 'x'.repeat(101), empty: '' });
  t.equal(readTextFile(join(folder, 'a.yaml')), 'origin: ü\n');
  t.equal(readTextFile(join(folder, 'empty')), '');
  t.equal(readTextFile(join(folder, 'full'), 100).length, 100);
  t.throws(() => readTextFile(join(folder, 'long'), 100), { message: 'it is larger than 100 bytes' });
});

t.test('what never ends is refused, and what is absent says so', async (t) => {
  t.throws(() => readTextFile('/dev/zero', 1000), { message: 'it is larger than 1000 bytes' });
  t.throws(() => readTextFile(join(t.testdir({}), 'none')), { code: 'ENOENT' });
  t.throws(() => readTextFile(t.testdir({})), { code: 'EISDIR' });
});

t.test('bytes that are not UTF-8 are refused', async (t) => {
  t.throws(() => readTextFile(join(t.testdir({ bad: Buffer.from([0x61, 0xff]) }), 'bad')), {
    code: 'ERR_ENCODING_INVALID_ENCODED_DATA',
  });
});
