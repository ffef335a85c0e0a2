/**
 * An overflow as an event: what postoverflows and reprocessing scenarios read as `evt.Overflow`, and the way back from
 * what they changed in it to alerts. Specification: CrowdSec `pkg/types/event.go` (`RuntimeAlert`), `pkg/leakybucket/overflows.go`.
 */
import type { Alert, AlertSource } from '../alert.ts';
import { type Event, eventType, FieldMap, MetaMap, type OverflowView, ParsedMap, type Source } from '../event.ts';
import { type AlertView, alertView, sourceView } from '../expr/environment/alert-view.ts';
import { type Overflow, sourceOf } from './overflow.ts';

/** `evt.Overflow` with the alerts as expressions see them. */
export interface RuntimeAlert extends OverflowView {
  readonly Alert: AlertView;
  readonly APIAlerts: readonly AlertView[];
}

/** The event of an overflow: live, as upstream has it even in a replay, with the time of the overflow and no Meta. */
export function overflowEvent(overflow: Overflow): Event {
  const timestamp = new Date(overflow.at).toISOString().replace(/\.?0*Z$/, 'Z');
  return {
    Type: eventType.overflow,
    ExpectMode: 0,
    Whitelisted: false,
    WhitelistReason: '',
    Stage: '',
    Line: { Raw: '', Src: '', Time: overflow.at, Labels: new FieldMap(), Process: true, Module: '' },
    Parsed: new ParsedMap(),
    Enriched: new FieldMap(),
    Meta: new MetaMap(),
    Unmarshaled: {},
    Overflow: runtimeAlert(overflow),
    Time: overflow.at,
    StrTime: '',
    StrTimeFormat: '',
    MarshaledTime: timestamp,
    Process: true,
  };
}

/** `evt.Overflow` of an overflow, which has at least one alert. */
export function runtimeAlert({ scenario, key, alerts }: Overflow): RuntimeAlert {
  // Values of custom scopes are text from outside, and one may be called `__proto__`.
  const sources = Object.create(null) as Record<string, Source>;
  const views: AlertView[] = [];
  for (const alert of alerts) {
    const source = sourceView(alert);
    sources[source.Value] = source;
    views.push(alertView(alert, sharingSource(source)));
  }
  return {
    Mapkey: key,
    BucketId: alerts[0]?.uuid ?? '',
    Whitelisted: false,
    Reprocess: scenario.reprocess,
    Sources: sources,
    Alert: views[0] as AlertView,
    APIAlerts: views,
  };
}

/** A copy whose scope and value are those of `source`: upstream copies the structure, and these two are pointers in it. */
function sharingSource(source: Source): Source {
  return {
    ...source,
    get Scope() {
      return source.Scope;
    },
    set Scope(scope: string) {
      source.Scope = scope;
    },
    get Value() {
      return source.Value;
    },
    set Value(value: string) {
      source.Value = value;
    },
  };
}

/**
 * The alerts of `overflow` after its event went through the postoverflows: what nodes changed in the source or the message is
 * carried back. Alerts that nobody changed are the very ones of `overflow`.
 */
export function settledAlerts(event: Event, overflow: Overflow): readonly Alert[] {
  const views = (event.Overflow as RuntimeAlert | null)?.APIAlerts ?? [];
  return overflow.alerts.map((alert, index) => {
    const view = views[index];
    return view === undefined ? alert : settled(alert, view);
  });
}

function settled(alert: Alert, { Source: source, Message: message, Remediation: remediation }: AlertView): Alert {
  const changed = sourceOf(source);
  const sameSource = (Object.keys(changed) as (keyof AlertSource)[]).every((key) => changed[key] === alert.source[key]);
  if (sameSource && message === alert.message && remediation === alert.remediation) return alert;
  return { ...alert, source: changed, message, remediation };
}
