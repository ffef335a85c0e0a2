/**
 * The documents that a test installs, in the order in which they run. Files are read once for all tests.
 * Specification: CrowdSec `pkg/hubtest/hubtest_item.go` (`InstallHub`).
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { ItemFault } from '../documents/item-fault.ts';
import { type ParserDocument, readParserDocuments } from '../parsers/parser-document.ts';
import { readScenarioDocuments, type ScenarioSpec } from '../scenarios/scenario-document.ts';
import type { HubTestFailure } from './assertions.ts';
import { findTestItem, type ItemPlaces, type TestItem, type TestItemKind } from './find-test-item.ts';
import type { TestConfig } from './test-config.ts';

export interface InstalledItems {
  readonly parsers: readonly ParserDocument[];
  readonly postoverflows: readonly ParserDocument[];
  readonly scenarios: readonly ScenarioSpec[];
  /** Items that are not there or not valid: the test cannot be run with them. */
  readonly faults: readonly HubTestFailure[];
}

export interface TestItems {
  /** Never rejects. `file` is the configuration, for messages. */
  install(config: TestConfig, places: ItemPlaces, file: string): Promise<InstalledItems>;
}

/** What one file holds. */
interface Contents {
  readonly nodes: readonly ParserDocument[];
  readonly scenarios: readonly ScenarioSpec[];
  readonly faults: readonly HubTestFailure[];
}

const nothing: Contents = { nodes: [], scenarios: [], faults: [] };

export function createTestItems(): TestItems {
  const known = new Map<string, Promise<Contents>>();
  const contentsOf = (item: TestItem): Promise<Contents> => {
    const key = `${item.kind}\0${item.stage}\0${item.path}`;
    const found = known.get(key) ?? readContents(item);
    known.set(key, found);
    return found;
  };
  return {
    async install(config, places, file) {
      const faults: HubTestFailure[] = [];
      const gather = async (kind: TestItemKind): Promise<readonly Contents[]> => {
        const items: TestItem[] = [];
        for (const name of config[kind]) {
          try {
            items.push(await findTestItem(kind, name, places));
          } catch (thrown) {
            faults.push({ file, line: 0, assertion: '', found: null, reason: messageOf(thrown) });
          }
        }
        const contents = await Promise.all(installed(items).map(contentsOf));
        faults.push(...contents.flatMap((content) => content.faults));
        return contents;
      };
      const overrides = overridesOf(config, file);
      const parsers = [overrides, ...(await gather('parsers'))].flatMap(({ nodes }) => nodes);
      faults.unshift(...overrides.faults);
      const postoverflows = (await gather('postoverflows')).flatMap(({ nodes }) => nodes);
      const scenarios = (await gather('scenarios')).flatMap((contents) => contents.scenarios);
      return { parsers, postoverflows, scenarios, faults };
    },
  };
}

/** Sorted as upstream sorts installed files, by stage and base name, of which a second one is not installed. */
function installed(items: readonly TestItem[]): readonly TestItem[] {
  const byPlace = new Map<string, TestItem>();
  for (const item of items) {
    // NUL sorts before every character of a name.
    const place = `${item.stage}\0${basename(item.path)}`;
    if (!byPlace.has(place)) byPlace.set(place, item);
  }
  return [...byPlace].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

async function readContents({ kind, stage, path }: TestItem): Promise<Contents> {
  try {
    const source = await readFile(path);
    if (kind === 'scenarios') {
      const { documents, faults } = readScenarioDocuments(source, path);
      return { nodes: [], scenarios: documents, faults: faults.map(itemFailure) };
    }
    const { documents, faults } = readParserDocuments(source, path, stage);
    return { nodes: documents, scenarios: [], faults: faults.map(itemFailure) };
  } catch (thrown) {
    return { ...nothing, faults: [{ file: path, line: 0, assertion: '', found: null, reason: messageOf(thrown) }] };
  }
}

export function itemFailure({ file, line, reason }: ItemFault): HubTestFailure {
  return { file, line, assertion: '', found: null, reason };
}

/** The node before all others that applies `override_statics` to every line. */
function overridesOf({ overrideStatics }: TestConfig, file: string): Contents {
  if (overrideStatics.length === 0) return nothing;
  // JSON is YAML; every scalar in it is a text, as the configuration spells it.
  const source = JSON.stringify({ name: 'overrides', filter: '1==1', statics: overrideStatics });
  const { documents, faults } = readParserDocuments(source, file, 's00-raw');
  return { nodes: documents, scenarios: [], faults: faults.map(itemFailure) };
}
