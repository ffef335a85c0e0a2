/** A hub of a few items, written by a test: each publication of an item is one more version of it. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ItemType } from '../../../detectors/hub/item-type.ts';

interface Published {
  path: string;
  stage?: string;
  version: string;
  versions: Record<string, { digest: string; deprecated: boolean }>;
  author: string;
  description: string;
  [type: string]: unknown;
}

export class SmallHub {
  readonly folder: string;
  readonly index: Record<string, Record<string, Published>> = {};

  constructor(folder: string) {
    this.folder = folder;
    this.write();
  }

  /** One more version of an item; `holds` for collections. */
  publish(type: ItemType, name: string, text: string, holds: Partial<Record<ItemType, readonly string[]>> = {}): void {
    const [author = '', file = ''] = name.split('/');
    const stage = type === 'parsers' || type === 'postoverflows' ? 's01-parse' : null;
    const path = [type, ...(stage === null ? [] : [stage]), author, `${file}.yaml`].join('/');
    const items = (this.index[type] ??= {});
    const before = items[name]?.versions ?? {};
    const version = `0.${Object.keys(before).length + 1}`;
    const digest = createHash('sha256').update(text).digest('hex');
    items[name] = {
      path,
      ...(stage === null ? {} : { stage }),
      version,
      versions: { ...before, [version]: { digest, deprecated: false } },
      author,
      description: `about ${name}`,
      ...holds,
    };
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
    this.write();
  }

  scenario(name: string, rest = ''): void {
    const version = Object.keys(this.index.scenarios?.[name]?.versions ?? {}).length + 1;
    this.publish('scenarios', name, `name: ${name}\ntype: trigger\nfilter: "${version} == 0"\n${rest}`);
  }

  collection(name: string, holds: Partial<Record<ItemType, readonly string[]>>): void {
    const version = Object.keys(this.index.collections?.[name]?.versions ?? {}).length + 1;
    const lists = Object.entries(holds).map(
      ([type, names]) => `${type}:\n${names.map((one) => `  - ${one}\n`).join('')}`,
    );
    this.publish('collections', name, `name: ${name}\n# version ${version}\n${lists.join('')}`, holds);
  }

  withdraw(type: ItemType, name: string): void {
    delete this.index[type]?.[name];
    this.write();
  }

  /** After a change of `index` by hand. */
  write(): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, '.index.json'), JSON.stringify({ scenarios: {}, ...this.index }));
  }
}
