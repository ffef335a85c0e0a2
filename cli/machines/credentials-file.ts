/** `local_api_credentials.yaml`: what an agent logs in with, in CrowdSec's format. */
import { open, rename, rm } from 'node:fs/promises';
import { stringify } from 'yaml';
import { GatewayError, messageOf } from '../../core/errors.ts';

export interface Credentials {
  readonly url: string;
  readonly login: string;
  readonly password: string;
}

export function credentialsYaml({ url, login, password }: Credentials): string {
  return stringify({ url, login, password });
}

/**
 * Only its owner may read it. A file that is there is replaced only with `force`.
 * @throws GatewayError USAGE
 */
export async function writeCredentials(path: string, credentials: Credentials, force: boolean): Promise<void> {
  const written = force ? `${path}.new` : path;
  try {
    if (force) await rm(written, { force: true });
    const file = await open(written, 'wx', 0o600);
    try {
      await file.writeFile(credentialsYaml(credentials));
      await file.datasync();
    } finally {
      await file.close();
    }
    if (force) await rename(written, path);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new GatewayError(
      'USAGE',
      exists ? `${path} exists already` : `${path} cannot be written: ${messageOf(cause)}`,
      {
        remedy: exists
          ? 'Replace it with --force, name another with --file, or see it here with --file -.'
          : 'Name another file with --file.',
        cause,
      },
    );
  }
}
