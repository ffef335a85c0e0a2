/** A value of the settings that remembers where it was written: what YAML files and variables become before they are merged. */

/** The file and position, or the variable. Lines and columns count from 1. */
export interface Place {
  readonly source: string;
  readonly line: number | null;
  readonly column: number | null;
}

interface Written {
  readonly place: Place;
  /** Where its key stands; its own place for an entry of a list and for a variable. */
  readonly keyPlace: Place;
}

export type Scalar = string | number | boolean | null;

export type ConfigNode =
  | (Written & {
      readonly kind: 'scalar';
      readonly value: Scalar;
      /** As it was written: what a setting that is text is read from, so that `listen: 8080` is not a number there. */
      readonly text: string;
    })
  | (Written & { readonly kind: 'list'; readonly items: readonly ConfigNode[] })
  | (Written & { readonly kind: 'map'; readonly entries: ReadonlyMap<string, ConfigNode> });

/**
 * `over` laid upon `under`: maps are merged key by key, everything else is replaced. An empty section says nothing; a null
 * value stands for the default and so takes back what `under` says.
 */
export function mergeNodes(under: ConfigNode, over: ConfigNode): ConfigNode {
  if (under.kind !== 'map' || over.kind !== 'map') return isNull(over) && under.kind === 'map' ? under : over;
  const entries = new Map(under.entries);
  for (const [key, node] of over.entries) {
    const existing = entries.get(key);
    entries.set(key, existing ? mergeNodes(existing, node) : node);
  }
  return { ...under, entries };
}

export function isNull(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** The node at `path`, or the deepest one on the way there. */
export function findNode(root: ConfigNode, path: readonly PropertyKey[]): { node: ConfigNode; found: boolean } {
  let node = root;
  for (const step of path) {
    const next: ConfigNode | undefined =
      node.kind === 'map'
        ? node.entries.get(String(step))
        : node.kind === 'list' && typeof step === 'number'
          ? node.items[step]
          : undefined;
    if (!next) return { node, found: false };
    node = next;
  }
  return { node, found: true };
}
