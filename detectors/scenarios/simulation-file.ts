/**
 * `simulation.yaml`, in CrowdSec's format: `simulation: false` and a list of `exclusions`. Written whole beside the old file and
 * renamed over it. Specification: CrowdSec `pkg/csconfig/simulation.go`.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { SimulationRule } from './simulation.ts';

const mostExclusions = 10_000;
const largestFile = 4 * 1_048_576;

/** CrowdSec reads it strictly too. Lists that are empty may be left out, or be null as in its own template. */
const schema = z.strictObject({
  simulation: z.boolean().nullish(),
  exclusions: z.array(z.string().min(1).max(256)).max(mostExclusions).nullish(),
});

/**
 * A file that is not there simulates nothing.
 *
 * @throws GatewayError SETTINGS_INVALID, SETTINGS_UNREADABLE: to guess could ban whom the operator only meant to watch.
 */
export async function readSimulation(path: string): Promise<SimulationRule> {
  let text = '';
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { global: false, exceptions: [] };
    throw new GatewayError('SETTINGS_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Let the gateway read it, or remove it: then nothing is simulated.',
      cause,
    });
  }
  return parseSimulation(text, path);
}

/** @throws GatewayError SETTINGS_INVALID */
export function parseSimulation(text: string, path: string): SimulationRule {
  const fault = (message: string): GatewayError =>
    new GatewayError('SETTINGS_INVALID', `${path}: ${message}`, {
      remedy: 'It holds `simulation: true` or `false`, and under `exclusions` names of scenarios.',
    });
  if (text.length > largestFile) throw fault(`longer than ${largestFile} characters`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined)
    throw fault(`line ${lines.linePos(error.pos[0]).line}: ${error.message.split('\n', 1)[0] ?? ''}`);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    throw fault(messageOf(thrown));
  }
  const parsed = schema.safeParse(content ?? {});
  if (!parsed.success) {
    throw fault(
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '),
    );
  }
  const { simulation, exclusions } = parsed.data;
  return { global: simulation ?? false, exceptions: [...new Set(exclusions)] };
}

/** @throws the error of the file system; the old file is as it was. */
export async function writeSimulation(path: string, { global, exceptions }: SimulationRule): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(stringify({ simulation: global, exclusions: exceptions }));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw thrown;
  }
}
