/** The settings of the folder that a verb was called in, for verbs that serve nothing and so need no origin. */
import { readTextFile } from '../config/read-text-file.ts';
import { GatewayError } from '../core/errors.ts';
import { isInstalled } from '../core/package-root.ts';
import type { Settings } from '../gateway/settings.ts';
import type { Io } from './io.ts';

/** Stands for the origin that is not set; nothing answers there. */
export const absentOrigin = 'http://127.0.0.1:1';

/**
 * What `configFile` says, or else the usual file, the environment and the defaults.
 *
 * @throws GatewayError SETTINGS_INVALID, SETTINGS_UNREADABLE
 */
export async function settingsHere(configFile: string | undefined, { env, cwd }: Io): Promise<Settings> {
  // Loaded only here: to read the whole schema takes most of the time of a short verb.
  const { readSettings } = await import('../gateway/settings.ts');
  const read = (more: Record<string, string>): Settings =>
    readSettings({
      configFile: configFile ?? null,
      env: { ...env, ...more },
      cwd,
      installed: isInstalled,
      readFile: readTextFile,
    }).settings;
  try {
    return read({});
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    // That nothing is protected is no mistake here; all others are raised again.
    return read({ PORTCULLIS_ORIGIN: absentOrigin });
  }
}
