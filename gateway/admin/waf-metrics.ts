/** The metrics of the WAF. Each set of rules is one `appsec_engine`, as CrowdSec calls it: the Core Rule Set, virtual patches. */
import type { RuleLayer } from '../../detectors/waf/waf-record.ts';
import {
  type LayerCounters,
  ruleLayers,
  type RuleTimes,
  ruleTimeBounds,
  type WafSource,
  wafSources,
} from '../waf/waf-counters.ts';
import { timedShare } from '../waf/waf-watch.ts';
import { gauge, labelled, type Metric, type MetricSources, type Sample, secondsHistogram } from './metric.ts';

interface Seen {
  readonly source: WafSource;
  readonly layer: RuleLayer;
  readonly counters: LayerCounters;
}

/** Rules that run, by source; a source that nobody has asked from is left out unless it is the gateway itself. */
function seen({ wafCounters, layers }: MetricSources): readonly Seen[] {
  return wafSources.flatMap((source) =>
    ruleLayers
      .map((layer): Seen => ({ source, layer, counters: wafCounters.layers[source][layer] }))
      .filter(
        ({ counters, layer }) =>
          counters.requests > 0 || (source === 'gateway' && layers.some((loaded) => loaded.layer === layer)),
      ),
  );
}

const engineCounter = (name: string, help: string, count: (counters: LayerCounters) => number): Metric =>
  labelled('counter', name, help, ['source', 'appsec_engine'], (sources) =>
    seen(sources).map(({ source, layer, counters }): Sample => [{ source, appsec_engine: layer }, count(counters)]),
  );

const engineTimes = (name: string, help: string, times: (counters: LayerCounters) => RuleTimes): Metric => ({
  name,
  type: 'histogram',
  help: `${help}, of one request in ${timedShare}.`,
  labels: ['source', 'appsec_engine'],
  read: (sources) =>
    seen(sources).map(({ source, layer, counters }) => {
      const { buckets, sumMs } = times(counters);
      return secondsHistogram({ source, appsec_engine: layer }, ruleTimeBounds, buckets, sumMs);
    }),
});

export const wafMetrics: readonly Metric[] = [
  engineCounter('cs_appsec_reqs_total', 'Requests that the rules looked at.', ({ requests }) => requests),
  engineCounter('cs_appsec_block_total', 'Requests that the rules refused.', ({ refused }) => refused),
  labelled(
    'counter',
    'cs_appsec_rule_hits',
    'Matches, by rule; of more than 2,000 rules the rest is `other`.',
    ['source', 'appsec_engine', 'type', 'rule_name'],
    ({ wafCounters }) =>
      wafCounters.hits
        .list()
        .map(
          ({ source, layer, type, rule, count }): Sample => [
            { source, appsec_engine: layer, type, rule_name: rule },
            count,
          ],
        ),
  ),
  engineTimes('cs_appsec_parsing_time_seconds', 'Processor time of the rules', ({ total }) => total),
  engineTimes(
    'cs_appsec_inband_parsing_time_seconds',
    'Processor time of the rules before the answer',
    ({ inBand }) => inBand,
  ),
  engineTimes(
    'cs_appsec_outband_parsing_time_seconds',
    'Processor time of the out-of-band rules after the answer',
    ({ outOfBand }) => outOfBand,
  ),
  engineCounter(
    'portcullis_waf_observed_total',
    'Requests that the rules would have refused, and only observed.',
    ({ observed }) => observed,
  ),
  engineCounter(
    'portcullis_waf_exhausted_total',
    'Requests for which the rules ran out of time (`waf.budget`).',
    ({ exhausted }) => exhausted,
  ),
  labelled(
    'counter',
    'portcullis_waf_held_bodies_total',
    'Bodies whose beginning waited for the rules.',
    ['of'],
    ({ wafCounters }) => [
      [{ of: 'request' }, wafCounters.heldRequestBodies],
      [{ of: 'response' }, wafCounters.heldResponseBodies],
    ],
  ),
  labelled('gauge', 'portcullis_waf_rules', 'Rules in use.', ['appsec_engine'], ({ layers }) =>
    layers.map(({ layer, rules }): Sample => [{ appsec_engine: layer }, rules]),
  ),
  gauge('portcullis_waf_rule_faults', 'Rules that cannot be used.', ({ ruleFaults }) => ruleFaults.length),
];
