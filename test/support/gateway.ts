/**
 * A whole gateway in the test's own process, as `serve` starts it: real listener, real store in a folder of its own, free
 * ports, stopped with the test.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningGateway, startGateway } from '../../gateway/main.ts';

interface Teardown {
  teardown(run: () => unknown): unknown;
}

export interface TestGateway {
  readonly gateway: RunningGateway;
  readonly port: number;
  readonly folder: string;
  /** Lines of the operational log, parsed. */
  readonly log: readonly Record<string, unknown>[];
}

/** `settings` is merged over: loopback ports, a store in memory, loopback as trusted proxy, no WAF. */
export async function startTestGateway(t: Teardown, settings: Record<string, unknown>): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-'));
  const file = join(folder, 'portcullis.yaml');
  const complete = {
    listen: '127.0.0.1:0',
    admin: { listen: 'off' },
    dataDir: folder,
    store: { type: 'memory' },
    client: { trustedProxies: ['loopback'] },
    // Tests of rules ask for them: they hold bodies and refuse what other tests send as an attack.
    waf: { virtualPatches: { mode: 'off' } },
    accessLog: { format: 'json', path: join(folder, 'access.log') },
    ...settings,
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(complete));
  const log: Record<string, unknown>[] = [];
  const gateway = await startGateway({
    configFile: file,
    env: {},
    cwd: folder,
    logTo: { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) },
  });
  t.teardown(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { gateway, port: Number(new URL(gateway.url).port), folder, log };
}
