/** The kinds of items that a hub has, in the order in which they are shown and put in place: members before collections. */

export const itemTypes = [
  'parsers',
  'postoverflows',
  'scenarios',
  'contexts',
  'appsec-configs',
  'appsec-rules',
  'collections',
] as const;

export type ItemType = (typeof itemTypes)[number];

/** Items of these types lie in a folder for each stage. */
export function hasStages(type: ItemType): boolean {
  return type === 'parsers' || type === 'postoverflows';
}

/** The type that a person meant: `scenarios`, also in the singular; null for anything else. */
export function parseItemType(word: string): ItemType | null {
  return itemTypes.find((type) => type === word || type === `${word}s`) ?? null;
}

/** An item, by what identifies it: names are unique within a type only. */
export interface ItemRef {
  readonly type: ItemType;
  readonly name: string;
}

/** `scenarios:crowdsecurity/ssh-bf`, as CrowdSec writes an item whose type must be told. */
export function refText({ type, name }: ItemRef): string {
  return `${type}:${name}`;
}
