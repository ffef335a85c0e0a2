/** Portcullis as it is shipped, everything on, with the Core Rule Set blocking. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../test/support/servers/process.ts';
import { startListener } from '../peers/peer.ts';
import type { WafPeer, WafPeerContext } from './peer.ts';

const entry = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js');

/** `cpuProf`: a folder for CPU profiles, or null. */
export function portcullisPeer(cpuProf: string | null): WafPeer {
  return {
    name: 'portcullis',
    about: 'Portcullis, default detection and virtual patches, access log, loopback trusted, response bodies inspected',
    async start(t, context) {
      const dataDir = join(context.folder, 'data');
      await mkdir(dataDir, { recursive: true });
      const config = join(context.folder, 'portcullis.yaml');
      await writeFile(config, stringify(settings(context, dataDir, await freePort())));
      const profile = cpuProf === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(cpuProf)}`];
      const args = [...profile, entry, 'serve', '--config', config];
      return {
        process: await startListener(t, { ...context, command: process.execPath, args }),
        inspected: null,
      };
    },
  };
}

function settings(context: WafPeerContext, dataDir: string, adminPort: number): object {
  return {
    origin: `http://127.0.0.1:${context.originPort}`,
    listen: `127.0.0.1:${context.port}`,
    dataDir,
    client: { trustedProxies: ['127.0.0.0/8'] },
    admin: { listen: `127.0.0.1:${adminPort}` },
    accessLog: { path: context.accessLog, format: 'combined' },
    waf: wafSettings(context),
  };
}

/** What the ModSecurity peers have: blocking, response bodies inspected, a body of 100 KB inspected whole. */
function wafSettings({ coreRules, paranoia, inboundThreshold }: WafPeerContext): object {
  return {
    coreRules: { mode: 'block', folder: coreRules, paranoia, inboundThreshold },
    responseBody: { inspect: true },
    // ModSecurity has no such limit, and on a machine that others use too, a request can take longer than it should.
    budget: '1s',
  };
}
