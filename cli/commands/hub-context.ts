/** What every verb of the hub begins with: the settings say where the hub, the items and their source are. */
import { readTextFile } from '../../config/read-text-file.ts';
import { isInstalled } from '../../core/package-root.ts';
import { createSystemRandom } from '../../core/random.ts';
import { createDownloader } from '../../detectors/hub/download.ts';
import { createHub, type Hub, type HubProgress } from '../../detectors/hub/hub.ts';
import { hubFoldersIn } from '../../detectors/hub/hub-folders.ts';
import { hubDisk } from '../../detectors/hub/hub-disk.ts';
import { readHubSource } from '../../detectors/hub/hub-source.ts';
import type { LocalState } from '../../detectors/hub/local-state.ts';
import { type ChangeRequest, planChange } from '../../detectors/hub/plan.ts';
import type { HubOptions } from '../../detectors/hub/options.ts';
import { readSettings } from '../../gateway/settings.ts';
import type { Call } from '../command.ts';
import type { PlanResult } from './hub-show.ts';
import { createProgressLine, type ProgressLine } from './hub-progress.ts';

export interface OpenHub {
  readonly hub: Hub;
  /** Writes the line of progress, on a terminal. */
  readonly progress: HubProgress;
  /** Takes that line away, before anything else is written. */
  readonly endProgress: () => void;
  /** True when `--from` names another hub than that of the stored index. */
  readonly from: boolean;
}

/** Runs `work` with a hub, and lets go of what it held. */
export async function withHub(call: Call, work: (open: OpenHub) => Promise<number>): Promise<number> {
  const { clock, io, given } = call;
  const { dataDir, options } = hubSettings(call);
  const context = { branch: options.branch, cwd: io.cwd };
  const from = given.text('from');
  const downloader = createDownloader({
    clock,
    random: createSystemRandom(),
    env: io.env,
    timeoutMs: options.timeout,
  });
  const line: ProgressLine = createProgressLine(io.stderr, clock);
  const hub = createHub(
    {
      folders: hubFoldersIn(dataDir),
      source: readHubSource(from ?? options.source, context),
      dataMirror: options.dataSource === null ? null : readHubSource(options.dataSource, context),
    },
    { clock, disk: hubDisk, downloader },
  );
  try {
    return await work({ hub, progress: line.show, endProgress: () => line.clear(), from: from !== undefined });
  } finally {
    line.clear();
    await downloader.close();
  }
}

/** The state to look at: of the hub that `--from` names, else of the stored index, which is fetched when there is none. */
export async function currentState({ hub, from, progress }: OpenHub): Promise<LocalState> {
  if (from) return hub.state('source');
  if (!(await hub.hasIndex())) await hub.update(progress);
  return hub.state('stored');
}

/** What is installed, which can be told without an index. */
export async function installedState(open: OpenHub): Promise<LocalState> {
  return open.from || (await open.hub.hasIndex()) ? currentState(open) : open.hub.state('none');
}

/** The state before a change: the index of the hub that `--from` names is kept, since items come from where it came from. */
export async function stateToChange({ hub, from, progress }: OpenHub): Promise<LocalState> {
  if (from || !(await hub.hasIndex())) await hub.update(progress);
  return hub.state('stored');
}

/** Makes the change, or only works out what it would be. */
export async function changeItems(
  { hub, progress, endProgress }: OpenHub,
  state: LocalState,
  request: ChangeRequest,
  dryRun: boolean,
): Promise<PlanResult> {
  if (dryRun) return { plan: planChange(state, request), data: [], dryRun };
  const applied = await hub.apply(request, progress);
  endProgress();
  return { ...applied, dryRun };
}

/** An origin is needed to serve, not to fetch items. */
function hubSettings({ io, given }: Call): { readonly dataDir: string; readonly options: HubOptions } {
  const { env } = io;
  const origin = env.ORIGIN || env.PORTCULLIS_ORIGIN ? {} : { PORTCULLIS_ORIGIN: 'http://127.0.0.1:1' };
  const { settings } = readSettings({
    configFile: given.text('config') ?? null,
    env: { ...env, ...origin },
    cwd: io.cwd,
    installed: isInstalled,
    readFile: readTextFile,
  });
  return { dataDir: settings.dataDir, options: settings.hub };
}
