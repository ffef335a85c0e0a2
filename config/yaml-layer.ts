/**
 * YAML text → a tree that knows its places. All syntax errors and repeated keys are gathered; size, depth and the expansion
 * of aliases are bounded, so that a hostile or broken file ends in a message and not in a full memory.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import type { ConfigNode, Place, Scalar } from './config-node.ts';
import type { SettingsFault } from './settings-error.ts';

/** Characters in one file. A settings file is a few kilobytes; this is far beyond any honest one. */
export const largestFile = 1024 * 1024;
/** Values in one file, aliases expanded. */
const mostNodes = 20_000;
const deepest = 32;
/** Syntax errors beyond these are consequences of the first ones. */
const mostSyntaxErrors = 20;

export interface YamlLayer {
  /** Null for an empty document, or when nothing could be read. */
  readonly root: ConfigNode | null;
  readonly faults: readonly SettingsFault[];
  /** The line of the first syntax error: what follows it may have been misread. Infinity when there is none. */
  readonly soundUntil: number;
}

/** `source` names the file or variable in faults. */
export function readYaml(text: string, source: string): YamlLayer {
  const whole = { file: source, line: null, column: null, path: '', suggestion: null };
  if (text.length > largestFile) {
    return failed({ ...whole, message: `larger than ${largestFile} characters` });
  }
  const lines = new LineCounter();
  let document: ReturnType<typeof parseDocument>;
  try {
    // Repeated keys are looked for below: the library's own check is quadratic, and does not say where the first one is.
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      version: '1.2',
      schema: 'core',
    });
  } catch (thrown) {
    if (thrown instanceof RangeError) return failed({ ...whole, message: 'nested too deeply to be read' });
    throw thrown;
  }
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { source, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = [...document.errors, ...document.warnings].toSorted((left, right) => left.pos[0] - right.pos[0]);
  const faults = problems.slice(0, mostSyntaxErrors).map((problem): SettingsFault => {
    const { line, column } = placeAt(problem.pos[0]);
    return {
      file: source,
      line,
      column,
      path: '',
      message: syntaxMessage(problem.code, problem.message),
      suggestion: null,
    };
  });
  const reader = new TreeReader(placeAt);
  const root = document.contents === null ? null : reader.read(document.contents, null, '', 0);
  return {
    root: root?.kind === 'scalar' && root.value === null ? null : root,
    faults: [...faults, ...reader.faults],
    soundUntil: faults[0]?.line ?? Infinity,
  };
}

function failed(fault: SettingsFault): YamlLayer {
  return { root: null, faults: [fault], soundUntil: 0 };
}

function syntaxMessage(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab in the indentation: YAML is indented with spaces';
  if (code === 'MULTIPLE_DOCS') return 'a second document starts here: a settings file holds one';
  const sentence = message.split('\n', 1)[0] ?? message;
  return `not valid YAML: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}

class TreeReader {
  readonly faults: SettingsFault[] = [];
  readonly #placeAt: (offset: number) => Place;
  readonly #anchors = new Map<string, Node>();
  #nodes = 0;

  constructor(placeAt: (offset: number) => Place) {
    this.#placeAt = placeAt;
  }

  read(node: Node | null, keyPlace: Place | null, path: string, depth: number): ConfigNode {
    const place = node?.range ? this.#placeAt(node.range[0]) : (keyPlace ?? this.#placeAt(0));
    const written = { place, keyPlace: keyPlace ?? place };
    const empty: ConfigNode = { ...written, kind: 'scalar', value: null, text: '' };
    this.#nodes += 1;
    if (this.#nodes > mostNodes || depth > deepest) {
      // Said once: everything deeper is cut off by the same limit.
      const message =
        depth > deepest ? `nested more than ${deepest} levels deep` : `holds more than ${mostNodes} values`;
      if (!this.faults.some((fault) => fault.message === message)) this.#fault(place, path, message);
      return empty;
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target) return this.read(target, written.keyPlace, path, depth + 1);
      this.#fault(place, path, `*${node.source} refers to an anchor &${node.source} that is not above it`);
      return empty;
    }
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isMap(node)) return { ...written, kind: 'map', entries: this.#entries(node, path, depth) };
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        this.read(item as Node | null, null, `${path}[${index}]`, depth + 1),
      );
      return { ...written, kind: 'list', items };
    }
    if (!isScalar(node)) return empty;
    const value = node.value as Scalar;
    return {
      ...written,
      kind: 'scalar',
      value,
      text: typeof value === 'string' ? value : (node.source ?? String(value)),
    };
  }

  #entries(map: YAMLMap, path: string, depth: number): Map<string, ConfigNode> {
    const entries = new Map<string, ConfigNode>();
    for (const pair of map.items) {
      const keyNode = pair.key as Node | null;
      const keyPlace = keyNode?.range ? this.#placeAt(keyNode.range[0]) : this.#placeAt(map.range?.[0] ?? 0);
      if (!isScalar(keyNode)) {
        this.#fault(keyPlace, path, 'a key must be a plain word');
        continue;
      }
      const key = typeof keyNode.value === 'string' ? keyNode.value : (keyNode.source ?? String(keyNode.value));
      const keyPath = path === '' ? key : `${path}.${key}`;
      const earlier = entries.get(key);
      if (earlier) {
        this.#fault(keyPlace, keyPath, `set twice: the first one is on line ${earlier.keyPlace.line}`);
        continue;
      }
      entries.set(key, this.read(pair.value as Node | null, keyPlace, keyPath, depth + 1));
    }
    return entries;
  }

  #fault({ source, line, column }: Place, path: string, message: string): void {
    this.faults.push({ file: source, line, column, path, message, suggestion: null });
  }
}
