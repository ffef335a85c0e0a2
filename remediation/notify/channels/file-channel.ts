/**
 * Appends to a file. Keys: CrowdSec's `file` plugin, and `log_format`: `text` as the template gives it, `json` for one
 * JSON object in each line. Rotated files are `path.1` (the newest), `path.2.gz`…
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import * as z from 'zod';
import { messageOf } from '../../../core/errors.ts';
import { channelType, DeliveryError } from './channel.ts';
import { filePath, flag, whole } from './setting-types.ts';

const settings = z.strictObject({
  log_path: filePath(),
  log_format: z.enum(['text', 'json'], { error: 'expected text or json' }).default('text'),
  rotate: z
    .strictObject(
      {
        enabled: flag().default(true),
        /** MB, as CrowdSec has it. */
        max_size: whole(1, 100_000).default(500),
        max_files: whole(0, 10_000).default(5),
        /** Days; 0 keeps them. */
        max_age: whole(0, 10_000).default(0),
        compress: flag().default(false),
      },
      { error: 'expected a map of enabled, max_size, max_files, max_age and compress' },
    )
    .optional(),
});

type Rotation = NonNullable<z.output<typeof settings>['rotate']>;

const day = 86_400_000;

export const fileChannel = channelType(
  'file',
  settings,
  ({ log_path: path, log_format: format, rotate }, { clock, name }) => {
    // One write at a time: a test of the channel may meet a delivery.
    let last: Promise<void> = Promise.resolve();
    const write = async (text: string): Promise<void> => {
      const line =
        format === 'json'
          ? `${JSON.stringify({ time: new Date(clock.now()).toISOString(), notification: name, message: text })}\n`
          : text.endsWith('\n')
            ? text
            : `${text}\n`;
      try {
        if (rotate?.enabled === true) await rotateIfFull(path, Buffer.byteLength(line), rotate, clock.now());
        const file = await open(path, 'a', 0o600);
        try {
          await file.appendFile(line);
        } finally {
          await file.close();
        }
      } catch (thrown) {
        throw new DeliveryError(
          `cannot write ${path}: ${messageOf(thrown)}`,
          'Check that its folder exists, that the user of the gateway may write there, and the space on the disk.',
        );
      }
    };
    return {
      send(text) {
        const done = last.then(() => write(text));
        last = done.catch(() => undefined);
        return done;
      },
    };
  },
);

async function rotateIfFull(path: string, adding: number, rotation: Rotation, now: number): Promise<void> {
  const size = await sizeOf(path);
  if (size === 0 || size + adding <= rotation.max_size * 1_000_000) return;
  const older = await rotatedFiles(path);
  for (const { file, number, suffix } of older.toReversed()) {
    const modified = (await stat(file)).mtimeMs;
    const isOld = rotation.max_age > 0 && now - modified > rotation.max_age * day;
    if (isOld || number >= rotation.max_files) await rm(file);
    else await rename(file, `${path}.${number + 1}${suffix}`);
  }
  if (rotation.max_files === 0) return rm(path);
  await rename(path, `${path}.1`);
  if (rotation.compress) await compress(`${path}.1`);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return 0;
    throw thrown;
  }
}

interface RotatedFile {
  readonly file: string;
  readonly number: number;
  readonly suffix: string;
}

/** By number, the newest first. */
async function rotatedFiles(path: string): Promise<readonly RotatedFile[]> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  return (await readdir(folder))
    .flatMap((entry): RotatedFile[] => {
      const match = entry.startsWith(start) ? /^([1-9][0-9]{0,5})(\.gz)?$/.exec(entry.slice(start.length)) : null;
      return match ? [{ file: join(folder, entry), number: Number(match[1]), suffix: match[2] ?? '' }] : [];
    })
    .sort((left, right) => left.number - right.number);
}

async function compress(path: string): Promise<void> {
  await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.gz`, { mode: 0o600 }));
  await rm(path);
}
