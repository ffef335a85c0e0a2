/** `data:` of a document: the lists that its expressions read. Specification: CrowdSec `pkg/types/dataset.go`. */
import type { YAMLMap } from 'yaml';
import type { DocumentReader } from './document-reader.ts';

/** One entry: a list that expressions read by its `destFile`. */
export interface DataSpec {
  readonly sourceUrl: string;
  readonly destFile: string;
  /** `string`, `regexp`, `regex`, `map`, `bots`, or "" for files that expressions do not read. */
  readonly type: string;
}

const keys: ReadonlySet<string> = new Set('source_url dest_file type cache strategy size ttl'.split(' '));
const types: ReadonlySet<string> = new Set(['', 'string', 'regexp', 'regex', 'map', 'bots']);

/**
 * The entries of `data`. `cache`, `strategy`, `size` and `ttl` say how upstream remembers the answers of a pattern list;
 * they change no answer, and lists here remember theirs anyway, so they are accepted and not used.
 */
export function readDataSpecs(reader: DocumentReader, map: YAMLMap): readonly DataSpec[] {
  return reader.maps(map, 'data', keys).map((entry) => {
    const spec = {
      sourceUrl: reader.text(entry, 'source_url'),
      destFile: reader.text(entry, 'dest_file'),
      type: reader.text(entry, 'type'),
    };
    if (spec.destFile === '') reader.fault(entry, 'a data entry needs a dest_file');
    if (!types.has(spec.type)) reader.fault(entry, `data type ${spec.type} is unknown`);
    return spec;
  });
}
