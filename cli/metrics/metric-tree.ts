/** Numbers under names, and those under names again, as cscli prints metrics in JSON. */

export type MetricTree = { readonly [name: string]: number | MetricTree };

/** A number and the names that lead to it; all paths of one tree are equally long. */
export type MetricLeaf = readonly [path: readonly string[], value: number];

/** Numbers of the same path are added up. */
export function metricTree(leaves: Iterable<MetricLeaf>): MetricTree {
  const root: Branch = new Map();
  for (const [path, value] of leaves) add(root, path, value);
  return plain(root);
}

/** A name may be anything, `__proto__` too. */
type Branch = Map<string, number | Branch>;

function add(branch: Branch, [name = '', ...rest]: readonly string[], value: number): void {
  const found = branch.get(name);
  if (rest.length === 0) {
    branch.set(name, (typeof found === 'number' ? found : 0) + value);
    return;
  }
  const below: Branch = found instanceof Map ? found : new Map();
  branch.set(name, below);
  add(below, rest, value);
}

function plain(branch: Branch): MetricTree {
  return Object.fromEntries(
    [...branch].map(([name, under]) => [name, typeof under === 'number' ? under : plain(under)]),
  );
}
