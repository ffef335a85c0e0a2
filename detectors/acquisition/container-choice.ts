/** Which containers a document means, and what labels their lines get. */
import type { DockerDocument, Labels } from './acquisition-document.ts';

export interface Container {
  readonly id: string;
  /** Without the slash that Docker puts before it. */
  readonly name: string;
  readonly labels: Labels;
}

/** Labels for the lines of a container; null: it is not meant; a text: it is, but why it cannot be read. */
export function labelsFor(container: Container, document: DockerDocument): Labels | string | null {
  if (document.useContainerLabels) {
    if (!/^(?:true|1|yes)$/i.test(container.labels['crowdsec.enable'] ?? '')) return null;
    const labels = { ...document.labels, ...ownLabels(container.labels) };
    return labels.type ? labels : `container ${container.name} is enabled and has no label crowdsec.labels.type`;
  }
  return isChosen(container, document) ? document.labels : null;
}

function isChosen({ id, name }: Container, { names, ids, namePatterns, idPatterns }: DockerDocument): boolean {
  return (
    names.includes(name) ||
    // Docker's own commands shorten identifiers to twelve digits.
    ids.some((written) => written === id || (written.length >= 12 && id.startsWith(written))) ||
    namePatterns.some((pattern) => pattern.test(name)) ||
    idPatterns.some((pattern) => pattern.test(id))
  );
}

function ownLabels(labels: Labels): Labels {
  const prefix = 'crowdsec.labels.';
  const own = Object.entries(labels).filter(([key]) => key.startsWith(prefix) && key.length > prefix.length);
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** The containers of `GET /containers/json`; what does not look like one is left out. */
export function containersOf(answer: unknown): readonly Container[] {
  if (!Array.isArray(answer)) return [];
  return answer.flatMap((each: unknown) => {
    const { Id: id, Names: names, Labels: labels } = (each ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof id !== 'string' || !/^[0-9a-f]{12,64}$/.test(id)) return [];
    const name = Array.isArray(names) && typeof names[0] === 'string' ? names[0].replace(/^\//, '') : id.slice(0, 12);
    return [{ id, name, labels: textsOf(labels) }];
  });
}

function textsOf(value: unknown): Labels {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
