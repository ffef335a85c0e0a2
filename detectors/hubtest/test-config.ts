/**
 * `config.yaml` of a hub test: which items it installs and which log they read. Unknown keys and empty names are ignored, as
 * CrowdSec does. Scalars keep the spelling of the source, because labels and statics are texts whatever they look like.
 * Specification: CrowdSec `pkg/hubtest/hubtest_item.go` (`HubTestItemConfig`).
 */
import { parseDocument } from 'yaml';
import { GatewayError, messageOf } from '../../core/errors.ts';

export interface TestConfig {
  /** Index names, or paths relative to the hub or to the test's folder. */
  readonly parsers: readonly string[];
  readonly scenarios: readonly string[];
  readonly postoverflows: readonly string[];
  readonly appsecRules: readonly string[];
  /** Relative to the test's folder. */
  readonly logFile: string;
  readonly logType: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The assertions on parsers are not looked at. */
  readonly ignoreParsers: boolean;
  /** Statics that a node before all others applies to every line; as they are written, for a parser document. */
  readonly overrideStatics: readonly unknown[];
}

/** Larger ones are no configurations of tests. */
const largestCharacters = 262_144;

/** @throws GatewayError HUBTEST_INVALID when the file is no such configuration. */
export function readTestConfig(source: string, file: string): TestConfig {
  const content = contentOf(source, file);
  return {
    parsers: namesAt(content.parsers),
    scenarios: namesAt(content.scenarios),
    postoverflows: namesAt(content.postoverflows),
    appsecRules: namesAt(content['appsec-rules']),
    logFile: textAt(content.log_file),
    logType: textAt(content.log_type),
    labels: labelsAt(content.labels),
    ignoreParsers: /^(?:true|yes|on|y)$/i.test(textAt(content.ignore_parsers)),
    overrideStatics: Array.isArray(content.override_statics) ? content.override_statics : [],
  };
}

function contentOf(source: string, file: string): Readonly<Record<string, unknown>> {
  const refuse = (reason: string, cause?: unknown): GatewayError =>
    new GatewayError('HUBTEST_INVALID', `${file}: ${reason}`, {
      remedy: 'Correct the configuration of the test.',
      cause,
    });
  if (source.length > largestCharacters) throw refuse(`more than ${largestCharacters} characters`);
  // "failsafe" knows texts, lists and maps only. Of a repeated key the last one counts.
  const document = parseDocument(source, { schema: 'failsafe', uniqueKeys: false, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake !== undefined) throw refuse(messageOf(mistake), mistake);
  try {
    const content: unknown = document.toJS({ maxAliasCount: 100 });
    if (isRecord(content)) return content;
  } catch (cause) {
    throw refuse(messageOf(cause), cause);
  }
  throw refuse('not a map of keys');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textAt(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function namesAt(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(textAt).filter((name) => name !== '') : [];
}

function labelsAt(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, label]) => [name, textAt(label)]));
}
