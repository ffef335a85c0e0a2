/** Where the hub keeps what it has. */
import { join } from 'node:path';

/** Downloaded files, links of installed items, data files. */
export interface HubFolders {
  readonly hub: string;
  readonly items: string;
  readonly data: string;
}

/** Those of an installation with this data folder. */
export function hubFoldersIn(dataDir: string): HubFolders {
  return { hub: join(dataDir, 'hub'), items: join(dataDir, 'items'), data: join(dataDir, 'items', 'data') };
}

/** Where a change that is under way is written down. It is there after a crash, and then `recover` has something to do. */
export function journalFile(folders: HubFolders): string {
  return join(folders.hub, '.journal.json');
}
