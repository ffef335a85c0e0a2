import t from 'tap';
import { remediationOptions } from '../../remediation/options.ts';

t.test('nothing needs to be set', async (t) => {
  t.match(remediationOptions.parse({}), {
    profiles: null,
    maxDuration: 7 * 86_400_000,
    protectPrivate: true,
    allowlist: [],
    goodBots: { enabled: true, extra: [], crawlScenarios: [] },
    throttle: { rate: 5, burst: 20 },
  });
});

t.test('what is set is canonical', async (t) => {
  const bot = { name: 'mine', userAgent: 'MyBot', ranges: ['192.0.2.9/24'] };
  const options = remediationOptions.parse({
    allowlist: ['2001:DB8::1/32', { value: '192.0.2.1', comment: 'office' }],
    goodBots: { extra: [bot] },
  });
  t.same(options.allowlist, [
    { value: '2001:db8::/32', comment: '' },
    { value: '192.0.2.1/32', comment: 'office' },
  ]);
  t.same(options.goodBots.extra, [{ ...bot, ranges: ['192.0.2.0/24'], domains: [] }]);
});

const mistakes = [
  { alowlist: [] },
  { allowlist: ['office'] },
  { maxDuration: '0s' },
  { goodBots: { extra: [{ name: 'x' }] } },
  { throttle: { rate: 0 } },
  { throttle: { burst: 0 } },
];

t.test('mistakes are found', async (t) => {
  for (const mistake of mistakes) {
    t.equal(remediationOptions.safeParse(mistake).success, false, JSON.stringify(mistake));
  }
  t.equal(mistakes.length, 6);
});
