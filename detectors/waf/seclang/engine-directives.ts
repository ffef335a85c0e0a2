/**
 * Directives that are not about rules: those that say something about the engine, and those that are known and have nothing
 * to say here. ModSecurity Reference Manual, "Configuration Directives"; Coraza's `coraza.conf-recommended`.
 */
import { lowerAscii } from './ascii.ts';
import type { EngineDirectives, LimitAction } from './definition.ts';
import { type Report, quoted } from './report.ts';
import { parseEngineMode, parseOnOff, parseSize } from './scalar-values.ts';

/** Nothing is said yet. */
export const defaultDirectives: EngineDirectives = {
  ruleEngine: null,
  requestBodyAccess: null,
  requestBodyLimit: null,
  requestBodyNoFilesLimit: null,
  requestBodyLimitAction: null,
  requestBodyJsonDepthLimit: null,
  argumentsLimit: null,
  argumentSeparator: null,
  uploadFileLimit: null,
  responseBodyAccess: null,
  responseBodyLimit: null,
  responseBodyLimitAction: null,
  responseBodyMimeTypes: null,
  collectionTimeout: null,
  unicodeMapFile: null,
  webAppId: null,
};

type Changes = Partial<EngineDirectives>;

/** What the directive changes; null: its arguments cannot be understood, `report` has heard why. */
export type ReadDirective = (values: readonly string[], report: Report, before: EngineDirectives) => Changes | null;

type KeysOf<Value> = {
  [Key in keyof EngineDirectives]: EngineDirectives[Key] extends Value | null ? Key : never;
}[keyof EngineDirectives];

const setting =
  <Value>(key: KeysOf<Value>, parse: (value: string, report: Report) => Value | null): ReadDirective =>
  (values, report) => {
    const [value] = values;
    if (value === undefined || values.length > 1) {
      report('error', 'The directive takes one argument.');
      return null;
    }
    const parsed = parse(value, report);
    return parsed === null ? null : { [key]: parsed };
  };

const plain = (value: string): string => value;

function parseLimitAction(value: string, report: Report): LimitAction | null {
  const word = lowerAscii(value);
  if (word === 'reject') return 'reject';
  if (word === 'processpartial') return 'process-partial';
  report('error', `${quoted(value)} is neither Reject nor ProcessPartial.`);
  return null;
}

function parseSeparator(value: string, report: Report): string | null {
  if (value.length === 1) return value;
  report('error', `${quoted(value)} is no single character.`);
  return null;
}

const mostMimeTypes = 1_000;

/** Adds to those that are named already, as in ModSecurity. `(null)` is a response without a type. */
const readMimeTypes: ReadDirective = (values, report, before) => {
  if (values.length === 0) {
    report('error', 'The directive needs media types, such as text/html.');
    return null;
  }
  const types = new Set([...(before.responseBodyMimeTypes ?? []), ...values.map(lowerAscii)]);
  if (types.size <= mostMimeTypes) return { responseBodyMimeTypes: [...types] };
  report('error', `There can be ${mostMimeTypes} media types at most.`);
  return null;
};

/** `unicode.mapping 20127`: the code page is that of the built-in table. */
const readUnicodeMap: ReadDirective = ([file], report) => {
  if (file !== undefined) return { unicodeMapFile: file };
  report('error', 'The directive needs a file.');
  return null;
};

const warned =
  (reason: string): ReadDirective =>
  (_values, report) => {
    report('warning', reason);
    return {};
  };

const refused =
  (reason: string): ReadDirective =>
  (_values, report) => {
    report('error', reason);
    return null;
  };

const readers: readonly (readonly [string, ReadDirective])[] = [
  ['SecRuleEngine', setting('ruleEngine', parseEngineMode)],
  ['SecRequestBodyAccess', setting('requestBodyAccess', parseOnOff)],
  ['SecRequestBodyLimit', setting('requestBodyLimit', parseSize)],
  ['SecRequestBodyNoFilesLimit', setting('requestBodyNoFilesLimit', parseSize)],
  ['SecRequestBodyLimitAction', setting('requestBodyLimitAction', parseLimitAction)],
  ['SecRequestBodyJsonDepthLimit', setting('requestBodyJsonDepthLimit', parseSize)],
  ['SecArgumentsLimit', setting('argumentsLimit', parseSize)],
  ['SecArgumentSeparator', setting('argumentSeparator', parseSeparator)],
  ['SecUploadFileLimit', setting('uploadFileLimit', parseSize)],
  ['SecResponseBodyAccess', setting('responseBodyAccess', parseOnOff)],
  ['SecResponseBodyLimit', setting('responseBodyLimit', parseSize)],
  ['SecResponseBodyLimitAction', setting('responseBodyLimitAction', parseLimitAction)],
  ['SecResponseBodyMimeType', readMimeTypes],
  ['SecResponseBodyMimeTypesClear', () => ({ responseBodyMimeTypes: [] })],
  ['SecCollectionTimeout', setting('collectionTimeout', parseSize)],
  ['SecUnicodeMapFile', readUnicodeMap],
  ['SecWebAppId', setting('webAppId', plain)],
  ['SecRemoteRules', refused('Rules are not fetched from the network: put them into a file and include it.')],
  ['SecRuleScript', refused('Rules cannot run Lua scripts: write the condition as a SecRule.')],
  [
    'SecDataset',
    refused('Data sets are not available: put the list into a file and use @pmFromFile or @ipMatchFromFile.'),
  ],
  ['SecGuardianLog', warned('The directive has no effect: rules cannot start programs.')],
  ['SecXmlExternalEntity', externalEntities],
];

/** Entities from outside are never fetched, so only `On` is worth a word. */
function externalEntities(values: readonly string[], report: Report): Changes {
  if (lowerAscii(values[0] ?? '') === 'on') report('warning', 'Entities outside of an XML body are never fetched.');
  return {};
}

/** Known, and settled elsewhere: logs, processes, storage and upload folders of another program, remote services. */
const withoutEffect = [
  'SecAuditEngine',
  'SecAuditLog',
  'SecAuditLog2',
  'SecAuditLogDir',
  'SecAuditLogDirMode',
  'SecAuditLogFileMode',
  'SecAuditLogFormat',
  'SecAuditLogParts',
  'SecAuditLogRelevantStatus',
  'SecAuditLogStorageDir',
  'SecAuditLogType',
  'SecAuditLogPrefix',
  'SecCacheTransformations',
  'SecChrootDir',
  'SecComponentSignature',
  'SecConnEngine',
  'SecConnReadStateLimit',
  'SecConnWriteStateLimit',
  'SecContentInjection',
  'SecCookieFormat',
  'SecCookieV0Separator',
  'SecDataDir',
  'SecDebugLog',
  'SecDebugLogLevel',
  'SecDisableBackendCompression',
  'SecGeoLookupDb',
  'SecGsbLookupDb',
  'SecHashEngine',
  'SecHashKey',
  'SecHashMethodPm',
  'SecHashMethodRx',
  'SecHashParam',
  'SecHttpBlKey',
  'SecIgnoreRuleCompilationErrors',
  'SecInterceptOnError',
  'SecParseXmlIntoArgs',
  'SecPcreMatchLimit',
  'SecPcreMatchLimitRecursion',
  'SecReadStateLimit',
  'SecRemoteRulesFailAction',
  'SecRequestBodyInMemoryLimit',
  'SecRequestEncoding',
  'SecRuleInheritance',
  'SecRulePerfTime',
  'SecSensorId',
  'SecServerSignature',
  'SecStatusEngine',
  'SecStreamInBodyInspection',
  'SecStreamOutBodyInspection',
  'SecTmpDir',
  'SecTmpSaveUploadedFiles',
  'SecUnicodeCodePage',
  'SecUploadDir',
  'SecUploadFileMode',
  'SecUploadKeepFiles',
  'SecWriteStateLimit',
  'SecXmlParseXmlIntoArgs',
] as const;

/** By lower-case name. */
export const engineDirectives: ReadonlyMap<string, ReadDirective> = new Map([
  ...readers.map(([name, read]): [string, ReadDirective] => [name.toLowerCase(), read]),
  ...withoutEffect.map((name): [string, ReadDirective] => [name.toLowerCase(), () => ({})]),
]);

export const engineDirectiveNames: readonly string[] = [...readers.map(([name]) => name), ...withoutEffect];
