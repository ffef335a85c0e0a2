/** A real Caddy, for what is asked of it as a front: `body` is the inside of its one site. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess, temporaryFolder, withFreePort, type ServerProcess, type Teardown } from './process.ts';

export interface Caddy {
  readonly port: number;
  readonly origin: string;
  readonly process: ServerProcess;
}

/** Without automatic HTTPS and without its admin interface. Rejects with `ProcessFailure` holding Caddy's own words. */
export function startCaddy(t: Teardown, body: string): Promise<Caddy> {
  return withFreePort(async (port) => {
    const folder = await temporaryFolder(t, 'caddy');
    const file = join(folder, 'Caddyfile');
    await writeFile(file, `{\n\tadmin off\n\tauto_https off\n}\nhttp://:${port} {\n\tbind 127.0.0.1\n${body}\n}\n`);
    const process = await startProcess(t, {
      command: 'caddy',
      args: ['run', '--adapter', 'caddyfile', '--config', file],
      cwd: folder,
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      ready: /serving initial configuration/,
    });
    return { port, origin: `http://127.0.0.1:${port}`, process };
  });
}
