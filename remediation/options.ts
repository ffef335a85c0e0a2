/** The settings of remediation: what an alert leads to, who is spared, and where decisions are kept. */
import * as z from 'zod';
import { formatRange, parseRange } from '../core/ip.ts';
import { cidr, count, duration, path, textOption } from '../core/options.ts';
import { isHostName } from './allowed/allowed-names.ts';

const allowlistValue = () =>
  textOption<string>({
    title: 'network or host name',
    expected: 'an address, a network such as 192.0.2.0/24, or a host name',
    pattern: '^(?:[0-9A-Fa-f.:]{2,45}(?:/[0-9]{1,3})?|[A-Za-z0-9_.-]{4,254})$',
    example: '192.0.2.0/24',
    read(text) {
      const range = parseRange(text);
      if (range !== null) return { value: formatRange(range) };
      if (isHostName(text)) return { value: text.toLowerCase().replace(/\.$/, '') };
      return { problem: 'expected an address, a network such as 192.0.2.0/24, or a host name' };
    },
  });

const allowlistEntry = z
  .union(
    [
      allowlistValue(),
      z.strictObject({
        value: allowlistValue().describe('An address, a network, or a host name, which is resolved again and again.'),
        comment: z.string().max(512).prefault('').describe('Why.'),
      }),
    ],
    { error: 'expected an address, a network, a host name, or {value, comment}' },
  )
  .transform((entry) => (typeof entry === 'string' ? { value: entry, comment: '' } : entry));

const goodBot = z.strictObject({
  name: z.string().min(1).max(64).describe('What logs call it.'),
  userAgent: z.string().min(1).max(256).describe('A part of its User-Agent, compared without regard to case.'),
  ranges: z.array(cidr()).max(10_000).prefault([]).describe('Its published networks.'),
  domains: z
    .array(z.string().min(1).max(253))
    .max(100)
    .prefault([])
    .describe('Domains that its reverse DNS names end in; the name must resolve back to the address.'),
});

export const remediationOptions = z
  .strictObject({
    profiles: path()
      .nullable()
      .prefault(null)
      .describe(
        "Profiles in CrowdSec's format: which alert leads to which decision, for how long. Without it: the built-in ones.",
      ),
    maxDuration: duration({ min: '1m', max: '365d' })
      .prefault('7d')
      .describe('What the `duration_expr` of a profile may grow to: the longest ban of a repeat offender.'),
    protectPrivate: z
      .boolean()
      .prefault(true)
      .describe('Never ban loopback, private and link-local addresses, nor trusted proxies.'),
    allowlist: z
      .array(allowlistEntry)
      .max(100_000)
      .prefault([])
      .describe('Addresses, networks and host names that nothing may ban: texts, or `{value, comment}`.'),
    throttle: z
      .strictObject({
        rate: z
          .number({ error: 'expected a number of requests per second' })
          .min(0.001)
          .max(1_000_000)
          .prefault(5)
          .describe('Requests per second that a throttled source may make.'),
        burst: count({ min: 1, max: 1_000_000 })
          .prefault(20)
          .describe('Requests that it may make at once after a pause.'),
        maxSources: count({ min: 1, max: 10_000_000 })
          .prefault(100_000)
          .describe('Throttled sources that are remembered.'),
      })
      .prefault({})
      .describe('What a decision of the type `throttle` does.'),
    goodBots: z
      .strictObject({
        enabled: z
          .boolean()
          .prefault(true)
          .describe('Spare the verified crawlers of big search engines from crawl scenarios.'),
        extra: z.array(goodBot).max(1000).prefault([]).describe('Crawlers of your own choice, in addition.'),
        crawlScenarios: z
          .array(z.string().min(1).max(256))
          .max(1000)
          .prefault([])
          .describe('Scenarios that a verified crawler does not trigger, besides the built-in list.'),
      })
      .prefault({})
      .describe('Crawlers that prove who they are.'),
  })
  .prefault({})
  .describe('What follows from an alert.');
