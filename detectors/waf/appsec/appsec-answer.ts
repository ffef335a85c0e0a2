/** What AppSec says about a request. Specification: CrowdSec `pkg/appsec/appsec.go` (`GenerateResponse`). */
import type { Verdict } from '../engine/transaction-types.ts';

export interface AppSecAnswer {
  /** `allow`, or the remediation: `ban`, `captcha`, or a word of the configuration's own. */
  readonly action: string;
  readonly allowed: boolean;
  /** HTTP status that the bouncer gets. */
  readonly bouncerStatus: number;
  /** HTTP status that the visitor is to get: `http_status`. */
  readonly visitorStatus: number;
  /** What the in-band rules came to, even where a hook lets the request go; null when they came to nothing. */
  readonly verdict: Verdict | null;
}
