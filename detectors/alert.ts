/**
 * `Alert`: what a detector raises when a bucket overflows. Detectors own it; remediation turns it into decisions. Meanings
 * are CrowdSec's (`pkg/models/alert.go`); wire names live in `models.ts` files only.
 */

/** CrowdSec's scopes, or a name of the scenario's own. */
export type Scope = 'Ip' | 'Range' | 'AS' | 'Country' | (string & {});

export interface AlertSource {
  readonly scope: Scope;
  /** What the scope measures: an address, a CIDR range, an AS number, an ISO country, or a custom value. */
  readonly value: string;
  /** The offending address where one is known, "" otherwise. Never shortened to its prefix. */
  readonly ip: string;
  readonly range: string;
  readonly asNumber: string;
  readonly asName: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
}

export interface AlertEvent {
  /** RFC 3339. */
  readonly timestamp: string;
  /** Sorted by key. */
  readonly meta: readonly { readonly key: string; readonly value: string }[];
}

export interface Alert {
  readonly uuid: string;
  /** `crowdsec` for scenarios, `waf` for rules, `cscli` for what people do: CrowdSec's `kind`, or whatever an agent sends. */
  readonly kind: 'crowdsec' | 'waf' | 'cscli' | (string & {});
  /** The agent that reported it. Absent: this gateway noticed it itself. */
  readonly machineId?: string;
  readonly scenario: string;
  /** SHA-256 of the scenario's file. */
  readonly scenarioHash: string;
  readonly scenarioVersion: string;
  readonly message: string;
  readonly source: AlertSource;
  /** Every event poured, also those that the queue no longer holds. */
  readonly eventsCount: number;
  readonly events: readonly AlertEvent[];
  /** Epoch milliseconds. */
  readonly startAt: number;
  readonly stopAt: number;
  readonly createdAt: number;
  readonly capacity: number;
  /** As the scenario writes it: `10s`. */
  readonly leakspeed: string;
  readonly simulated: boolean;
  /** `labels.remediation` is the boolean true. */
  readonly remediation: boolean;
  readonly labels: Readonly<Record<string, unknown>>;
  /** Context: each key with its distinct values as a JSON array. */
  readonly meta: readonly { readonly key: string; readonly value: string }[];
  /** The requests that the queue still holds, oldest first, so that `why` can name them. Empty for log lines. */
  readonly requestIds: readonly string[];
}
