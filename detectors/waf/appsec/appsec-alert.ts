/**
 * The alert that a match raises. It is of kind `waf` and asks for no remediation: the request is refused already, and whoever
 * goes on is caught by scenarios. Specification: CrowdSec `pkg/acquisition/modules/appsec/utils.go` (`AppsecEventGeneration`).
 */
import type { Random } from '../../../core/random.ts';
import type { Alert, AlertEvent, AlertSource } from '../../alert.ts';
import type { MatchedRule } from '../../expr/environment/appsec-type.ts';
import { type AppSecEvent, nameOf } from './appsec-event.ts';

/** Where an address is; empty where no database knows. */
export type Locate = (ip: string) => Partial<AlertSource>;

/** Events of one alert: the Core Rule Set matches some twenty rules for a blatant attack. */
const mostEvents = 32;

/** Characters of one value. */
const longestValue = 4_000;

export function createAppSecAlert(event: AppSecEvent, requestId: string, random: Random, locate: Locate): Alert {
  const ip = event.Meta.source_ip ?? '';
  const rules = event.Appsec.MatchedRules;
  const [first] = rules;
  const name = nameOf(first);
  const what = event.Appsec.HasInBandMatches ? 'WAF block' : 'WAF out-of-band match';
  const bouncer = event.Parsed.remediation_cmpt_ip ?? '';
  return {
    uuid: random.uuid(),
    kind: 'waf',
    scenario: name,
    scenarioHash: textOf(first?.hash),
    scenarioVersion: textOf(first?.version),
    message: `${what}: ${name} from ${ip} (${bouncer})`,
    source: {
      range: '',
      asNumber: '',
      asName: '',
      country: '',
      latitude: 0,
      longitude: 0,
      ...locate(ip),
      scope: 'Ip',
      value: ip,
      ip,
    },
    eventsCount: Math.max(1, rules.length),
    events: rules.slice(0, mostEvents).map((rule) => eventOf(rule, event)),
    startAt: event.Time,
    stopAt: event.Time,
    createdAt: event.Time,
    capacity: 1,
    leakspeed: '',
    simulated: false,
    remediation: false,
    labels: {},
    meta: contextOf(rules),
    requestIds: [requestId],
  };
}

function eventOf(rule: MatchedRule, event: AppSecEvent): AlertEvent {
  const meta = {
    data: textOf(rule.data),
    matched_zones: textsOf(rule.matched_zones).join(','),
    message: textOf(rule.msg),
    rule_name: nameOf(rule),
    source_ip: event.Meta.source_ip ?? '',
    target_fqdn: event.Meta.target_host ?? '',
    uri: textOf(rule.uri),
  };
  return {
    timestamp: event.MarshaledTime,
    meta: Object.entries(meta).flatMap(([key, value]) => (value === '' ? [] : [{ key, value: cut(value) }])),
  };
}

/** Each key with its distinct values. */
function contextOf(rules: readonly MatchedRule[]): Alert['meta'] {
  const keys: readonly (readonly [string, (rule: MatchedRule) => readonly string[]])[] = [
    ['id', (rule) => [String(rule.id)]],
    ['matched_zones', (rule) => textsOf(rule.matched_zones)],
    ['method', (rule) => [textOf(rule.method)]],
    ['msg', (rule) => [textOf(rule.msg)]],
    ['name', (rule) => [nameOf(rule)]],
    ['uri', (rule) => [textOf(rule.uri)]],
  ];
  return keys.flatMap(([key, of]) => {
    const values = [...new Set(rules.slice(0, mostEvents).flatMap(of))].filter((value) => value !== '');
    return values.length === 0 ? [] : [{ key, value: shortJson(values.map(cut)) }];
  });
}

/** As many of the values as fit, at least one. */
function shortJson(values: readonly string[]): string {
  let room = longestValue;
  return JSON.stringify(values.filter((value, index) => (room -= value.length) >= 0 || index === 0));
}

function cut(value: string): string {
  return value.length > longestValue ? `${value.slice(0, longestValue - 1)}…` : value;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
