/** Reads `acquis.yaml` files and folders of them (`acquis.d`), in the order given; inside a folder by name. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ItemFault } from '../documents/item-fault.ts';
import type { AcquisitionDocument } from './acquisition-document.ts';
import { acquisitionFault } from './acquisition-fault.ts';
import { type AcquisitionDocuments, type Environment, readAcquisition } from './read-acquisition.ts';

/** A file of this kind is a page long. */
const largestFile = 1_048_576;
const mostFiles = 1_000;

/** Never rejects: what cannot be read is a fault like any other. */
export async function loadAcquisition(paths: readonly string[], env: Environment): Promise<AcquisitionDocuments> {
  const documents: AcquisitionDocument[] = [];
  const faults: ItemFault[] = [];
  for (const path of paths) {
    try {
      for (const file of await filesAt(path)) {
        const read = await readOne(file, env);
        documents.push(...read.documents);
        faults.push(...read.faults);
      }
    } catch (error) {
      faults.push(acquisitionFault(path, 1, '', error));
    }
  }
  return { documents, faults };
}

async function filesAt(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).toSorted();
  if (names.length > mostFiles) throw new Error(`holds more than ${mostFiles} files`);
  return names.map((name) => join(path, name));
}

async function readOne(file: string, env: Environment): Promise<AcquisitionDocuments> {
  try {
    const stats = await stat(file);
    // A pipe would be waited for without end.
    if (!stats.isFile()) throw new Error('is not a regular file');
    if (stats.size > largestFile) throw new Error(`is larger than ${largestFile} bytes`);
    return readAcquisition(await readFile(file), file, env);
  } catch (error) {
    return { documents: [], faults: [acquisitionFault(file, 1, '', error)] };
  }
}
