/** What travels over the control socket about exceptions of the WAF, and what `--json` prints. Times are RFC 3339. */

/** What an exception is about. Parts that are empty or null make it wider. */
export interface ExceptionScopeModel {
  readonly rule: number;
  /** "" for all sites. */
  readonly site: string;
  /** As in an address line; with `*` at its end everything that begins so; "" for any. */
  readonly path: string;
  /** `ARGS:q`; null for the whole rule. */
  readonly target: string | null;
}

export interface WafExceptionModel extends ExceptionScopeModel {
  readonly id: string;
  /** What the rule says when it matches; "" when there is no such rule any more. */
  readonly message: string;
  readonly comment: string;
  readonly created_at: string;
  readonly until: string | null;
}

/** What an exception gives away, and what it is good for. */
export interface ExceptionTrialModel {
  /** Attacks that were sent through the rules where the exception applies. */
  readonly attacks: number;
  /** Where in the request: `query parameter`. */
  readonly place: string;
  /** Of the parameter, header or cookie; "" where there is none. */
  readonly name: string;
  readonly refused_without: number;
  readonly refused_with: number;
  readonly lost: readonly { readonly kind: string; readonly value: string }[];
  /** Kinds of attack of which nothing would be refused any more. */
  readonly lost_kinds: readonly string[];
}

/** Stored requests in which the rule found something, as far as they had no body, sent through the rules once more. */
export interface StoredTrialModel {
  readonly tried: number;
  /** By what is stored of them; not all that refused them is. */
  readonly refused: number;
  readonly passing: number;
}

export interface TriedExceptionModel {
  readonly scope: ExceptionScopeModel;
  readonly trial: ExceptionTrialModel;
  readonly stored: StoredTrialModel;
  /** It would give kinds of attack away wherever they come: it is added only with `force`. */
  readonly needs_force: boolean;
  readonly warnings: readonly string[];
}

export interface AddedExceptionModel extends TriedExceptionModel {
  readonly exception: WafExceptionModel;
  /** There was one for the same already. */
  readonly replaced: boolean;
}

export interface ExceptionSuggestionModel extends ExceptionScopeModel {
  readonly message: string;
  readonly requests: number;
  readonly clients: number;
  /** Requests in which nothing else counted: this exception alone lets them pass. */
  readonly alone: number;
  readonly refused: number;
  readonly last_at: string;
  readonly last_request_id: string;
  /** What the rule saw the last time. */
  readonly example: string;
  readonly trial: ExceptionTrialModel;
  /** The newest requests of that path in which the rule found something. */
  readonly stored: StoredTrialModel;
}

export interface ExceptionSuggestionsModel {
  readonly suggestions: readonly ExceptionSuggestionModel[];
  /** How many there are in all. */
  readonly found: number;
  /** Stored requests that were looked at. */
  readonly requests: number;
}
