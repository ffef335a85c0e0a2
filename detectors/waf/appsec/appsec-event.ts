/**
 * The event that a match becomes, for parsers and scenarios: what CrowdSec's AppSec data source emits. Its `Meta` is filled as
 * the hub's parser `crowdsecurity/appsec-logs` fills it, so that the scenarios understand it without the parser too.
 * Specification: CrowdSec `pkg/acquisition/modules/appsec/utils.go` (`EventFromRequest`, `AccumulateTxToEvent`).
 */
import { type Event, eventType, FieldMap, MetaMap, ParsedMap, type StringMap } from '../../event.ts';
import type { AppsecView, MatchedRule } from '../../expr/environment/appsec-type.ts';
import type { RuleMatch, TransactionRequest, Verdict } from '../engine/transaction-types.ts';
import type { RuleDetails } from './band-program.ts';
import type { Band } from './config-document.ts';
import { severityNames } from './rule-vocabulary.ts';

export interface AppSecEvent extends Event {
  Appsec: AppsecView;
}

export interface BandFindings {
  readonly band: Band;
  readonly verdict: Verdict;
  readonly matches: readonly RuleMatch[];
  readonly details: ReadonlyMap<number, RuleDetails>;
  /** Why a hook or a limit refused the request; "" when a rule did. */
  readonly dropReason: string;
  /** Values of the variables that the configuration tracks, by `VARIABLE.key`. */
  readonly tracked: Readonly<Record<string, string>>;
}

export interface RequestOrigin {
  readonly request: TransactionRequest;
  readonly host: string;
  /** Address of the bouncer that asks; "" for the gateway itself. */
  readonly bouncerAddress: string;
}

/** Told of every appsec event: the type that stands in `Line.Labels`, which the hub's parsers look for. */
const lineType = 'appsec';

export function createAppSecEvent(findings: BandFindings, origin: RequestOrigin, now: number): AppSecEvent {
  const { request } = origin;
  const { band, verdict } = findings;
  const word = band === 'in' ? 'inband' : 'outofband';
  const rules = matchedRules(findings, request);
  const parsed = filled(new ParsedMap(), {
    source_ip: request.clientAddress,
    target_host: origin.host,
    target_uri: request.target,
    method: request.method,
    req_uuid: request.id,
    source: 'crowdsec-appsec',
    program: lineType,
    remediation_cmpt_ip: origin.bouncerAddress,
    [`${word}_interrupted`]: 'true',
    [`${word}_action`]: verdict.action,
  });
  const meta = filled(new MetaMap(), {
    service: lineType,
    source_ip: request.clientAddress,
    target_host: origin.host,
    target_uri: request.target,
    request_uuid: request.id,
    log_type: band === 'in' ? 'appsec-block' : 'appsec-info',
    rule_name: nameOf(rules[0]),
    rule_ids: `[${rules.map(({ id }) => String(id)).join(' ')}]`,
    remediation_cmpt_ip: origin.bouncerAddress,
    ...(band === 'in' ? { appsec_interrupted: 'true', appsec_action: verdict.action } : {}),
  });
  const time = new Date(now).toISOString();
  return {
    Type: eventType.log,
    ExpectMode: 0,
    Whitelisted: false,
    WhitelistReason: '',
    Stage: 's00-raw',
    Line: {
      // A line without text would be left out.
      Raw: `${request.method} ${request.target}`,
      Src: lineType,
      Time: now,
      Labels: { type: lineType, request_id: request.id },
      Process: true,
      Module: lineType,
    },
    Parsed: parsed,
    Enriched: new FieldMap(),
    Meta: meta,
    Unmarshaled: {},
    Overflow: null,
    Time: now,
    StrTime: '',
    StrTimeFormat: '',
    MarshaledTime: time,
    Process: true,
    Appsec: {
      HasInBandMatches: band === 'in',
      HasOutBandMatches: band === 'out',
      MatchedRules: rules,
      Vars: findings.tracked,
      HookVars: {},
    },
  };
}

function filled(map: StringMap, values: StringMap): StringMap {
  return Object.assign(map, values);
}

export function nameOf(rule: MatchedRule | undefined): string {
  return typeof rule?.name === 'string' ? rule.name : '';
}

/** Rules that have something to say, in the order in which they matched, with CrowdSec's member names. */
function matchedRules(findings: BandFindings, request: TransactionRequest): readonly MatchedRule[] {
  const { band, matches, details, verdict, dropReason } = findings;
  const shared = {
    uri: request.target,
    method: request.method,
    kind: band === 'in' ? 'inband' : 'outofband',
    rule_type: band === 'in' ? 'inband' : 'outofband',
    revision: '',
    secmark: '',
    accuracy: 0n,
  };
  const rules = matches
    .filter(({ msg, ruleId }) => msg !== '' || ruleId === verdict.ruleId)
    .map((match) => {
      const known = details.get(match.ruleId);
      return {
        ...shared,
        id: BigInt(match.ruleId),
        disruptive: match.disruptive,
        tags: match.tags,
        file: match.place.file,
        file_line: BigInt(match.place.line),
        msg: match.msg,
        severity: severityNames[match.severity ?? 0] ?? '',
        name: known?.name ?? `native_rule:${match.ruleId}`,
        hash: known?.hash ?? '',
        version: known?.version ?? match.ver,
        matched_zones: [...new Set(match.values.map(({ variable }) => variable.replace(':', '.')))],
        logdata: match.logdata,
        data: match.values[0]?.value ?? '',
      };
    });
  // What no rule refused is told like one, for scenarios count rules.
  if (rules.some(({ id }) => id === BigInt(verdict.ruleId)) || verdict.ruleId !== 0) return rules;
  const refused = { id: 0n, disruptive: true, tags: [], file: '', file_line: 0n, severity: 'emergency' };
  const named = { name: 'native_rule:0', hash: '', version: '', matched_zones: [], logdata: dropReason, data: '' };
  return [...rules, { ...shared, ...refused, ...named, msg: dropReason }];
}
