/** The settings of remediation: what an alert leads to, who is spared, and where decisions are kept. */
import * as z from 'zod';
import { cidr, count, duration, path } from '../core/options.ts';

const allowlistEntry = z
  .union(
    [
      cidr(),
      z.strictObject({
        value: cidr().describe('An address or a network.'),
        comment: z.string().max(512).prefault('').describe('Why.'),
      }),
    ],
    { error: 'expected an address, a network, or {value, comment}' },
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
      .describe('Addresses and networks that nothing may ban: texts, or `{value, comment}`.'),
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
