import t from 'tap';
import { createSystemRandom } from '../../core/random.ts';

t.test('request identifiers are 16 hexadecimal digits and differ, across blocks of random bytes too', async (t) => {
  const random = createSystemRandom();
  const ids = Array.from({ length: 2000 }, () => random.requestId());
  t.ok(ids.every((id) => /^[0-9a-f]{16}$/.test(id)));
  t.equal(new Set(ids).size, ids.length);
});

t.test('two sources do not repeat each other', async (t) => {
  t.not(createSystemRandom().requestId(), createSystemRandom().requestId());
});

t.test('the other kinds have their shape', async (t) => {
  const random = createSystemRandom();
  t.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.equal(random.bytes(32).length, 32);
  t.not(Buffer.from(random.bytes(16)).toString('hex'), Buffer.from(random.bytes(16)).toString('hex'));
  for (let index = 0; index < 100; index++) {
    const fraction = random.fraction();
    t.ok(fraction >= 0 && fraction < 1);
  }
});
