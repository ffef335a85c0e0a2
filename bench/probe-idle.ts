/** `bench proxy --probe-idle`: the resident memory of a Portcullis that does nothing, empty and with every decision. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { temporaryFolder, withFreePort, type Teardown } from '../test/support/servers/process.ts';
import { portcullisPeer } from './peers/portcullis.ts';
import { residentBytes } from './process-cpu.ts';
import type { ProxyBenchOptions } from './proxy-options.ts';
import { startBenchOrigin } from './proxy-origin.ts';
import { formatNumber, formatTable } from './report.ts';

/** Time for the collector to return what loading needed. */
const settleMs = 10_000;

export async function probeIdle(t: Teardown, options: ProxyBenchOptions): Promise<void> {
  const originPort = await startBenchOrigin(t, options.loadCore);
  const found: { readonly decisions: number; readonly mebibytes: number }[] = [];
  for (const decisions of [0, options.decisions]) {
    const folder = await temporaryFolder(t, 'bench-idle');
    const accessLog = join(folder, 'access.log');
    await writeFile(accessLog, '');
    const peer = portcullisPeer({ decisions, cpuProf: null });
    const { process: gateway } = await withFreePort((port) =>
      peer.start(t, { folder, accessLog, port, originPort, core: options.proxyCore }),
    );
    await systemClock.sleep(settleMs);
    found.push({ decisions, mebibytes: residentBytes(gateway.pid) / 2 ** 20 });
    await gateway.stop();
  }
  if (options.json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else {
    const rows = found.map((one) => [formatNumber(one.decisions), formatNumber(one.mebibytes)]);
    process.stdout.write(formatTable([['decisions', 'resident MiB, idle'], ...rows]));
  }
}
