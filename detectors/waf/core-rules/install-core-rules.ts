/**
 * Installs a Core Rule Set from a folder, an archive or an address. The new rules are read before they take the place of the old
 * ones, in one step; a `crs-setup.conf` that is there already is the operator's and stays.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { GatewayError } from '../../../core/errors.ts';
import type { Random } from '../../../core/random.ts';
import type { Downloader } from '../../hub/download.ts';
import { isAddress } from '../../hub/hub-source.ts';
import type { RuleProgram, SecLangFault } from '../seclang/definition.ts';
import { createRuleFiles } from '../seclang/rule-files.ts';
import { loadCoreProgram } from './core-program.ts';
import { type CoreRuleFiles, findCoreRules } from './find-core-rules.ts';
import { unpackArchive } from './unpack-archive.ts';

export interface InstallRequest {
  /** A folder, a `.tar.gz`, or an `http(s)` address of one. */
  readonly from: string;
  /** The folder that is made or replaced. */
  readonly to: string;
  /** SHA-256 that the archive must have, in hexadecimal; null: any. */
  readonly sha256: string | null;
  readonly onProgress: (received: number, total: number | null) => void;
}

export interface InstalledRules {
  /** `OWASP_CRS/4.29.0`, as its rules say; "" when they do not. */
  readonly version: string;
  readonly rules: number;
  /** A set-up that was there is still in use. */
  readonly keptSetup: boolean;
  readonly faults: readonly SecLangFault[];
}

/** An archive of a release has 4 MB. */
const mostArchiveBytes = 128 * 1024 ** 2;

/** @throws GatewayError RULES_INVALID, HUB_UNREACHABLE; nothing has changed then. */
export async function installCoreRules(
  request: InstallRequest,
  deps: { readonly downloader: Downloader; readonly random: Random },
): Promise<InstalledRules> {
  const to = resolve(request.to);
  const work = `${to}.${Buffer.from(deps.random.bytes(6)).toString('hex')}`;
  await mkdir(work, { recursive: true, mode: 0o700 });
  try {
    const source = await fetchSource(request, work, deps.downloader);
    const ready = join(work, 'ready');
    const keptSetup = await copyRules(findCoreRules(source), ready, join(to, 'crs-setup.conf'));
    const program = readProgram(ready);
    await replaceFolder(ready, to, join(work, 'before'));
    return { ...summaryOf(program), keptSetup };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchSource(request: InstallRequest, work: string, downloader: Downloader): Promise<string> {
  const { from } = request;
  if (!isAddress(from)) {
    const path = resolve(from);
    const stats = await stat(path).catch(() => null);
    if (stats === null) throw new GatewayError('RULES_INVALID', `${path} is not there`);
    if (stats.isDirectory()) return path;
  }
  const archive = join(work, 'archive');
  const location = isAddress(from) ? from : resolve(from);
  const got = await downloader.download({
    location,
    to: archive,
    maxBytes: mostArchiveBytes,
    onProgress: request.onProgress,
  });
  if (request.sha256 !== null && got.kind === 'fetched' && got.sha256 !== request.sha256.toLowerCase()) {
    throw new GatewayError('RULES_INVALID', `${from} has the SHA-256 ${got.sha256}, not the one that was asked for`, {
      remedy: 'Compare the digest with the one that the release states, and fetch the archive again.',
    });
  }
  return unpackArchive(archive, join(work, 'unpacked'));
}

/** True: the set-up at `ownSetup` was taken over. */
async function copyRules(core: CoreRuleFiles, to: string, ownSetup: string): Promise<boolean> {
  await mkdir(join(to, 'rules'), { recursive: true });
  await mkdir(join(to, 'plugins'));
  const keepsSetup = existsSync(ownSetup);
  await copyFile(core.setup, join(to, 'crs-setup.conf.example'));
  await copyFile(keepsSetup ? ownSetup : core.setup, join(to, 'crs-setup.conf'));
  const folders = new Set(core.rules.map((path) => dirname(path)));
  for (const path of core.rules) await copyFile(path, join(to, 'rules', basename(path)));
  for (const folder of folders) await copyData(folder, join(to, 'rules'));
  const plugins = [...core.pluginConfigs, ...core.pluginsBefore, ...core.pluginsAfter];
  for (const path of plugins) await copyFile(path, join(to, 'plugins', basename(path)));
  for (const folder of new Set(plugins.map((path) => dirname(path)))) await copyData(folder, join(to, 'plugins'));
  return keepsSetup;
}

/** The lists that rules look things up in. */
async function copyData(folder: string, to: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.data')) await copyFile(join(folder, name), join(to, name));
  }
}

function readProgram(folder: string): RuleProgram {
  return loadCoreProgram(
    findCoreRules(folder),
    {
      paranoia: null,
      detectionParanoia: null,
      inboundThreshold: null,
      outboundThreshold: null,
      earlyBlocking: null,
      argumentsLimit: 1_000,
      files: [],
      filesAfter: [],
    },
    createRuleFiles(),
  );
}

function summaryOf({ entries, faults }: RuleProgram): Omit<InstalledRules, 'keptSetup'> {
  const rules = entries.filter((entry) => entry.kind === 'rule');
  return { version: rules.find(({ ver }) => ver !== '')?.ver ?? '', rules: rules.length, faults };
}

/** The old folder is out of the way before the new one takes its name; a failure in between puts it back. */
async function replaceFolder(ready: string, to: string, before: string): Promise<void> {
  if (!existsSync(to)) {
    await mkdir(dirname(to), { recursive: true });
    return rename(ready, to);
  }
  await rename(to, before);
  try {
    await rename(ready, to);
  } catch (thrown) {
    await rename(before, to);
    throw thrown;
  }
}
