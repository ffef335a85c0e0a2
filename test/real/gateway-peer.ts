/** A whole gateway as a Local API: bouncers and machines are added with its own command line, over its admin socket. */
import { request } from 'node:http';
import { run } from '../cli/run.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import type { ScenePeer } from './scenes.ts';

export interface GatewayPeer extends ScenePeer {
  /** `portcullis …`; answers its standard output, and rejects with what it said when it fails. */
  cli(...line: readonly string[]): Promise<string>;
  /** The status that a visitor from `address` gets. */
  visit(address: string, path?: string): Promise<number>;
  /** Lines of its log, parsed. */
  readonly log: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

/** `settings` is merged over: an origin that answers 200, the Local API on a free port. */
export async function startGatewayPeer(
  t: { teardown(run: () => unknown): unknown },
  settings: Readonly<Record<string, unknown>> = {},
): Promise<GatewayPeer> {
  const origin = await startNodeOrigin(t);
  const { gateway, port, log } = await startTestGateway(t, {
    origin: origin.origin,
    lapi: { listen: '127.0.0.1:0' },
    ...settings,
  });
  const cli = async (...line: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run([...line, '--socket', gateway.controlSocket]);
    if (status !== 0) throw new Error(`portcullis ${line.join(' ')} ended with ${status}: ${stderr}`);
    return stdout;
  };
  const url = gateway.facts.lapiUrls[0] ?? '';
  return {
    url,
    cli,
    log,
    visit: (address, path = '/') => visit(port, address, path),
    stop: () => gateway.stop(),
    addBouncer: (name) => cli('bouncers', 'add', name, '-o', 'raw'),
    async addMachine(machineId) {
      const password = `password-of-${machineId}`;
      await cli('machines', 'add', machineId, '--password', password);
      return { url, machineId, password };
    },
  };
}

/** The loopback is a trusted proxy of the gateway, so it believes what it is told of the visitor. */
function visit(port: number, address: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'X-Forwarded-For': address, 'User-Agent': 'visitor/1.0' };
    const asking = request({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', reject);
    });
    asking.once('error', reject);
    asking.end();
  });
}
