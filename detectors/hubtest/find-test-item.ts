/**
 * The file of an item that a test names: by the hub's index, else by a path below the hub, below the folder of all tests (where
 * it starts with `.tests`), or below the test itself. Specification: CrowdSec `pkg/hubtest/parser.go`, `scenario.go`,
 * `postoverflow.go`.
 */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { GatewayError } from '../../core/errors.ts';
import { type HubIndex, resolveIndexItem } from '../hub/hub-index.ts';

export type TestItemKind = 'parsers' | 'postoverflows' | 'scenarios';

export interface TestItem {
  readonly kind: TestItemKind;
  /** "" for scenarios. */
  readonly stage: string;
  readonly path: string;
}

/** Where items are looked for; all paths are absolute. */
export interface ItemPlaces {
  readonly hub: string;
  /** Null for a hub without an index: names then follow from where files lie. */
  readonly index: HubIndex | null;
  /** The folder of all tests. */
  readonly tests: string;
  /** The folder of this test. */
  readonly test: string;
}

/** @throws GatewayError HUBTEST_INVALID when there is no such item. */
export async function findTestItem(kind: TestItemKind, name: string, places: ItemPlaces): Promise<TestItem> {
  const indexed = places.index && resolveIndexItem(places.index, kind, name);
  if (indexed) return { kind, stage: indexed.stage ?? '', path: join(places.hub, indexed.path) };
  for (const path of await candidates(kind, name, places)) {
    if (await isFile(path)) return { kind, stage: kind === 'scenarios' ? '' : stageOf(kind, path), path };
  }
  throw new GatewayError('HUBTEST_INVALID', `${name} is neither in the index nor a file of the hub or of the test`, {
    remedy: `Correct the name below "${kind}" in the test's config.yaml.`,
  });
}

/** Where the file may be, the likeliest first. */
async function candidates(kind: TestItemKind, name: string, places: ItemPlaces): Promise<readonly string[]> {
  const { hub, index, tests, test } = places;
  const path = normalize(name);
  const found = [join(hub, path), join(test, path)];
  const borrowed = `.tests${sep}`;
  if (path.startsWith(borrowed)) {
    // The tests may lie elsewhere than in the hub, and not all may be there: the next best is what another test has in the
    // same place, then the hub's own item.
    found.push(join(tests, path.slice(borrowed.length)));
    const tail = path.slice(path.lastIndexOf(`${sep}${kind}${sep}`) + 1);
    for (const folder of await foldersIn(tests)) found.push(join(folder, tail));
    found.push(join(hub, tail));
  }
  if (index === null) {
    const folders = kind === 'scenarios' ? [join(hub, kind)] : await foldersIn(join(hub, kind));
    for (const folder of folders) found.push(join(folder, `${path}.yaml`), join(folder, `${path}.yml`));
  }
  return found;
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .toSorted();
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

/** `parsers/<stage>/<author>/<file>`, and without an author. */
function stageOf(kind: TestItemKind, path: string): string {
  const folders = dirname(path).split(sep);
  const at = folders.lastIndexOf(kind);
  return (at === -1 ? folders.at(-2) : folders[at + 1]) ?? '';
}
