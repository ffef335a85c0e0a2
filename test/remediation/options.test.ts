import t from 'tap';
import { remediationOptions } from '../../remediation/options.ts';

t.test('nothing needs to be set', async (t) => {
  t.match(remediationOptions.parse({}), {
    profiles: null,
    maxDuration: 7 * 86_400_000,
    protectPrivate: true,
    allowlist: [],
    goodBots: { ranges: {}, scenarios: [], timeout: 3_000 },
    throttle: { rate: 1, burst: 10 },
  });
});

t.test('what is set is canonical', async (t) => {
  const options = remediationOptions.parse({
    allowlist: [{ value: '2001:DB8::1/32' }],
    goodBots: { ranges: { googlebot: ['66.249.64.9/19'] } },
  });
  t.same(options.allowlist, [{ value: '2001:db8::/32', comment: '' }]);
  t.same(options.goodBots.ranges, { googlebot: ['66.249.64.0/19'] });
});

const mistakes = [
  { alowlist: [] },
  { allowlist: ['192.0.2.1'] },
  { allowlist: [{ value: 'office' }] },
  { maxDuration: '0s' },
  { goodBots: { ranges: { gogglebot: [] } } },
  { throttle: { rate: 0 } },
  { throttle: { burst: 0 } },
];

t.test('mistakes are found', async (t) => {
  for (const mistake of mistakes)
    t.equal(remediationOptions.safeParse(mistake).success, false, JSON.stringify(mistake));
  t.equal(mistakes.length, 7);
});
