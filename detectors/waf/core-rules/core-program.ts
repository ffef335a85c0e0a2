/**
 * The Core Rule Set as the settings want it: what ModSecurity's recommended configuration says about bodies, the set-up, what
 * the settings override in it, files of the operator, the rules. The order is the one that the Core Rule Set asks for.
 */
import type { RuleProgram } from '../seclang/definition.ts';
import { loadProgram } from '../seclang/load-program.ts';
import type { RuleFiles, RuleSource } from '../seclang/rule-files.ts';
import type { CoreRuleFiles } from './find-core-rules.ts';

export interface CoreProgramOptions {
  /** 1 to 4; null, here and below: what the set-up says. */
  readonly paranoia: number | null;
  readonly detectionParanoia: number | null;
  readonly inboundThreshold: number | null;
  readonly outboundThreshold: number | null;
  readonly earlyBlocking: boolean | null;
  /** At this many arguments a request is refused: more have not been read. */
  readonly argumentsLimit: number;
  /** Files of the operator, as glob patterns. */
  readonly files: readonly string[];
  readonly filesAfter: readonly string[];
}

/** `core` null: only the operator's own files. */
export function loadCoreProgram(
  core: CoreRuleFiles | null,
  options: CoreProgramOptions,
  files: RuleFiles,
): RuleProgram {
  // A pattern may find nothing; a file that is named has to be there.
  const named = (patterns: readonly string[]): readonly RuleSource[] =>
    patterns
      .flatMap((pattern) => (/[*?[\]{}]/.test(pattern) ? files.glob(pattern) : [pattern]))
      .map((path) => ({ kind: 'file', path }));
  const all = (paths: readonly string[]): readonly RuleSource[] => paths.map((path) => ({ kind: 'file', path }));
  const sources: readonly RuleSource[] = [
    { kind: 'text', name: 'portcullis: bodies', text: bodyRules(options.argumentsLimit), folder: '/' },
    ...(core === null ? [] : all([core.setup])),
    ...(core === null
      ? []
      : [{ kind: 'text' as const, name: 'portcullis: settings', text: settingRules(options), folder: '/' }]),
    ...all(core?.pluginConfigs ?? []),
    ...all(core?.pluginsBefore ?? []),
    ...named(options.files),
    ...all(core?.rules ?? []),
    ...all(core?.pluginsAfter ?? []),
    ...named(options.filesAfter),
  ];
  return loadProgram(sources, files);
}

/**
 * Which body is read how, and what follows when it cannot be read. Ids and meanings are those of ModSecurity's recommended
 * configuration, because exclusions name them.
 */
export function bodyRules(argumentsLimit: number): string {
  return String.raw`
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\+|/)|text/)xml" \
  "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" \
  "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/[a-z0-9.-]+[+]json" \
  "id:200006,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" \
  "id:200002,phase:2,t:none,log,deny,status:400,msg:'The request body cannot be read',logdata:'%{reqbody_error_msg}',severity:2"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" \
  "id:200003,phase:2,t:none,log,deny,status:400,msg:'The multipart body can be read in more than one way',severity:2"
SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" \
  "id:200004,phase:2,t:none,log,deny,status:400,msg:'The multipart body holds what may be another boundary',severity:2"
SecRule &ARGS "@ge ${argumentsLimit}" \
  "id:200007,phase:2,t:none,log,deny,status:400,msg:'The request has more arguments than are read',severity:2"
`;
}

/** After the set-up, and before the initialisation that gives a default to what is not set. */
function settingRules(options: CoreProgramOptions): string {
  const { paranoia, inboundThreshold, outboundThreshold, earlyBlocking } = options;
  const detection = options.detectionParanoia === null ? null : Math.max(paranoia ?? 1, options.detectionParanoia);
  const variables: readonly (readonly [string, number | null])[] = [
    ['blocking_paranoia_level', paranoia],
    ['detection_paranoia_level', detection],
    // The names of release 3.
    ['paranoia_level', paranoia],
    ['executing_paranoia_level', detection],
    ['inbound_anomaly_score_threshold', inboundThreshold],
    ['outbound_anomaly_score_threshold', outboundThreshold],
    ['early_blocking', earlyBlocking === null ? null : Number(earlyBlocking)],
  ];
  const set = variables.flatMap(([name, value]) => (value === null ? [] : [`setvar:tx.${name}=${value}`]));
  return set.length === 0 ? '' : `SecAction "id:8001,phase:1,nolog,pass,t:none,${set.join(',')}"\n`;
}
