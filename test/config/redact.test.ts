import t from 'tap';
import * as z from 'zod';
import { redact } from '../../config/redact.ts';
import { inputSchemaOf } from '../../config/setting-keys.ts';
import { secret } from '../../core/options.ts';

const schema = z.strictObject({
  name: z.string().optional(),
  password: secret().optional(),
  peers: z.array(z.strictObject({ url: z.string(), key: secret().optional() })).prefault([]),
  channel: z
    .union([
      z.strictObject({ type: z.literal('a'), token: secret() }),
      z.strictObject({ type: z.literal('b'), text: z.string() }),
    ])
    .nullable()
    .prefault(null),
  headers: z.record(z.string(), secret()).prefault({}),
});

t.test('secrets in sections, lists, variants and records are replaced, and told', async (t) => {
  const settings = {
    name: 'x',
    password: 'one',
    peers: [{ url: 'http://a', key: 'two' }, { url: 'http://b' }],
    channel: { type: 'a', token: 'three' },
    headers: { authorization: 'four' },
  };
  const { value, secrets } = redact(settings, inputSchemaOf(schema));
  t.same(value, {
    name: 'x',
    password: '[redacted]',
    peers: [{ url: 'http://a', key: '[redacted]' }, { url: 'http://b' }],
    channel: { type: 'a', token: '[redacted]' },
    headers: { authorization: '[redacted]' },
  });
  t.same(secrets, ['one', 'two', 'three', 'four']);
  t.equal(settings.password, 'one', 'the settings themselves are untouched');
});

t.test('what is not set stays so, and what is in no schema is shown', async (t) => {
  const { value, secrets } = redact(
    { password: null, channel: null, computed: { at: [1, true] } },
    inputSchemaOf(schema),
  );
  t.same(value, { password: null, channel: null, computed: { at: [1, true] } });
  t.same(secrets, []);
});
