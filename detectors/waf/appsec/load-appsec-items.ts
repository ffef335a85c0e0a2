/**
 * AppSec rules and configurations from disk: a hub checkout, the installed items of the hub, or a folder of one's own. The
 * layout is the hub's: `appsec-rules/…`, `appsec-configs/…`, and data files in `data`.
 */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { messageOf } from '../../../core/errors.ts';
import { type ItemFault, itemFault } from '../../documents/item-fault.ts';
import { type AppSecConfigDocument, readAppSecConfigs } from './config-document.ts';
import { type AppSecRuleDocument, readAppSecRules } from './rule-document.ts';

export interface AppSecItems {
  /** In the order of their files. Of two with one name the first is kept. */
  readonly rules: readonly AppSecRuleDocument[];
  readonly configs: readonly AppSecConfigDocument[];
  /** `data` folders beside the items. */
  readonly dataFolders: readonly string[];
  /** Documents that are not used, each with its place; the others are. */
  readonly faults: readonly ItemFault[];
}

type Kind = 'appsec-rules' | 'appsec-configs';

/** Files above this are no items: the hub's largest has 9 KB. */
const largestFileBytes = 1_048_576;
const mostFiles = 20_000;
/** Folders nest no deeper in any hub; a loop of links ends here. */
const deepestFolder = 8;

interface Loading {
  readonly rules: Map<string, AppSecRuleDocument>;
  readonly configs: Map<string, AppSecConfigDocument>;
  readonly dataFolders: string[];
  readonly faults: ItemFault[];
  readonly seen: Set<string>;
}

/**
 * Reads every file and folder in `paths`. A file stands in the layout, or is told by its folder's name in its own path; nothing
 * else is looked at. Nothing is thrown: what cannot be read is a fault.
 */
export function loadAppSecItems(paths: readonly string[]): AppSecItems {
  const loading: Loading = { rules: new Map(), configs: new Map(), dataFolders: [], faults: [], seen: new Set() };
  for (const path of paths) visit(path, kindIn(resolve(path)), deepestFolder, loading);
  const { rules, configs, dataFolders, faults } = loading;
  return { rules: [...rules.values()], configs: [...configs.values()], dataFolders, faults };
}

function kindIn(path: string): Kind | null {
  return path.split(sep).findLast(isKind) ?? null;
}

function visit(path: string, kind: Kind | null, depth: number, loading: Loading): void {
  try {
    if (statSync(path).isDirectory()) {
      if (depth > 0) visitFolder(path, kind, depth, loading);
      return;
    }
    if (kind === null || !/\.ya?ml$/.test(path)) return;
    const real = realpathSync.native(path);
    if (loading.seen.has(real) || loading.seen.size >= mostFiles) return;
    loading.seen.add(real);
    readItem(path, kind, loading);
  } catch (cause) {
    loading.faults.push(itemFault(path, 1, 1, '', `cannot be read: ${messageOf(cause)}`, cause));
  }
}

function visitFolder(folder: string, kind: Kind | null, depth: number, loading: Loading): void {
  for (const name of readdirSync(folder).toSorted()) {
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    if (kind !== null) visit(path, kind, depth - 1, loading);
    else if (isKind(name)) visit(path, name, depth - 1, loading);
    else if (name === 'data' && statSync(path).isDirectory()) loading.dataFolders.push(path);
  }
}

function readItem(path: string, kind: Kind, loading: Loading): void {
  const { size } = statSync(path);
  if (size > largestFileBytes) {
    const reason = `the file has ${size} bytes; an item has at most ${largestFileBytes}`;
    loading.faults.push(itemFault(path, 1, 1, basename(path), reason));
    return;
  }
  const source = readFileSync(path);
  switch (kind) {
    case 'appsec-rules': {
      const { documents, faults } = readAppSecRules(source, path);
      keep(documents, loading.rules, path, loading.faults);
      loading.faults.push(...faults);
      return;
    }
    case 'appsec-configs': {
      const { documents, faults } = readAppSecConfigs(source, path);
      keep(documents, loading.configs, path, loading.faults);
      loading.faults.push(...faults);
      return;
    }
    default:
      kind satisfies never;
  }
}

function keep<Document extends { readonly name: string; readonly file: string }>(
  documents: readonly Document[],
  known: Map<string, Document>,
  path: string,
  faults: ItemFault[],
): void {
  for (const document of documents) {
    const first = known.get(document.name);
    if (first === undefined) known.set(document.name, document);
    else faults.push(itemFault(path, 1, 1, document.name, `its name is taken by ${first.file}, which is used`));
  }
}

function isKind(name: string): name is Kind {
  return name === 'appsec-rules' || name === 'appsec-configs';
}
