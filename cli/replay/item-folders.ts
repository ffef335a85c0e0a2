/** Which items a replay runs: those of a folder that was named, or what the gateway here would run. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readTextFile } from '../../config/read-text-file.ts';
import { GatewayError } from '../../core/errors.ts';
import { isInstalled, packageRoot } from '../../core/package-root.ts';
import type { Io } from '../io.ts';

export interface ItemFolders {
  /** For `loadItems`. */
  readonly paths: readonly string[];
  /** Where data files and MaxMind databases are looked for, in order. */
  readonly dataFolders: readonly string[];
  /** Names of scenarios that are not run. */
  readonly disabled: readonly string[];
}

const itemFolders = ['parsers', 'postoverflows', 'scenarios', 'contexts'] as const;

/**
 * A folder laid out as CrowdSec's configuration folder. Only the folders of the layout are read: its settings lie beside them.
 *
 * @throws GatewayError NOT_FOUND when it holds none of them
 */
export function foldersOf(folder: string, dataFolder: string | null): ItemFolders {
  const paths = itemFolders.map((name) => join(folder, name)).filter((path) => existsSync(path));
  if (paths.length === 0) {
    throw new GatewayError('NOT_FOUND', `${folder} holds no items`, {
      remedy: "Name a folder laid out as CrowdSec's configuration folder: parsers/<stage>/, scenarios/, data/.",
    });
  }
  return { paths, dataFolders: dataFolder === null ? [join(folder, 'data')] : [dataFolder], disabled: [] };
}

/**
 * What the settings say, or the built-in rules where there are no settings.
 *
 * @throws GatewayError SETTINGS_INVALID, SETTINGS_UNREADABLE
 */
export async function configuredFolders(configFile: string | null, io: Io): Promise<ItemFolders> {
  const rules = join(packageRoot, 'detectors', 'rules');
  // An origin is needed to serve, not to read logs.
  const origin = io.env.ORIGIN || io.env.PORTCULLIS_ORIGIN ? {} : { PORTCULLIS_ORIGIN: 'http://127.0.0.1:1' };
  const { readSettings } = await import('../../gateway/settings.ts');
  const { detection } = readSettings({
    configFile,
    env: { ...io.env, ...origin },
    cwd: io.cwd,
    installed: isInstalled,
    readFile: readTextFile,
  }).settings;
  const builtin = detection.builtin ? foldersOf(rules, join(rules, 'data')).paths : [];
  return {
    paths: [...builtin, ...detection.folders.map((folder) => resolve(io.cwd, folder))],
    dataFolders: [detection.dataFolder, join(rules, 'data')],
    disabled: detection.disable,
  };
}
