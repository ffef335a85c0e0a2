/**
 * What the rules of a running gateway said about requests of tests: the gateway traces them while it is asked to, and tells by the
 * port of the client. Route: `POST`, `GET` and `DELETE /v1/waf/trace` on the control socket.
 */
import type { Clock } from '../../core/clock.ts';
import type { RuleLog } from '../../detectors/waf/ftw/http-sender.ts';
import { logLine } from '../../detectors/waf/ftw/log-line.ts';
import type { WafTraceModel } from '../../gateway/waf/rule-trace.ts';
import type { ControlClient } from '../control-client.ts';

export interface GatewayRuleLog extends RuleLog {
  /** The gateway stops tracing. */
  close(): Promise<void>;
}

const pauseMs = 5;
/** Rules of the last phase run right after the last byte. */
const patienceMs = 5_000;

/** @throws GatewayError GATEWAY_ABSENT, or what the gateway answered. */
export async function openGatewayRuleLog(gateway: ControlClient, clock: Clock): Promise<GatewayRuleLog> {
  await gateway.ask('POST', '/v1/waf/trace');
  return {
    async linesOf({ clientPort }) {
      const giveUpAt = clock.monotonic() + patienceMs;
      for (;;) {
        const { request, finished, matches } = await gateway.ask<WafTraceModel>('GET', '/v1/waf/trace', {
          query: { port: String(clientPort) },
        });
        if (request === null) return [];
        if (finished) return matches.map((match) => logLine(match, request, false));
        if (clock.monotonic() > giveUpAt) throw new Error('the rules do not come to an end with the request');
        await clock.sleep(pauseMs);
      }
    },
    async close() {
      await gateway.ask('DELETE', '/v1/waf/trace');
    },
  };
}
