/**
 * The part of XPath that CrowdSec's path library knows and the hub uses: `/Event/System[1]/Data[@Name='Image']`, with `*`,
 * `.`, `//`, positions, `[@a]`, `[@a='v']`, `[tag]`, `[tag='v']` and `[text()='v']`.
 */
import type { XmlElement } from './xml-reader.ts';

type Filter =
  | { readonly kind: 'position'; readonly position: number }
  | { readonly kind: 'attribute' | 'child'; readonly name: string; readonly value: string | null }
  | { readonly kind: 'text'; readonly value: string };

export interface XmlStep {
  readonly tag: string;
  readonly descend: boolean;
  readonly filters: readonly Filter[];
}

const stepName = /^[^/[\]\s'"@=]+/;
const filterText = /^\[\s*(?:(-?\d{1,6})|(@?)([^\s[\]'"@=()]+)(\(\))?\s*(?:=\s*(?:'([^']*)'|"([^"]*)"))?)\s*\]/;

/** The steps of a path, or null when it is not one. */
export function parseXmlPath(path: string): readonly XmlStep[] | null {
  const steps: XmlStep[] = [];
  let rest = path;
  while (rest !== '') {
    const descend = rest.startsWith('//');
    if (descend) rest = rest.slice(2);
    else if (rest.startsWith('/')) rest = rest.slice(1);
    const tag = stepName.exec(rest)?.[0];
    if (tag === undefined) return null;
    rest = rest.slice(tag.length);
    const filters: Filter[] = [];
    for (let found = filterText.exec(rest); found !== null; found = filterText.exec(rest)) {
      const filter = filterOf(found);
      if (filter === null) return null;
      filters.push(filter);
      rest = rest.slice(found[0].length);
    }
    if (rest !== '' && !rest.startsWith('/')) return null;
    steps.push({ tag: tag.slice(tag.indexOf(':') + 1), descend, filters });
  }
  return steps.length === 0 ? null : steps;
}

function filterOf([, position, at, name = '', call, single, double]: RegExpExecArray): Filter | null {
  if (position !== undefined) return { kind: 'position', position: Number(position) };
  const value = single ?? double ?? null;
  if (call !== undefined) return name === 'text' && value !== null ? { kind: 'text', value } : null;
  return { kind: at === '@' ? 'attribute' : 'child', name: name.slice(name.indexOf(':') + 1), value };
}

/** The first element that the path leads to, from the holder of the root (`readXml`). */
export function findXml(top: XmlElement, steps: readonly XmlStep[]): XmlElement | null {
  let current: XmlElement[] = [top];
  for (const step of steps) {
    const next: XmlElement[] = [];
    for (const parent of current) next.push(...filtered(candidates(parent, step), step.filters));
    if (next.length === 0) return null;
    current = next;
  }
  return current[0] ?? null;
}

function candidates(parent: XmlElement, step: XmlStep): XmlElement[] {
  if (step.tag === '.') return [parent];
  const named = (element: XmlElement): boolean => step.tag === '*' || element.tag === step.tag;
  if (!step.descend) return parent.children.filter(named);
  const found: XmlElement[] = [];
  const stack = parent.children.toReversed();
  for (let element = stack.pop(); element !== undefined; element = stack.pop()) {
    if (named(element)) found.push(element);
    stack.push(...element.children.toReversed());
  }
  return found;
}

function filtered(elements: readonly XmlElement[], filters: readonly Filter[]): readonly XmlElement[] {
  let kept = elements;
  for (const filter of filters) kept = applied(kept, filter);
  return kept;
}

function applied(elements: readonly XmlElement[], filter: Filter): readonly XmlElement[] {
  switch (filter.kind) {
    case 'position': {
      const element = filter.position > 0 ? elements[filter.position - 1] : elements.at(filter.position);
      return element === undefined ? [] : [element];
    }
    case 'attribute':
      return elements.filter(({ attributes }) => {
        const value = attributes.get(filter.name);
        return value !== undefined && (filter.value === null || value === filter.value);
      });
    case 'child':
      return elements.filter(({ children }) =>
        children.some(({ tag, text }) => tag === filter.name && (filter.value === null || text === filter.value)),
      );
    case 'text':
      return elements.filter(({ text }) => text === filter.value);
    default:
      return filter satisfies never;
  }
}
