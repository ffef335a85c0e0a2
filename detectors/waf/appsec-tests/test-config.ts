/**
 * `config.yaml` of an AppSec test: the rules it loads and the template that it runs. Other keys are ignored, as CrowdSec does.
 * Specification: CrowdSec `pkg/hubtest/hubtest_item.go` (`HubTestItemConfig`).
 */
import { parseDocument } from 'yaml';
import { GatewayError, messageOf } from '../../../core/errors.ts';

export interface AppSecTestConfig {
  /** Paths below the hub or the test, or names. */
  readonly rules: readonly string[];
  /** Relative to the test's folder. */
  readonly template: string;
  /** The template is not to match. */
  readonly expectFailure: boolean;
}

/** Larger ones are no configurations of tests. */
const largestCharacters = 262_144;

/** @throws GatewayError HUBTEST_INVALID when the file is no such configuration */
export function readAppSecTestConfig(source: string, file: string): AppSecTestConfig {
  const refuse = (reason: string): GatewayError =>
    new GatewayError('HUBTEST_INVALID', `${file}: ${reason}`, { remedy: 'Correct the configuration of the test.' });
  if (source.length > largestCharacters) throw refuse(`more than ${largestCharacters} characters`);
  const document = parseDocument(source, { schema: 'failsafe', uniqueKeys: false, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake !== undefined) throw refuse(messageOf(mistake));
  const content = document.toJS({ maxAliasCount: 100 }) as unknown;
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw refuse('not a map of keys');
  const map = content as Readonly<Record<string, unknown>>;
  const rules = Array.isArray(map['appsec-rules']) ? map['appsec-rules'] : [];
  const { nuclei_template: template, expect_failure: expected } = map;
  if (rules.length === 0) throw refuse('it names no appsec-rules');
  if (typeof template !== 'string' || template === '') throw refuse('it names no nuclei_template');
  return {
    rules: rules.filter((rule): rule is string => typeof rule === 'string' && rule !== ''),
    template,
    expectFailure: /^(?:true|yes|on|y)$/i.test(typeof expected === 'string' ? expected : ''),
  };
}
