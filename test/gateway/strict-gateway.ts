/** A gateway whose rules are as strict as they can be, before an origin in the same process. */
import type { Test } from 'tap';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type NodeOrigin, type NodeOriginOptions, startNodeOrigin } from '../support/servers/node-origin.ts';

export interface Opened extends TestGateway {
  readonly origin: NodeOrigin;
  readonly ask: (target: string, init?: RequestInit) => Promise<Response>;
}

export const quiet = { detection: { builtin: false } };

/** All rules block, and look at responses too. */
export function strict(folder: string, more: object = {}): object {
  const coreRules = { mode: 'block', folder, paranoia: 4 };
  return { ...quiet, waf: { coreRules, responseBody: { inspect: true }, ...more } };
}

export async function open(t: Test, settings: object, origin: NodeOriginOptions = {}): Promise<Opened> {
  const node = await startNodeOrigin(t, origin);
  const gateway = await startTestGateway(t, { waf: {}, origin: node.origin, ...settings });
  return {
    ...gateway,
    origin: node,
    ask: (target, init = {}) =>
      fetch(`http://127.0.0.1:${gateway.port}${target}`, {
        ...init,
        headers: { 'user-agent': 'Mozilla/5.0', accept: '*/*', ...init.headers },
      }),
  };
}

/** Nothing went wrong in the gateway, and it still answers. */
export async function isWell(t: Test, { ask, log }: Opened): Promise<void> {
  t.equal((await ask('/alive')).status, 200);
  t.same(
    log.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
  );
}

export const post = (type: string, body: string | Buffer): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': type },
});
