/**
 * The settings file, its `.local` sibling and the environment → frozen settings, or one error with every mistake in them.
 * Later layers win: defaults, `portcullis.yaml`, `portcullis.yaml.local`, variables. Nothing here knows which keys exist:
 * that is the schema's to say (`gateway/settings.ts` assembles it).
 */
import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import { messageOf } from '../core/errors.ts';
import { type ConfigNode, findNode, isNull, mergeNodes } from './config-node.ts';
import { readEnvironment } from './environment-layer.ts';
import { faultsOf, issueMessage } from './issue-faults.ts';
import { accepts, inputSchemaOf, isPath, type JsonSchema, schemaAt, settingKeys } from './setting-keys.ts';
import { formatPath, SettingsError, type SettingsFault } from './settings-error.ts';
import { readYaml } from './yaml-layer.ts';

export interface SettingsInput {
  /** Path of the settings file; `<file>.local` is read after it. */
  readonly file: string;
  /** The file was named by the operator: its absence is a mistake. */
  readonly required: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a file. Raises when it cannot be read, with the code `ENOENT` when it is absent. */
  readonly readFile: (path: string) => string;
  /** Where relative paths start; without it, the folder of `file`. */
  readonly base?: string;
  /** Other names for a variable: `{ ORIGIN: 'PORTCULLIS_ORIGIN' }`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** `PORTCULLIS_` variables that are not settings. */
  readonly reserved?: readonly string[];
}

export interface LoadedSettings<T> {
  /** Frozen, all the way down. */
  readonly settings: T;
  /** Where each key was set that is not at its default: `upstream.retries` → `portcullis.yaml:12` or a variable's name. */
  readonly sources: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/** Raises a `SettingsError` with all faults, in the order of files and lines. */
export function loadSettings<S extends z.ZodType>(schema: S, input: SettingsInput): LoadedSettings<z.output<S>> {
  const keys = inputSchemaOf(schema);
  const main = readLayer(input.file, input.required, input);
  const local = readLayer(`${input.file}.local`, false, input);
  const environment = readEnvironment(keys, { aliases: {}, reserved: [], ...input });
  const written = [main.root, local.root, environment.root].filter((root) => root !== null);
  const root = written.reduce<ConfigNode | null>((under, over) => (under ? mergeNodes(under, over) : over), null);
  const parsed = schema.safeParse(root ? plainValue(root, keys, input.base ?? dirname(input.file)) : {}, {
    error: issueMessage,
  });
  const semantic = parsed.error?.issues.flatMap((issue) => faultsOf(issue, root, keys)) ?? [];
  const sound = semantic.filter((fault) => isSound(fault, [main, local]));
  const faults = [...main.faults, ...local.faults, ...environment.faults, ...sound];
  if (!parsed.success || faults.length > 0) {
    throw new SettingsError(main.unreadable ? 'SETTINGS_UNREADABLE' : 'SETTINGS_INVALID', inOrder(faults));
  }
  return { settings: deepFreeze(parsed.data), sources: sourcesOf(root, keys), warnings: environment.warnings };
}

interface FileLayer {
  readonly file: string;
  readonly root: ConfigNode | null;
  readonly faults: readonly SettingsFault[];
  readonly soundUntil: number;
  readonly unreadable: boolean;
}

function readLayer(file: string, required: boolean, { readFile }: SettingsInput): FileLayer {
  const nothing = { file, root: null, faults: [], soundUntil: Infinity, unreadable: false };
  let text: string;
  try {
    text = readFile(file);
  } catch (thrown) {
    const absent = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    if (absent && !required) return nothing;
    const message = absent ? 'this file does not exist' : `cannot be read: ${messageOf(thrown)}`;
    const fault = { file, line: null, column: null, path: '', message, suggestion: null };
    return { ...nothing, faults: [fault], soundUntil: 0, unreadable: true };
  }
  const { root, faults, soundUntil } = readYaml(text, file);
  if (root === null || root.kind === 'map') return { file, root, faults, soundUntil, unreadable: false };
  const { line, column } = root.place;
  const fault = { file, line, column, path: '', message: 'expected keys such as `origin: …`', suggestion: null };
  return { ...nothing, faults: [...faults, fault], soundUntil: 0 };
}

/**
 * What stands after a syntax error may have been misread, and what is missing may be in the part that was: such faults would
 * send people after mistakes that are none.
 */
function isSound(fault: SettingsFault, layers: readonly FileLayer[]): boolean {
  const broken = layers.filter((layer) => layer.soundUntil !== Infinity);
  if (fault.line === null) return broken.length === 0 || fault.file?.startsWith('PORTCULLIS_') === true;
  const layer = broken.find(({ file }) => file === fault.file);
  return layer === undefined || fault.line < layer.soundUntil;
}

/** The values alone. Keys set to null are left out, so that they take their default; relative paths start from `folder`. */
function plainValue(node: ConfigNode, schema: JsonSchema | null, folder: string): unknown {
  switch (node.kind) {
    case 'scalar': {
      const isText = schema !== null && accepts(schema, 'string') && node.value !== null;
      const value = isText && !accepts(schema, typeof node.value) ? node.text : node.value;
      return schema && isPath(schema) && typeof value === 'string' && value !== '' && value !== '-'
        ? resolve(folder, value)
        : value;
    }
    case 'list':
      return node.items.map((item, index) => plainValue(item, schema && schemaAt(schema, [index]), folder));
    case 'map': {
      // Without a prototype, so that a key called __proto__ is a key like any other: an unknown one.
      const plain: Record<string, unknown> = Object.create(null);
      for (const [key, child] of node.entries) {
        if (!isNull(child)) plain[key] = plainValue(child, schema && schemaAt(schema, [key]), folder);
      }
      return plain;
    }
    default:
      return node satisfies never;
  }
}

function sourcesOf(root: ConfigNode | null, schema: JsonSchema): Map<string, string> {
  const sources = new Map<string, string>();
  for (const { path } of settingKeys(schema)) {
    const { node, found } = root ? findNode(root, path) : { node: null, found: false };
    if (!found || !node || isNull(node)) continue;
    const { source, line } = node.keyPlace;
    sources.set(formatPath(path), line === null ? source : `${source}:${line}`);
  }
  return sources;
}

/** By file as they were read, then by line and column. */
function inOrder(faults: readonly SettingsFault[]): readonly SettingsFault[] {
  const files = [...new Set(faults.map((fault) => fault.file))];
  return faults.toSorted(
    (left, right) =>
      files.indexOf(left.file) - files.indexOf(right.file) ||
      (left.line ?? 0) - (right.line ?? 0) ||
      (left.column ?? 0) - (right.column ?? 0),
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const child of Object.values(value)) deepFreeze(child);
    Object.freeze(value);
  }
  return value;
}
