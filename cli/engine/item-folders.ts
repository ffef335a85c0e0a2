/** Which items a verb runs: those of a folder that was named, or what the gateway here would run. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GatewayError } from '../../core/errors.ts';
import type { Call } from '../command.ts';
import type { Io } from '../io.ts';
import { settingsHere } from '../settings-here.ts';

export interface ItemFolders {
  /** For `loadItems`. */
  readonly paths: readonly string[];
  /** Where data files and MaxMind databases are looked for, in order. */
  readonly dataFolders: readonly string[];
  /** Names of scenarios that are not run. */
  readonly disabled: readonly string[];
}

const itemFolders = ['parsers', 'postoverflows', 'scenarios', 'contexts'] as const;

/** What `--items` and `--data` name, else what the settings do. */
export async function foldersFor({ io, given }: Pick<Call, 'io' | 'given'>): Promise<ItemFolders> {
  const [items, data] = [given.text('items'), given.text('data')].map((path) =>
    path === undefined ? null : resolve(io.cwd, path),
  );
  if (items !== null && items !== undefined) return foldersOf(items, data ?? null);
  const folders = await configuredFolders(given.text('config'), io);
  return data === null || data === undefined ? folders : { ...folders, dataFolders: [data, ...folders.dataFolders] };
}

/**
 * A folder laid out as CrowdSec's configuration folder. Only the folders of the layout are read: its settings lie beside them.
 *
 * @throws GatewayError NOT_FOUND when it holds none of them
 */
function foldersOf(folder: string, dataFolder: string | null): ItemFolders {
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
async function configuredFolders(configFile: string | undefined, io: Io): Promise<ItemFolders> {
  const { itemFoldersOf } = await import('../../gateway/item-folders.ts');
  const settings = await settingsHere(configFile, io);
  return { ...itemFoldersOf(settings), disabled: settings.detection.disable };
}
