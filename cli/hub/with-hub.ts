/** What every verb of the hub begins with: the settings say where the hub, the items and their source are. */
import { createSystemRandom } from '../../core/random.ts';
import { createDownloader } from '../../detectors/hub/download.ts';
import { createHub, type Hub, type HubProgress } from '../../detectors/hub/hub.ts';
import { readItemType } from '../../detectors/hub/find-items.ts';
import { hubFoldersIn } from '../../detectors/hub/hub-folders.ts';
import { hubDisk } from '../../detectors/hub/hub-disk.ts';
import { readHubSource } from '../../detectors/hub/hub-source.ts';
import type { ItemType } from '../../detectors/hub/item-type.ts';
import type { LocalState } from '../../detectors/hub/local-state.ts';
import { type ChangeRequest, planChange } from '../../detectors/hub/plan.ts';
import type { Call } from '../command.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { safeText } from '../output/safe-text.ts';
import { sizeText } from '../output/sizes.ts';
import { settingsHere } from '../settings-here.ts';
import type { PlanResult } from './show-result.ts';

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
  const { dataDir, hub: options } = await settingsHere(given.text('config'), io);
  const context = { branch: options.branch, cwd: io.cwd };
  const from = given.text('from');
  const downloader = createDownloader({
    clock,
    random: createSystemRandom(),
    env: io.env,
    timeoutMs: options.timeout,
  });
  const line = createProgressLine(io.stderr, clock);
  const hub = createHub(
    {
      folders: hubFoldersIn(dataDir),
      source: readHubSource(from ?? options.source, context),
      dataMirror: options.dataSource === null ? null : readHubSource(options.dataSource, context),
    },
    { clock, disk: hubDisk, downloader },
  );
  const progress: HubProgress = (name, received, total) =>
    line.show(() => {
      const share = total === null ? sizeText(received) : `${sizeText(received)} of ${sizeText(total)}`;
      return `fetching ${safeText(name)}  ${share}`;
    });
  try {
    return await work({ hub, progress, endProgress: () => line.clear(), from: from !== undefined });
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

/** The type that `--type` names. @throws GatewayError USAGE */
export function chosenType({ given }: Call): ItemType | null {
  const named = given.text('type');
  return named === undefined ? null : readItemType(named);
}
