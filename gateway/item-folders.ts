/** Where a gateway with these settings finds items, their data files and acquisition files. Tools that need no gateway ask too. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../core/package-root.ts';
import { hubFoldersIn } from '../detectors/hub/hub-folders.ts';
import type { Settings } from './settings.ts';

export interface ItemFolders {
  /** For `loadItems`: ours, those that `portcullis hub` installed, those of the settings. */
  readonly paths: readonly string[];
  /** In the order in which data files and MaxMind databases are looked for in them. */
  readonly dataFolders: readonly string[];
}

/** The items that ship with Portcullis; their tests beside them are none. */
const builtinRules = join(packageRoot, 'detectors', 'rules');

/** `parsesLines`: our parsers are among them. They concern nothing but log lines, and reading them costs 5 MB for good. */
export function itemFoldersOf(
  { detection, dataDir }: Pick<Settings, 'detection' | 'dataDir'>,
  parsesLines = true,
): ItemFolders {
  const builtin = parsesLines ? ['parsers', 'scenarios'] : ['scenarios'];
  const installed = hubFoldersIn(dataDir).items;
  return {
    paths: [
      ...(detection.builtin ? builtin.map((name) => join(builtinRules, name)) : []),
      ...(existsSync(installed) ? [installed] : []),
      ...detection.folders,
    ],
    dataFolders: [detection.dataFolder, join(builtinRules, 'data')],
  };
}

/** The same for CrowdSec's AppSec: its rules and configurations. */
export function appSecFoldersOf(settings: Pick<Settings, 'detection' | 'dataDir'>): ItemFolders {
  const installed = hubFoldersIn(settings.dataDir).items;
  return {
    paths: [
      ...['appsec-rules', 'appsec-configs'].map((name) => join(builtinRules, name)),
      ...(existsSync(installed) ? [installed] : []),
      ...settings.detection.folders,
    ],
    dataFolders: itemFoldersOf(settings, false).dataFolders,
  };
}

/** Where `portcullis setup detect` writes acquisition files; they are read besides those that the settings name. */
export function acquisitionFolderIn(dataDir: string): string {
  return join(dataDir, 'acquis.d');
}
