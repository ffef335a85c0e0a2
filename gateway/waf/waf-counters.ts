/** What the WAF counts, as plain numbers, for the metrics page: by where a request came from and by the rules that saw it. */
import type { RuleLayer } from '../../detectors/waf/waf-record.ts';

/** Requests of the gateway's own visitors, or those that bouncers ask about. */
export type WafSource = 'gateway' | 'bouncers';

export const wafSources: readonly WafSource[] = ['gateway', 'bouncers'];
export const ruleLayers: readonly RuleLayer[] = ['core-rules', 'virtual-patches'];

/** Upper bounds of the histograms of processor time, milliseconds. */
export const ruleTimeBounds = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100] as const;

export interface RuleTimes {
  /** For each of `ruleTimeBounds`, and one for the rest. Not cumulative. */
  readonly buckets: number[];
  sumMs: number;
}

export interface LayerCounters {
  requests: number;
  refused: number;
  /** The rules would have refused them, and only observed. */
  observed: number;
  /** The time budget ended the rules before their end. */
  exhausted: number;
  /** Of one request in so many. */
  readonly total: RuleTimes;
  /** Before the answer. */
  readonly inBand: RuleTimes;
  /** After it. Empty where a layer has no rules of that kind. */
  readonly outOfBand: RuleTimes;
}

export interface RuleHits {
  readonly source: WafSource;
  readonly layer: RuleLayer;
  readonly type: 'inband' | 'outofband';
  /** `crowdsecurity/vpatch-…`, `native_rule:942100`, as CrowdSec names them. */
  readonly rule: string;
  count: number;
}

export interface WafCounters {
  readonly layers: Readonly<Record<WafSource, Readonly<Record<RuleLayer, LayerCounters>>>>;
  readonly hits: RuleHitTable;
  /** Bodies whose beginning waited for the rules. */
  heldRequestBodies: number;
  heldResponseBodies: number;
}

export function createWafCounters(): WafCounters {
  const layers = () => ({ 'core-rules': layerCounters(), 'virtual-patches': layerCounters() });
  return {
    layers: { gateway: layers(), bouncers: layers() },
    hits: new RuleHitTable(),
    heldRequestBodies: 0,
    heldResponseBodies: 0,
  };
}

function layerCounters(): LayerCounters {
  const times = (): RuleTimes => ({ buckets: ruleTimeBounds.map(() => 0).concat(0), sumMs: 0 });
  return { requests: 0, refused: 0, observed: 0, exhausted: 0, total: times(), inBand: times(), outOfBand: times() };
}

export function addTime(times: RuleTimes, durationMs: number): void {
  let bucket = 0;
  while (bucket < ruleTimeBounds.length && durationMs > (ruleTimeBounds[bucket] ?? 0)) bucket++;
  times.buckets[bucket] = (times.buckets[bucket] ?? 0) + 1;
  times.sumMs += durationMs;
}

/** Rules that are counted by name; all of the Core Rule Set and of CrowdSec's hub together are fewer. */
const mostNamedRules = 2_000;

/** Matches by rule. Of more rules than it has room for, the later ones are counted as `other`. */
export class RuleHitTable {
  readonly #byKey = new Map<string, RuleHits>();

  add({ source, layer, type, rule }: Omit<RuleHits, 'count'>): void {
    const key = `${source} ${layer} ${type} ${rule}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) known.count++;
    else if (this.#byKey.size < mostNamedRules || rule === 'other') {
      this.#byKey.set(key, { source, layer, type, rule, count: 1 });
    } else this.add({ source, layer, type, rule: 'other' });
  }

  list(): readonly RuleHits[] {
    return [...this.#byKey.values()];
  }
}
