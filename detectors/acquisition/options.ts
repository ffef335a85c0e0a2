/** The settings of acquisition: which logs are read beside the gateway's own access stream. */
import * as z from 'zod';
import { bytes, count, path } from '../../core/options.ts';

export const acquisitionOptions = z
  .strictObject({
    files: z
      .array(path())
      .max(100)
      .prefault([])
      .describe(
        "CrowdSec's `acquis.yaml` files, and folders of them: which logs are read, besides those in `acquis.d` of `dataDir`.",
      ),
    queueLines: count({ min: 100, max: 1_000_000 })
      .prefault(20_000)
      .describe(
        'Lines that wait to be judged. When there are more, files wait, and what came over UDP is dropped and counted.',
      ),
    queueSize: bytes({ min: 1_048_576, max: 1_073_741_824 }).prefault('64MiB').describe('Characters of those lines.'),
  })
  .prefault({})
  .describe('Logs of other programs.');
