/**
 * The rules as the Core Rule Set's own tests want them: what ModSecurity's recommended configuration says about bodies, the
 * set-up as it is published, paranoia level 4 with the limits that tests go beyond, the rules. Specification: the set-up of the
 * Core Rule Set's regression tests (`tests/docker-compose.yml`).
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../../core/errors.ts';
import { bodyRules } from '../core-rules/core-program.ts';
import { findCoreRules } from '../core-rules/find-core-rules.ts';
import type { RuleProgram } from '../seclang/definition.ts';
import { loadProgram } from '../seclang/load-program.ts';
import { createRuleFiles, type RuleSource } from '../seclang/rule-files.ts';

/** Arguments that are read; none of the tests sends as many. */
const argumentsLimit = 1_000;

const suiteVariables: readonly (readonly [string, number])[] = [
  ['blocking_paranoia_level', 4],
  ['detection_paranoia_level', 4],
  // The names of release 3.
  ['paranoia_level', 4],
  ['executing_paranoia_level', 4],
  ['crs_validate_utf8_encoding', 1],
  ['arg_name_length', 100],
  ['arg_length', 400],
  ['total_arg_length', 64_000],
  ['max_num_args', 255],
  ['max_file_size', 64_100],
  ['combined_file_sizes', 65_535],
];

/**
 * The rules in `folder`: a Core Rule Set, or else every `.conf` in it (or the one file) by name.
 * @throws GatewayError RULES_INVALID when there are none.
 */
export function loadSuiteProgram(folder: string): RuleProgram {
  return loadProgram(suiteSources(folder), createRuleFiles());
}

/** The same before it is read, for other engines. */
export function suiteSources(folder: string): readonly RuleSource[] {
  return [
    inline('engine', 'SecRequestBodyAccess On\nSecResponseBodyAccess On\n'),
    inline('bodies', bodyRules(argumentsLimit)),
    ...ruleSources(folder),
  ];
}

function ruleSources(folder: string): readonly RuleSource[] {
  const files = (paths: readonly string[]): readonly RuleSource[] => paths.map((path) => ({ kind: 'file', path }));
  if (!existsSync(folder)) throw noRules(folder, 'it does not exist');
  if (statSync(folder).isFile()) return files([folder]);
  const own = readdirSync(folder)
    .filter((name) => name.endsWith('.conf'))
    .toSorted();
  if (own.length > 0 && !own.some((name) => /^crs-setup|^REQUEST-9/.test(name))) {
    return files(own.map((name) => join(folder, name)));
  }
  const { setup, pluginConfigs, pluginsBefore, rules, pluginsAfter } = findCoreRules(folder);
  return [
    ...files([setup]),
    inline('suite', suiteSettings()),
    ...files([...pluginConfigs, ...pluginsBefore, ...rules, ...pluginsAfter]),
  ];
}

/** What the suite sets, as SecLang: between the set-up and the rules. A gateway reads it as one of `waf.coreRules.files`. */
export function suiteSettings(): string {
  const set = suiteVariables.map(([name, value]) => `setvar:tx.${name}=${value}`);
  return `SecAction "id:900005,phase:1,nolog,pass,t:none,${set.join(',')}"\n`;
}

function inline(name: string, text: string): RuleSource {
  return { kind: 'text', name: `portcullis: ${name}`, text, folder: '/' };
}

function noRules(folder: string, why: string): GatewayError {
  return new GatewayError('RULES_INVALID', `${folder} holds no rules: ${why}`, {
    remedy: 'Give a Core Rule Set, a folder of .conf files or one such file with --rules.',
  });
}
