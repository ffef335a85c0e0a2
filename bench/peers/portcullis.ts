/** Portcullis as it is shipped, everything on, with its own settings file and a store full of decisions. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { systemClock } from '../../core/clock.ts';
import { freePort } from '../../test/support/servers/process.ts';
import { prepareDecisions, storeFile } from '../prepare-decisions.ts';
import { startListener, type Peer, type PeerContext } from './peer.ts';

export interface PortcullisOptions {
  readonly decisions: number;
  /** Folder for CPU profiles, or null. */
  readonly cpuProf: string | null;
}

const entry = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js');
/** Reading 1.2 million decisions from the store. */
const startWithinMs = 120_000;

/** `client` is what speaks to the origin: our own client, which is the default, or undici. */
export function portcullisPeer({ decisions, cpuProf }: PortcullisOptions, client: 'http1' | 'undici' = 'http1'): Peer {
  return {
    name: client === 'http1' ? 'portcullis' : 'portcullis-undici',
    about: `Portcullis through ${client}, default detection, ${decisions} decisions loaded, access log, loopback trusted`,
    async start(t, context) {
      const dataDir = join(context.folder, 'data');
      await mkdir(dataDir, { recursive: true });
      await prepareDecisions(dataDir, decisions);
      const adminPort = await freePort();
      const config = join(context.folder, 'portcullis.yaml');
      await writeFile(config, stringify({ ...settings(context, dataDir, adminPort), upstream: { client } }));
      const profile = cpuProf === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(cpuProf)}`];
      const process_ = await startListener(t, {
        ...context,
        command: process.execPath,
        args: [...profile, entry, 'serve', '--config', config],
        readyWithinMs: startWithinMs,
      });
      const metric = (name: string): Promise<number> => readMetric(adminPort, name);
      await decisionsLoaded(() => metric('portcullis_indexed_decisions'), decisions);
      return { process: process_, inspected: () => metric('portcullis_poured_total') };
    },
  };
}

function settings({ port, originPort, accessLog }: PeerContext, dataDir: string, adminPort: number): object {
  return {
    origin: `http://127.0.0.1:${originPort}`,
    listen: `127.0.0.1:${port}`,
    dataDir,
    store: { type: 'embedded', file: storeFile(dataDir) },
    client: { trustedProxies: ['127.0.0.0/8'] },
    admin: { listen: `127.0.0.1:${adminPort}` },
    accessLog: { path: accessLog, format: 'combined' },
  };
}

async function decisionsLoaded(active: () => Promise<number>, wanted: number): Promise<void> {
  const deadline = systemClock.monotonic() + startWithinMs;
  for (let seen = await active(); seen < wanted; seen = await active()) {
    if (systemClock.monotonic() > deadline) throw new Error(`Portcullis loaded ${seen} of ${wanted} decisions`);
    await systemClock.sleep(200);
  }
}

/** The sum over all label sets of a metric; 0 while it has no sample. */
async function readMetric(adminPort: number, name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  if (!answer.ok) throw new Error(`Portcullis answered ${answer.status} to /metrics`);
  const samples = (await answer.text()).split('\n').filter((line) => /^[a-zA-Z_:]+/.exec(line)?.[0] === name);
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
