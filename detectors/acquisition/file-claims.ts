/** Which document reads a path: the same lines with the same labels, twice, would fill every bucket at twice the speed. */
import type { Log } from '../../core/log.ts';
import type { AcquisitionDocument } from './acquisition-document.ts';
import { labelsKey } from './source-parts.ts';

/** Files that are read at a time, by all documents: each costs a descriptor, and the gateway needs some for its visitors. */
const mostFiles = 4_096;

export class FileClaims {
  private readonly log: Pick<Log, 'warn'>;
  private readonly owners = new Map<string, AcquisitionDocument>();
  /** What has been warned of, pairs of documents mostly: names of files are endless, documents are not. */
  private readonly warned = new Set<string>();

  constructor(log: Pick<Log, 'warn'>) {
    this.log = log;
  }

  /** Paths that are being read. */
  get size(): number {
    return this.owners.size;
  }

  /** False: another document with the same labels reads this path, or too many are read. */
  claim(document: AcquisitionDocument, path: string): boolean {
    const key = keyOf(document, path);
    const owner = this.owners.get(key) ?? document;
    if (this.owners.size >= mostFiles && !this.owners.has(key)) {
      this.warn('', { path, most: mostFiles }, 'too many log files are read; this one and others are not');
      return false;
    }
    this.owners.set(key, owner);
    if (owner === document) return true;
    const fields = { path, source: document.name, other: owner.name };
    this.warn(`${owner.name}\n${document.name}`, fields, 'two documents name the same file; it is read once');
    return false;
  }

  /** The document no longer reads the path; another one may. */
  release(document: AcquisitionDocument, path: string): void {
    const key = keyOf(document, path);
    if (this.owners.get(key) === document) this.owners.delete(key);
  }

  private warn(about: string, fields: object, message: string): void {
    if (this.warned.has(about)) return;
    this.warned.add(about);
    this.log.warn(fields, message);
  }
}

function keyOf({ labels }: AcquisitionDocument, path: string): string {
  return `${labelsKey(labels)} ${path}`;
}
