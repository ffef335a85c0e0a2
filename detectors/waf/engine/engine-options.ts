/** What the engine is told besides the rules. What the rules' own directives say wins where both speak. */
import type { EngineDirectives, LimitAction, RuleEngineMode } from '../seclang/definition.ts';

export interface EngineOptions {
  /** Null: as `SecRuleEngine` says, `on` where it says nothing. Anything else wins over it, but not over `ctl:ruleEngine`. */
  readonly mode: RuleEngineMode | null;
  readonly requestBody: {
    readonly access: boolean;
    /** Bytes. */
    readonly limit: number;
    readonly over: LimitAction;
    /** Arguments that are read, those of the query and those of the body each. */
    readonly arguments: number;
    /** Nesting of JSON and XML. */
    readonly depth: number;
    /** Uploaded files that are read. */
    readonly files: number;
    readonly separator: string;
  };
  readonly responseBody: {
    readonly access: boolean;
    /** Bytes. */
    readonly limit: number;
    readonly over: LimitAction;
    /** Lower case, without parameters. */
    readonly types: readonly string[];
  };
  /** How much of one value rules look at, in bytes. */
  readonly valueBytes: number;
  /** The same for REQUEST_BODY, RAW_REQUEST_BODY and RESPONSE_BODY, which are one value each. */
  readonly bodyValueBytes: number;
  /** Time that the rules may take for one transaction, all phases together, in milliseconds. */
  readonly budgetMs: number;
  /** What becomes of a transaction that takes longer. */
  readonly onBudget: 'pass' | 'block';
  /** Seconds that a persistent collection lives after its last change. */
  readonly collectionTimeout: number;
}

export const defaultEngineOptions: EngineOptions = {
  mode: null,
  requestBody: {
    access: true,
    limit: 131_072,
    over: 'process-partial',
    arguments: 1_000,
    depth: 64,
    files: 100,
    separator: '&',
  },
  responseBody: {
    access: false,
    limit: 524_288,
    over: 'process-partial',
    types: ['text/plain', 'text/html', 'text/xml', 'application/json'],
  },
  valueBytes: 16_384,
  bodyValueBytes: 131_072,
  budgetMs: 50,
  onBudget: 'block',
  collectionTimeout: 3_600,
};

/** The options of a rule set: `options` with what `directives` say in place. */
export function applyDirectives(options: EngineOptions, directives: EngineDirectives): EngineOptions {
  const { requestBody, responseBody } = options;
  return {
    ...options,
    mode: options.mode ?? directives.ruleEngine,
    requestBody: {
      access: directives.requestBodyAccess ?? requestBody.access,
      limit: directives.requestBodyLimit ?? requestBody.limit,
      over: directives.requestBodyLimitAction ?? requestBody.over,
      arguments: directives.argumentsLimit ?? requestBody.arguments,
      depth: directives.requestBodyJsonDepthLimit ?? requestBody.depth,
      files: directives.uploadFileLimit ?? requestBody.files,
      separator: directives.argumentSeparator ?? requestBody.separator,
    },
    responseBody: {
      access: directives.responseBodyAccess ?? responseBody.access,
      limit: directives.responseBodyLimit ?? responseBody.limit,
      over: directives.responseBodyLimitAction ?? responseBody.over,
      types: directives.responseBodyMimeTypes ?? responseBody.types,
    },
    collectionTimeout: directives.collectionTimeout ?? options.collectionTimeout,
  };
}
