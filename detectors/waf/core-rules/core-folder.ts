/** Where the Core Rule Set is kept in the data folder. */
import { join } from 'node:path';

export function coreFolderIn(dataDir: string): string {
  return join(dataDir, 'waf', 'crs');
}
