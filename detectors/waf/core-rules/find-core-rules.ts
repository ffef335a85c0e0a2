/**
 * Finds the parts of a Core Rule Set in a folder: a release as it is unpacked, a bare folder of rules, or Debian's package
 * `modsecurity-crs`, which keeps the set-up in `/etc/modsecurity/crs`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { GatewayError } from '../../../core/errors.ts';

export interface CoreRuleFiles {
  readonly setup: string;
  /** Of plugins, in the order in which the Core Rule Set wants them. */
  readonly pluginConfigs: readonly string[];
  readonly pluginsBefore: readonly string[];
  /** `900-EXCLUSION-RULES-BEFORE` to `999-EXCLUSION-RULES-AFTER`, by name. */
  readonly rules: readonly string[];
  readonly pluginsAfter: readonly string[];
}

/** @throws GatewayError RULES_INVALID: the folder is not there, or holds no Core Rule Set. */
export function findCoreRules(folder: string): CoreRuleFiles {
  if (!existsSync(folder)) throw notThere(folder, 'it does not exist');
  const rulesFolder = existsSync(join(folder, 'rules')) ? join(folder, 'rules') : folder;
  const rules = confFiles(rulesFolder).filter((name) => /^RE(?:QUEST|SPONSE)-\d{3}-/.test(basename(name)));
  if (!rules.some((name) => basename(name).startsWith('REQUEST-901-'))) {
    throw notThere(folder, 'there is no REQUEST-901-INITIALIZATION.conf in it or in its folder rules');
  }
  const debianSetup = resolve(folder, '../../../etc/modsecurity/crs');
  const setup = [
    ...['crs-setup.conf', 'crs-setup.conf.example'].flatMap((name) => [join(folder, name), join(folder, '..', name)]),
    join(debianSetup, 'crs-setup.conf'),
  ].find((path) => existsSync(path));
  if (setup === undefined) throw notThere(folder, 'there is no crs-setup.conf and no crs-setup.conf.example');
  // Debian keeps the two files for exclusions beside the set-up.
  const exclusions = setup.startsWith(debianSetup)
    ? confFiles(debianSetup).filter((path) => /^RE(?:QUEST|SPONSE)-/.test(basename(path)))
    : [];
  const plugins = existsSync(join(folder, 'plugins')) ? confFiles(join(folder, 'plugins')) : [];
  const ending = (end: string): readonly string[] => plugins.filter((path) => path.endsWith(`-${end}.conf`));
  return {
    setup,
    pluginConfigs: ending('config'),
    pluginsBefore: ending('before'),
    rules: [...rules, ...exclusions].toSorted((left, right) => (ruleNumber(left) < ruleNumber(right) ? -1 : 1)),
    pluginsAfter: ending('after'),
  };
}

function confFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.conf'))
    .toSorted()
    .map((name) => join(folder, name));
}

/** `REQUEST-949-…` sorts before `RESPONSE-950-…`, and those of one number by their name. */
function ruleNumber(path: string): string {
  const name = basename(path);
  return `${/\d{3}/.exec(name)?.[0] ?? ''} ${name}`;
}

function notThere(folder: string, why: string): GatewayError {
  return new GatewayError('RULES_INVALID', `${folder} holds no Core Rule Set: ${why}`, {
    remedy: 'Install it with `portcullis waf install crs --from …`, or set `waf.coreRules.folder`.',
  });
}
