/** The settings of the folder that a verb was called in, for verbs that serve nothing and so need no origin. */
import { readTextFile } from '../config/read-text-file.ts';
import { isInstalled } from '../core/package-root.ts';
import type { Settings } from '../gateway/settings.ts';
import type { Io } from './io.ts';

/**
 * What `configFile` says, or else the usual file, the environment and the defaults.
 *
 * @throws GatewayError SETTINGS_INVALID, SETTINGS_UNREADABLE
 */
export async function settingsHere(configFile: string | undefined, { env, cwd }: Io): Promise<Settings> {
  const origin = env.ORIGIN || env.PORTCULLIS_ORIGIN ? {} : { PORTCULLIS_ORIGIN: 'http://127.0.0.1:1' };
  // Loaded only here: to read the whole schema takes most of the time of a short verb.
  const { readSettings } = await import('../gateway/settings.ts');
  const { settings } = readSettings({
    configFile: configFile ?? null,
    env: { ...env, ...origin },
    cwd,
    installed: isInstalled,
    readFile: readTextFile,
  });
  return settings;
}
