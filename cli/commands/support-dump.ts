/** `support dump` */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { exitStatus, GatewayError, messageOf } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';
import type { DumpedFile } from '../support/gather-dump.ts';

export const supportDump: Command = {
  name: 'support dump',
  summary: 'pack what helps to help you into one archive, without secrets',
  usage: '[-f <file>]',
  examples: [
    ['portcullis support dump', 'portcullis-support-….tar.gz in this folder'],
    [
      'portcullis support dump -f /tmp/support.tar.gz',
      'look into it before you hand it on: it names sites and addresses',
    ],
  ],
  options: {
    // cscli's spelling.
    outFile: { type: 'string', short: 'f', placeholder: '<file>', help: 'where the archive goes' },
    fast: { type: 'boolean', short: 'F', help: 'as cscli has it: this one is always fast' },
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given, io, clock } = call;
  const { gatherDump } = await import('../support/gather-dump.ts');
  const { files, missing } = await gatherDump(call);
  const stamp = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const name = `portcullis-support-${stamp}`;
  const path = resolve(io.cwd, given.text('outFile') ?? `${name}.tar.gz`);
  await pack(files, name, path);
  switch (output.format) {
    case 'json':
      output.json({ file: path, files: files.map((file) => file.name), missing });
      break;
    case 'raw':
      output.line(safeText(path));
      break;
    case 'human':
      output.line(`Packed ${files.length} files into ${safeText(path)}`);
      for (const one of missing) output.line(output.paint('yellow', `  not in it: ${safeText(one)}`));
      output.line(
        output.paint(
          'dim',
          'Secrets of the settings are taken out. Look into it before you hand it on: it names sites and addresses.',
        ),
      );
      break;
    default:
      return output.format satisfies never;
  }
  return exitStatus.ok;
}

/** @throws GatewayError USAGE */
async function pack(files: readonly DumpedFile[], name: string, path: string): Promise<void> {
  const { create } = await import('tar');
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-support-'));
  try {
    for (const file of files) await writeFile(join(folder, file.name), file.text, { mode: 0o600 });
    const names = files.map((file) => file.name);
    const archive = create({ gzip: true, cwd: folder, prefix: name, portable: true }, names);
    // Only the owner may read it.
    const target = await open(path, 'w', 0o600);
    try {
      for await (const chunk of archive as AsyncIterable<Uint8Array>) await target.write(chunk);
    } finally {
      await target.close();
    }
  } catch (cause) {
    throw new GatewayError('USAGE', `${path} cannot be written: ${messageOf(cause)}`, {
      remedy: 'Name another file with --outFile.',
      cause,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
