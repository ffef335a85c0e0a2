import fc from 'fast-check';
import t from 'tap';
import { createScrubber, withoutPaths } from '../../../cli/support/scrub.ts';

t.test('a known secret is gone, however it is written', async () => {
  const secret = fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme' }).filter((text) => text.trim().length >= 4);
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), fc.string(), (secrets, around) => {
      const scrub = createScrubber(secrets);
      const text = secrets
        .flatMap((one) => [one, JSON.stringify(one), encodeURIComponent(one), Buffer.from(one).toString('base64')])
        .join(around);
      const clean = scrub(text);
      return secrets.every(
        (one) =>
          '[redacted]'.includes(one) || around.includes(one) || !clean.replaceAll('[redacted]', '').includes(one),
      );
    }),
    { seed: 9, numRuns: 500 },
  );
});

t.test('credentials in addresses go, without being known', async (t) => {
  const scrub = createScrubber([]);
  t.equal(
    scrub('redis://user:pa%20ss@host:6379/0, http://a.example/b@c'),
    'redis://[redacted]@host:6379/0, http://a.example/b@c',
  );
  t.equal(scrub('nothing here'), 'nothing here');
  t.equal(
    withoutPaths('"https://hooks.slack.example/services/T0/B0/x": timeout, http://a.example'),
    '"https://hooks.slack.example/…": timeout, http://a.example',
  );
});

t.test('one secret may be the beginning of another', async (t) => {
  t.equal(createScrubber(['hunter', 'hunter2'])('hunter2 hunter'), '[redacted] [redacted]');
  t.equal(createScrubber([''])('as it was'), 'as it was');
});
