/** Portcullis as it is shipped, everything on, with its Local API beside the gateway and a site behind it. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort, startProcess, temporaryFolder } from '../../test/support/servers/process.ts';
import { startWafOrigin } from '../waf/origin.ts';
import { bouncerNames, type StartContender } from './contender.ts';

const run = promisify(execFile);
const entry = join(import.meta.dirname, '..', '..', 'bin', 'portcullis.js');

export const startPortcullis: StartContender = async (t, options) => {
  const folder = await temporaryFolder(t, 'bench-lapi');
  const dataDir = join(folder, 'data');
  await mkdir(dataDir);
  const [port, sitePort, originPort] = [await freePort(), await freePort(), await startWafOrigin(t, options.loadCore)];
  const config = join(folder, 'portcullis.yaml');
  const settings = {
    origin: `http://127.0.0.1:${originPort}`,
    listen: `127.0.0.1:${sitePort}`,
    dataDir,
    admin: { listen: 'off' },
    client: { trustedProxies: ['loopback'] },
    lapi: { listen: `127.0.0.1:${port}` },
    accessLog: { path: join(folder, 'access.log') },
  };
  // JSON is YAML.
  await writeFile(config, JSON.stringify(settings));
  const profile = options.cpuProf === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.cpuProf)}`];
  const { pid } = await startProcess(t, {
    command: process.execPath,
    args: [...profile, entry, 'serve', '--config', config],
    cwd: folder,
    ready: /gateway +http/,
  });
  const cli = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [entry, ...args, '--config', config], { maxBuffer: 2 ** 26 })).stdout;
  const keys: string[] = [];
  for (const name of bouncerNames(options.bouncers)) {
    keys.push(`key-of-${name}`);
    await cli('bouncers', 'add', name, '--key', `key-of-${name}`);
  }
  const machine = { id: 'bench', password: 'password-of-bench' };
  await cli('machines', 'add', machine.id, '--password', machine.password, '--file', join(folder, 'credentials.yaml'));
  return {
    name: 'portcullis',
    about: `Portcullis, gateway and Local API in one process, embedded store, ${options.decisions} decisions`,
    port,
    pid,
    keys,
    machine,
    decisions: options.decisions,
    sitePort,
    async importDecisions(file) {
      await cli('decisions', 'import', '-i', file, '--format', 'values', '--duration', '24h');
    },
  };
};
