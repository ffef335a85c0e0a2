/**
 * A test of go-ftw's format, version 2, as it was read: requests to send and what has to be seen of each. Specification:
 * `ftw-tests-schema` (`FTWTest`); go-ftw `test/types.go`.
 */

/** One file: the tests of one rule. */
export interface FtwFile {
  readonly path: string;
  readonly tests: readonly FtwTest[];
  readonly faults: readonly FtwFault[];
}

/** A mistake in a file; what could be read of it is still used. */
export interface FtwFault {
  /** `warning`: an unknown key, or one that this runner does not act on. */
  readonly level: 'error' | 'warning';
  /** `file:line:column: reason`, without the source line. */
  readonly text: string;
}

export interface FtwTest {
  /** `942100-7`: rule and number, as overrides and people name it. */
  readonly id: string;
  readonly ruleId: number;
  readonly number: number;
  readonly description: string;
  readonly place: FtwPlace;
  readonly stages: readonly FtwStage[];
}

export interface FtwPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface FtwStage {
  readonly input: FtwInput;
  readonly output: FtwOutput;
}

/** What to send. Texts are as the file has them: UTF-16, to be sent as UTF-8. */
export interface FtwInput {
  readonly destination: string;
  readonly port: number;
  readonly method: string;
  readonly uri: string;
  /** `HTTP/1.1`; "" is a request line without one. */
  readonly version: string;
  /** In the order of the file; a name may come twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Null: no body. May hold a Go template. */
  readonly data: string | null;
  /** The whole request in base64; null: it is built of the other fields. */
  readonly encodedRequest: string | null;
  /** Connection, Content-Type and Content-Length are added where they are missing. */
  readonly autocompleteHeaders: boolean;
}

/** What has to be seen; null, "" or empty: no matter. */
export interface FtwOutput {
  /** Any of them. */
  readonly status: readonly number[];
  readonly expectError: boolean | null;
  readonly responseContains: string;
  readonly expectIds: readonly number[];
  readonly noExpectIds: readonly number[];
  readonly matchRegex: string;
  readonly noMatchRegex: string;
  /** Exactly one id, the expected one, is in the log. */
  readonly isolated: boolean;
  readonly retryOnce: boolean;
}
