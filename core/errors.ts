/**
 * One error class for everything that goes wrong in a way a person should read. A code is registered once, here, and never
 * used again for something else; `docs/errors.md` lists them and a test compares the two.
 */

/** What each code means and what the reader can do about it. */
export const errorCodes = {
  RUNTIME_UNSUITABLE: 'The Node version or its regular-expression engine is not the one Portcullis needs.',
  SETTINGS_INVALID: 'The settings file or an environment variable has mistakes; each is listed with its place.',
  SETTINGS_UNREADABLE: 'The settings file cannot be read.',
  ADDRESS_IN_USE: 'Another program listens on an address that Portcullis was told to use.',
  LISTEN_FAILED: 'An address cannot be listened on.',
  EXPRESSION_INVALID: 'An expression of a scenario, parser or profile cannot be compiled.',
  EXPRESSION_RAISED: 'An expression raised an error while it ran; the expression counts as not matched.',
  SCENARIO_INVALID: 'A scenario document is not valid; the other documents are used.',
  ITEM_INVALID:
    'A parser, postoverflow or context document is not valid, or an item file cannot be read; the others are used.',
  RULES_INVALID: 'A WAF rule is not valid or a folder holds no rules; the other rules are used.',
  PROFILE_INVALID: 'A profile document is not valid.',
  DATA_FILE_MISSING: 'A data file that a scenario names is not there.',
  PATTERN_INVALID: 'A regular expression is not valid RE2 syntax or cannot run under the linear engine.',
  GEOIP_UNREADABLE: 'A MaxMind database cannot be read.',
  STORE_UNAVAILABLE: 'The store does not answer; the last known decisions go on being enforced.',
  STORE_CORRUPT: 'The store file was damaged; it was set aside and a new one started.',
  STORE_FULL: 'The store cannot write, most likely because the disk is full; enforcement continues from memory.',
  STORE_CLOSED: 'The store was asked after it had been closed.',
  DECISION_INVALID: 'A decision has a value that does not fit its scope, or a duration that cannot be read.',
  GATEWAY_ABSENT: 'No running gateway answers on the admin socket.',
  GATEWAY_REFUSED: 'The running gateway refused what the command line asked.',
  USAGE: 'The command line was not understood.',
  NOT_FOUND: 'What was asked for does not exist, or no longer.',
  SELFTEST_FAILED: 'The self-test found that the gateway does not detect or does not block.',
  HUB_INDEX_INVALID: "The hub's index is absent, too large, or not what an index looks like.",
  HUB_UNREACHABLE: 'A file of the hub cannot be fetched or read.',
  HUB_DIGEST_MISMATCH: 'A file of the hub is not the one that its index describes; nothing was installed.',
  HUB_REFUSED: 'A change of the installed items was refused, because it would lose something or cannot be complete.',
  HUBTEST_INVALID:
    'A test of the hub cannot be run: its configuration, an item that it names, or its log is not there or wrong.',
  EXCEPTIONS_UNREADABLE:
    'The file of WAF exceptions is damaged or cannot be read; the rules run without what is lost of it.',
  WAF_TEST_INVALID: 'A test of WAF rules, or the list of deviations from such tests, cannot be read.',
  LOG_UNREADABLE: 'A log file cannot be read.',
  ACQUISITION_INVALID:
    'A document of acquis.yaml is not valid, or the file cannot be read; the other documents are used.',
  SOURCE_FAILED: 'A source of log lines cannot be read; it is tried again, and the gateway goes on.',
  NOTIFICATION_INVALID: 'A document of the notifications folder is not valid, or a file of it cannot be read.',
  NOTIFICATION_FAILED: 'A notification could not be delivered, or there is no channel of that name.',
  TEMPLATE_INVALID: 'The template of a notification cannot be read, or failed for the alerts that it was run on.',
  SETUP_FAILED: 'What `setup detect` needs to read or write cannot be read or written.',
  LAPI_UNREACHABLE:
    'A Local API that this gateway follows or reports to does not answer, or its certificate is not trusted.',
  LAPI_REFUSED: 'A Local API that this gateway follows or reports to refused what it was asked.',
  LAPI_ANSWER_INVALID: 'What answered is not a Local API, or its answer was cut off or changed on the way.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Exit statuses of the command line: sysexits where one fits, as CrowdSec and systemd users know them. */
export const exitStatus = {
  ok: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  internal: 70,
  settings: 78,
} as const;

export interface GatewayErrorDetail {
  /** What to do about it, one sentence; shown to people. */
  readonly remedy?: string;
  /** The private cause: logged, never shown to clients. */
  readonly cause?: unknown;
}

export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | null;

  /** `message` names the cause in plain words and holds no secret: it may be shown. */
  constructor(code: ErrorCode, message: string, detail: GatewayErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.remedy = detail.remedy ?? null;
  }
}

/** The text of anything thrown, for a log line or a message. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  try {
    return String(thrown);
  } catch {
    return 'an object without a text';
  }
}
