/**
 * Where the gateway's admin socket is: as the command line says, else as the settings say. Only the settings that name the
 * socket are needed, so that a mistake elsewhere in the file does not lock the operator out of a running gateway.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GatewayError } from '../core/errors.ts';
import { isInstalled } from '../core/package-root.ts';
import type { Io } from './io.ts';
import { settingsHere } from './settings-here.ts';

export interface SocketRequest {
  /** The value of `--socket`. */
  readonly socket: string | undefined;
  /** The value of `--config`. */
  readonly config: string | undefined;
}

/** @throws GatewayError SETTINGS_INVALID, SETTINGS_UNREADABLE when the socket cannot be known. */
export async function findSocket({ socket, config }: SocketRequest, io: Io): Promise<string> {
  const { env, cwd } = io;
  if (socket !== undefined) return resolve(cwd, socket);
  const usual = join(isInstalled ? '/var/lib/portcullis' : resolve(cwd, 'data'), 'admin.sock');
  if (config === undefined && isUnsettled(env, cwd)) return usual;
  try {
    return (await settingsHere(config, io)).admin.socket;
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.code === 'SETTINGS_INVALID' && existsSync(usual)) return usual;
    throw thrown;
  }
}

/** Nothing was set, so the socket is where it is by default: reading the whole schema would take most of the verb's time. */
function isUnsettled(env: Io['env'], cwd: string): boolean {
  const files = ['portcullis.yaml', 'portcullis.yaml.local'];
  return (
    !Object.keys(env).some((name) => name.startsWith('PORTCULLIS_')) &&
    !files.some((file) => existsSync(join(cwd, file)))
  );
}
