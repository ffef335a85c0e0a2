/**
 * Environment variables as a layer above the files. Each key has one name, `PORTCULLIS_` and its path in capitals; a secret
 * also has a `…_FILE` variant that names a file to read it from. An empty variable counts as not set, because compose files
 * pass those on. Unknown `PORTCULLIS_` names are mistakes.
 */
import { messageOf } from '../core/errors.ts';
import { closest } from './closest.ts';
import type { ConfigNode, Place } from './config-node.ts';
import { accepts, isSecret, type JsonSchema, type SettingKey, settingKeys } from './setting-keys.ts';
import { formatPath, type SettingsFault } from './settings-error.ts';
import { readYaml } from './yaml-layer.ts';

export interface EnvironmentInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Other names for a variable: `{ ORIGIN: 'PORTCULLIS_ORIGIN' }`. */
  readonly aliases: Readonly<Record<string, string>>;
  /** `PORTCULLIS_` names that are not settings. */
  readonly reserved: readonly string[];
  /** The text of a file; raises when it cannot be read. */
  readonly readFile: (path: string) => string;
}

export interface EnvironmentLayer {
  readonly root: ConfigNode | null;
  readonly faults: readonly SettingsFault[];
  readonly warnings: readonly string[];
}

/** Kubernetes and Docker links announce a service called portcullis with variables of these shapes. */
const serviceLink =
  /^PORTCULLIS_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP)(?:_(?:ADDR|PORT|PROTO))?)?)$/;

export function readEnvironment(schema: JsonSchema, input: EnvironmentInput): EnvironmentLayer {
  const keys = new Map(settingKeys(schema).map((key) => [key.variable, key]));
  const faults: SettingsFault[] = [];
  const warnings: string[] = [];
  const found = new Map<SettingKey, { name: string; text: string }>();
  const fault = (name: string, path: string, message: string, suggestion: string | null = null): void => {
    faults.push({ file: name, line: null, column: null, path, message, suggestion });
  };
  for (const name of Object.keys(input.env).toSorted()) {
    const text = input.env[name];
    const canonical = input.aliases[name] ?? name;
    if (text === undefined || text === '' || !canonical.startsWith('PORTCULLIS_') || input.reserved.includes(name))
      continue;
    const fromFile = !keys.has(canonical) && canonical.endsWith('_FILE');
    const key = keys.get(fromFile ? canonical.slice(0, -'_FILE'.length) : canonical);
    if (!key) {
      if (!serviceLink.test(name)) fault(name, '', 'unknown variable', closest(name, keys.keys()));
      continue;
    }
    const path = formatPath(key.path);
    if (fromFile && !isSecret(key.schema)) {
      fault(name, path, 'only secrets can be read from a file', key.variable);
      continue;
    }
    const earlier = found.get(key);
    if (earlier) {
      const kept = name in input.aliases ? earlier.name : name;
      warnings.push(`${earlier.name} and ${name} both set ${path}: ${kept} is used`);
      if (kept === earlier.name) continue;
    }
    try {
      found.set(key, { name, text: fromFile ? input.readFile(text).replace(/\r?\n$/, '') : text });
    } catch (thrown) {
      fault(name, path, `cannot read ${text}: ${messageOf(thrown)}`);
    }
  }
  const root = new Map<string, ConfigNode>();
  for (const [key, { name, text }] of found) {
    const value = readVariable(key.schema, text, name);
    faults.push(...value.faults.map((each) => ({ ...each, line: null, column: null, path: formatPath(key.path) })));
    if (value.root) insert(root, key.path, value.root);
  }
  const place = placeOf('the environment');
  return { root: { kind: 'map', entries: root, place, keyPlace: place }, faults, warnings };
}

/** Text is taken as it stands, a list may be separated by commas, everything else is a line of YAML. */
function readVariable(schema: JsonSchema, text: string, name: string): Pick<EnvironmentLayer, 'root' | 'faults'> {
  const place = placeOf(name);
  const scalar = (value: string): ConfigNode => ({ kind: 'scalar', value, text: value, place, keyPlace: place });
  if (accepts(schema, 'array') && !text.trimStart().startsWith('[')) {
    const parts = text.split(',').map((part) => part.trim());
    return {
      root: { kind: 'list', items: parts.filter((part) => part !== '').map(scalar), place, keyPlace: place },
      faults: [],
    };
  }
  const structured = accepts(schema, 'array') || accepts(schema, 'object');
  const plain = accepts(schema, 'boolean') || accepts(schema, 'number');
  if (!structured && !plain) return { root: scalar(text), faults: [] };
  const { root, faults } = readYaml(text, name);
  return { root: root && faults.length === 0 ? placedAt(root, place) : null, faults };
}

function placeOf(source: string): Place {
  return { source, line: null, column: null };
}

/** A line and a column within a variable would only puzzle. */
function placedAt(node: ConfigNode, place: Place): ConfigNode {
  const written = { place, keyPlace: place };
  if (node.kind === 'scalar') return { ...node, ...written };
  if (node.kind === 'list') return { ...node, ...written, items: node.items.map((item) => placedAt(item, place)) };
  const entries = new Map(Array.from(node.entries, ([key, child]) => [key, placedAt(child, place)] as const));
  return { ...node, ...written, entries };
}

function insert(root: Map<string, ConfigNode>, path: readonly string[], value: ConfigNode): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    root.set(name, value);
    return;
  }
  const section = root.get(name);
  const entries = new Map(section?.kind === 'map' ? section.entries : []);
  insert(entries, rest, value);
  const place = placeOf('the environment');
  root.set(name, { kind: 'map', entries, place, keyPlace: place });
}
