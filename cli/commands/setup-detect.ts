/** `setup detect`: what runs on this machine, what of it Portcullis can watch, and the files that make it do so. */
import { hostname, networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { FoundService } from '../../detectors/setup/find-services.ts';
import type { PlannedFile, SetupPlan } from '../../detectors/setup/setup-plan.ts';
import type { Call, Command } from '../command.ts';
import { calledAs } from '../invocation.ts';
import type { Io } from '../io.ts';
import { Output } from '../output/output.ts';
import { absentOrigin, settingsHere } from '../settings-here.ts';
import { describeSource, type FolderReader, showPlan, showUndo } from '../setup/show-plan.ts';
import { plural } from '../show.ts';
import { hubInstall } from './hub-install.ts';

export const setupDetect: Command = {
  name: 'setup detect',
  aliases: ['setup'],
  summary: 'find services and their logs, and have them watched',
  usage: '[--dry-run | --yes] [--install]',
  examples: [
    ['portcullis setup detect', 'shows what it would do, and asks'],
    ['portcullis setup detect --dry-run', 'shows it only'],
    ['portcullis setup detect --yes --install', 'without a question, and with the collections of the hub'],
    ['portcullis setup detect --root /mnt/server --dry-run', "another machine's disk"],
  ],
  options: {
    yes: { type: 'boolean', short: 'y', help: 'do it without asking' },
    'dry-run': { type: 'boolean', help: 'only show what would be done' },
    install: { type: 'boolean', help: 'install the collections of the hub too' },
    'web-servers': { type: 'boolean', help: 'read the logs of web servers that may stand behind this gateway too' },
    root: { type: 'string', placeholder: '<folder>', help: "where the machine's disk is mounted (/)" },
    folder: { type: 'string', placeholder: '<folder>', help: 'where acquisition files go' },
    from: {
      type: 'string',
      placeholder: '<address|folder>',
      help: 'with --install: a hub other than that of the settings',
    },
  },
  positionals: { least: 0, most: 0 },
  run,
};

interface Result {
  readonly applied: boolean;
  readonly written: readonly PlannedFile[];
}

async function run(call: Call): Promise<number> {
  const { output, given } = call;
  if (given.flag('yes') && given.flag('dry-run')) {
    throw new GatewayError('USAGE', '--yes and --dry-run cannot be given together', { remedy: 'Give one of them.' });
  }
  const place = await acquisitionPlace(call);
  const plan = await makePlan(call, place.folder);
  if (output.format === 'human') showPlan(output, plan);
  const result = await decideAndApply(call, plan);
  switch (output.format) {
    case 'json':
      output.json({ ...modelOf(plan), applied: result.applied, written: result.written.map(({ path }) => path) });
      break;
    case 'raw':
      output.csv(['service', 'title', 'evidence', 'source', 'collections'], plan.services.map(rowOf));
      break;
    case 'human':
      showOutcome(output, plan, result, place);
      break;
    default:
      return output.format satisfies never;
  }
  if (!result.applied || !given.flag('install') || plan.collections.length === 0) return exitStatus.ok;
  return hubInstall.run(installCall(call, plan.collections));
}

interface Place {
  readonly folder: string;
  readonly reader: FolderReader;
}

/** Where the gateway reads acquisition files: the folder of the settings, else `acquis.d` in the data folder. */
async function acquisitionPlace({ io, given }: Call): Promise<Place> {
  const named = given.text('folder');
  const root = given.text('root');
  if (named === undefined && root !== undefined) {
    return { folder: resolve(io.cwd, root, 'var/lib/portcullis/acquis.d'), reader: 'there' };
  }
  const settings = await settingsHere(given.text('config'), io);
  const { acquisitionFolderIn } = await import('../../gateway/item-folders.ts');
  const usual = resolve(acquisitionFolderIn(settings.dataDir));
  const folders = settings.acquisition.files.filter((path) => !/\.ya?ml$/.test(path));
  const folder = named === undefined ? (folders[0] ?? usual) : resolve(io.cwd, named);
  return { folder, reader: [usual, ...folders].includes(folder) ? 'here' : 'none' };
}

async function makePlan(call: Call, folder: string): Promise<SetupPlan> {
  const { io, given } = call;
  const root = resolve(io.cwd, given.text('root') ?? '/');
  const [{ createRootFiles }, { inspectMachine }, { knownServices }, { planSetup }] = await Promise.all([
    import('../../detectors/setup/root-files.ts'),
    import('../../detectors/setup/machine.ts'),
    import('../../detectors/setup/services.ts'),
    import('../../detectors/setup/setup-plan.ts'),
  ]);
  const files = createRootFiles(root);
  if (files.names('/').length === 0) {
    throw new GatewayError('NOT_FOUND', `${root} is no folder with a machine's files`, {
      remedy: 'Give the folder where its disk is mounted.',
    });
  }
  const beforeWebServers = !given.flag('web-servers') && root === '/' && (await protectsThisMachine(call));
  return planSetup(inspectMachine(files), knownServices, folder, { beforeWebServers });
}

/** Whether an origin of the settings is on this machine. */
async function protectsThisMachine({ io, given }: Call): Promise<boolean> {
  const { origin, sites } = await settingsHere(given.text('config'), io);
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address)),
  );
  return [origin, ...sites.map((site) => site.origin)].some((url) => {
    if (url === null || url === absentOrigin) return false;
    const { hostname: host } = new URL(url);
    return (
      host === 'localhost' || host.startsWith('127.') || host === hostname() || own.has(host.replace(/^\[|\]$/g, ''))
    );
  });
}

async function decideAndApply(call: Call, plan: SetupPlan): Promise<Result> {
  const { given, io, output } = call;
  const nothing = { applied: false, written: [] };
  const changes = plan.files.filter(isChange).length;
  const installs = given.flag('install') ? plan.collections.length : 0;
  if (given.flag('dry-run') || changes + installs === 0) return nothing;
  if (!given.flag('yes')) {
    // A program that wants JSON or CSV gets the plan; it decides by --yes.
    if (output.format !== 'human') return nothing;
    const what = [
      changes === 0 ? '' : `write ${plural(changes, 'file')}`,
      installs === 0 ? '' : `install ${plural(installs, 'collection')}`,
    ];
    if (!(await agrees(io, `\nShall I ${what.filter(Boolean).join(' and ')}? [y/N] `))) return nothing;
  }
  const { applySetup } = await import('../../detectors/setup/apply-setup.ts');
  return { applied: true, written: applySetup(plan) };
}

function isChange({ action }: PlannedFile): boolean {
  return action === 'create' || action === 'update';
}

/** @throws GatewayError USAGE where there is nobody to ask. */
async function agrees({ stdin, stdout }: Io, question: string): Promise<boolean> {
  const terminal = stdin as (NodeJS.ReadableStream & { readonly isTTY?: boolean }) | undefined;
  if (terminal?.isTTY !== true) {
    throw new GatewayError('USAGE', 'nothing was written: there is no terminal to ask on', {
      remedy: 'Give --yes to do it, or --dry-run to only look.',
    });
  }
  stdout.write(question);
  const lines = createInterface({ input: terminal });
  try {
    // At the end of the input there is no answer, which is a no.
    const { value } = await lines[Symbol.asyncIterator]().next();
    return typeof value === 'string' && /^y(?:es)?$/i.test(value.trim());
  } finally {
    lines.close();
  }
}

function showOutcome(output: Output, plan: SetupPlan, { applied, written }: Result, { reader }: Place): void {
  if (!applied) {
    const why = plan.files.some(isChange) ? 'Nothing was written.' : 'There is nothing to write.';
    output.line(output.paint('dim', `\n${why}`));
    return;
  }
  output.line();
  output.line(`${output.paint('green', '✓')} ${plural(written.length, 'file')} written.`);
  showUndo(output, plan, written, reader);
}

/** `hub install` with the collections of the plan; where a program reads the plan, it speaks on standard error. */
function installCall(call: Call, collections: readonly string[]): Call {
  const { given, io, output } = call;
  return {
    ...call,
    output: output.format === 'human' ? output : new Output({ ...io, stdout: io.stderr }, 'human'),
    given: {
      positionals: collections.map((name) => `collections:${name}`),
      text: (name) => (name === 'config' || name === 'from' ? given.text(name) : undefined),
      texts: () => [],
      flag: () => false,
    },
  };
}

function modelOf(plan: SetupPlan): Record<string, unknown> {
  return {
    folder: plan.folder,
    services: plan.services.map(({ service, evidence, source, notes }) => ({
      name: service.name,
      title: service.title,
      evidence,
      source,
      notes,
      collections: service.collections,
      builtin: service.builtin,
    })),
    files: plan.files.map(({ name, path, action, services, reason, text }) => ({
      name,
      path,
      action,
      services,
      reason,
      content: text,
    })),
    collections: plan.collections,
    install_command: plan.collections.length === 0 ? null : `${calledAs} hub install ${plan.collections.join(' ')}`,
    containers: plan.contained.map(({ name }) => name),
    docker: plan.docker,
  };
}

function rowOf({ service, evidence, source }: FoundService): readonly string[] {
  const found = evidence.map(({ kind, what }) => `${kind}:${what}`).join(' ');
  return [
    service.name,
    service.title,
    found,
    source === null ? '' : describeSource(source),
    service.collections.join(' '),
  ];
}
