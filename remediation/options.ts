/** The settings of remediation: what alerts lead to, and who is never decided about. */
import * as z from 'zod';
import { cidr, count, duration, path } from '../core/options.ts';
import { knownCrawlers } from './known-crawlers.ts';

const allowlistEntry = z.strictObject({
  value: cidr().describe('An address or a network.'),
  comment: z.string().max(500).prefault('').describe('Why; shown where the entry is the reason.'),
});

const crawlerNames = z.enum(knownCrawlers.map(({ name }) => name) as [string, ...string[]], {
  error: `expected the name of a crawler: ${knownCrawlers.map(({ name }) => name).join(', ')}`,
});

const goodBotsOptions = z
  .strictObject({
    ranges: z
      .partialRecord(crawlerNames, z.array(cidr()).max(10_000))
      .prefault({})
      .describe("Networks that a crawler's operator publishes, by crawler: addresses in them need no DNS."),
    scenarios: z
      .array(z.string().min(1).max(256))
      .max(1_000)
      .prefault([])
      .describe('Scenarios that verified crawlers may trigger, besides those whose `behavior` is `http:crawl`.'),
    timeout: duration({ min: '100ms', max: '1m' })
      .prefault('3s')
      .describe(
        'For the DNS to prove a crawler; until then its decision waits. Unproven, it is decided about like others.',
      ),
  })
  .prefault({})
  .describe('Crawlers that are what they claim are not banned for crawling.');

const throttleOptions = z
  .strictObject({
    rate: z
      .number({ error: 'expected a number of requests per second' })
      .min(0.001)
      .max(1_000_000)
      .prefault(1)
      .describe('Requests per second that a throttled source may make in the long run.'),
    burst: count({ min: 1, max: 1_000_000 }).prefault(10).describe('Requests that it may make at once after a pause.'),
    maxSources: count({ min: 100, max: 10_000_000 }).prefault(100_000).describe('Sources remembered at most.'),
  })
  .prefault({})
  .describe('What a decision of type `throttle` means.');

export const remediationOptions = z
  .strictObject({
    profiles: path()
      .nullable()
      .prefault(null)
      .describe("A profiles file in CrowdSec's format. Without it: bans of 4 hours that grow with every repetition."),
    maxDuration: duration({ min: '1m' })
      .prefault('7d')
      .describe('The longest that an escalating duration (`duration_expr`) grows to.'),
    protectPrivate: z
      .boolean()
      .prefault(true)
      .describe(
        'Never decide about private and link-local addresses. Loopback and trusted proxies are always protected.',
      ),
    allowlist: z
      .array(allowlistEntry)
      .max(10_000)
      .prefault([])
      .describe('Addresses and networks that nothing may refuse, whatever a scenario or a list says.'),
    goodBots: goodBotsOptions,
    throttle: throttleOptions,
  })
  .prefault({})
  .describe('What alerts lead to.');

export type RemediationOptions = z.output<typeof remediationOptions>;
