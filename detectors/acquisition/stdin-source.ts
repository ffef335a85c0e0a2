/** Standard input, line by line until its end. Ours; CrowdSec reads it with `-dsn file:///dev/stdin`. */
import { orAborted } from './abortable.ts';
import type { AcquisitionSource } from './acquisition-source.ts';
import type { StdinDocument } from './acquisition-document.ts';
import type { LineOutlet } from './line-outlet.ts';
import { LineSplitter, type SplitLine } from './line-splitter.ts';
import { createManagedSource } from './managed-source.ts';
import { outletOf, type SourceParts } from './source-parts.ts';
import type { SourceMeter } from './source-meter.ts';

export function createStdinSource(document: StdinDocument, parts: SourceParts): AcquisitionSource {
  return createManagedSource(
    {
      kind: 'stdin',
      name: document.name,
      async run(run) {
        run.meter.running();
        const outlet = outletOf(document, document.labels, parts, run);
        await readLines(parts.stdin, 'stdin', { outlet, meter: run.meter, signal: run.signal });
      },
    },
    parts.runtime,
  );
}

interface LineReading {
  readonly outlet: LineOutlet;
  readonly meter: SourceMeter;
  readonly signal: AbortSignal;
}

/** Delivers what a stream brings until it ends or the source is closed; the stream waits while there is no room. */
async function readLines(
  stream: NodeJS.ReadableStream,
  src: string,
  { outlet, meter, signal }: LineReading,
): Promise<void> {
  const splitter = new LineSplitter();
  const take = async (line: SplitLine): Promise<boolean> => {
    const taken = await outlet.deliver(line.text, src);
    if (taken && line.truncated) meter.truncate();
    return taken;
  };
  const chunks = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = await orAborted(chunks.next(), signal);
    if (next === null) return;
    if (next.done === true) break;
    splitter.feed(typeof next.value === 'string' ? Buffer.from(next.value) : next.value);
    for (let line = splitter.next(); line !== null; line = splitter.next()) if (!(await take(line))) return;
  }
  const last = splitter.last();
  if (last !== null) await take(last);
}
