/** Writes what a plan says, each file whole or not at all. */
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { authorshipOf } from './acquisition-file.ts';
import type { PlannedFile, SetupPlan } from './setup-plan.ts';

/**
 * Creates and updates the files of the plan and returns them. Whatever came into being since the plan was made is kept.
 * @throws GatewayError SETUP_FAILED with the file that could not be written; those before it are there.
 */
export function applySetup(plan: SetupPlan): readonly PlannedFile[] {
  const written: PlannedFile[] = [];
  for (const file of plan.files) {
    if (file.action !== 'create' && file.action !== 'update') continue;
    try {
      mkdirSync(plan.folder, { recursive: true });
      if (mayWrite(file.path)) {
        writeWhole(file.path, file.text);
        written.push(file);
      }
    } catch (cause) {
      throw new GatewayError('SETUP_FAILED', `${file.path} cannot be written: ${messageOf(cause)}`, {
        remedy: 'Run this as a user who may write there, or name another folder with --folder.',
        cause,
      });
    }
  }
  return written;
}

function mayWrite(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status === undefined || (status.isFile() && authorshipOf(readFileSync(path, 'utf8')) === 'ours');
}

function writeWhole(path: string, text: string): void {
  const beside = join(dirname(path), `.${basename(path)}.tmp`);
  try {
    rmSync(beside, { force: true });
    writeFileSync(beside, text, { flag: 'wx', mode: 0o644, flush: true });
    renameSync(beside, path);
  } finally {
    rmSync(beside, { force: true });
  }
}
