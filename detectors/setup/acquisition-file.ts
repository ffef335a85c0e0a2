/**
 * The acquisition documents that `setup detect` writes (CrowdSec's `acquis.yaml` format), one file for a service. The first
 * line says who wrote the file and has the digest of what follows: a file that was changed by hand is recognised, and left alone.
 */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';

/** One document: what is read, and the type that its lines get. */
export type AcquisitionDocument =
  | {
      readonly filenames: readonly string[];
      readonly exclude_regexps?: readonly string[];
      readonly labels: { readonly type: string };
    }
  | {
      readonly source: 'journalctl';
      readonly journalctl_filter: readonly string[];
      readonly labels: { readonly type: string };
    };

export interface AcquisitionFile {
  /** `nginx.yaml` */
  readonly name: string;
  readonly text: string;
}

const mark = '# Written by `portcullis setup detect`; sha256';
const advice =
  '# Change it as you like: once it differs, `setup detect` leaves it alone. Delete it to have it written again.\n';

export function acquisitionFile(name: string, title: string, document: AcquisitionDocument): AcquisitionFile {
  const body = `${advice}# ${title}\n${stringify(document, { lineWidth: 0 })}`;
  return { name: `${name}.yaml`, text: `${mark} ${digestOf(body)}\n${body}` };
}

export type Authorship = 'ours' | 'changed' | 'foreign';

/** Who wrote a file: this command, this command and then somebody else, or somebody else. */
export function authorshipOf(text: string): Authorship {
  const end = text.indexOf('\n');
  const first = text.slice(0, end);
  if (!first.startsWith(`${mark} `)) return 'foreign';
  return first === `${mark} ${digestOf(text.slice(end + 1))}` ? 'ours' : 'changed';
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
