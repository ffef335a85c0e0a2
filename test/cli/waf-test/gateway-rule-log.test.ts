import t from 'tap';
import { openGatewayRuleLog } from '../../../cli/waf-test/gateway-rule-log.ts';
import type { ControlClient } from '../../../cli/control-client.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { WafTraceModel } from '../../../gateway/waf/rule-trace.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const request = {
  id: 'r1',
  clientAddress: '127.0.0.1',
  clientPort: 4711,
  serverAddress: '127.0.0.1',
  serverPort: 80,
  method: 'GET',
  target: '/',
  protocol: 'HTTP/1.1',
  headers: [],
  startedAt: 0,
};
const match = {
  ruleId: 942100,
  place: { file: 'f', line: 1 },
  phase: 2,
  msg: 'm',
  logdata: '',
  severity: null,
  tags: [],
  ver: '',
  values: [],
  disruptive: false,
  score: 0,
} as const;
const unknown: WafTraceModel = { request: null, finished: false, matches: [] };

/** A gateway that answers in turn, and time that passes whenever somebody sleeps. */
function gateway(answers: readonly (WafTraceModel | GatewayError)[]) {
  const asked: string[] = [];
  const left = [...answers];
  const client: ControlClient = {
    socketPath: '/s',
    async ask<Answer>(method: string, path: string, input?: { readonly query?: object }): Promise<Answer> {
      asked.push([method, path, ...(input?.query === undefined ? [] : [JSON.stringify(input.query)])].join(' '));
      if (method !== 'GET') return undefined as Answer;
      const answer = left.length > 1 ? left.shift() : left[0];
      if (answer instanceof GatewayError) throw answer;
      return answer as Answer;
    },
    send: () => Promise.reject(new Error('nothing is sent')),
  };
  const clock = createManualClock();
  const sleeping = { ...clock, sleep: async (ms: number) => clock.advance(ms) };
  return { asked, open: () => openGatewayRuleLog(client, sleeping) };
}

t.test('the lines of a request are those of its port, once its rules are through', async (t) => {
  const { asked, open } = gateway([
    { request, finished: false, matches: [] },
    { request, finished: true, matches: [match] },
  ]);
  const log = await open();
  const lines = await log.linesOf({ clientPort: 4711, response: null });
  t.equal(lines.length, 1);
  t.match(lines[0], '[id "942100"] [msg "m"]');
  await log.close();
  const question = 'GET /v1/waf/trace {"port":"4711"}';
  t.strictSame(asked, ['POST /v1/waf/trace', question, question, 'DELETE /v1/waf/trace']);
});

t.test('a request that no rule has seen has no lines', async (t) => {
  const log = await gateway([unknown]).open();
  t.strictSame(await log.linesOf({ clientPort: 1, response: null }), []);
});

t.test('rules that never come to an end are a mistake, and so is a gateway that goes away', async (t) => {
  const stuck = await gateway([{ request, finished: false, matches: [] }]).open();
  await t.rejects(stuck.linesOf({ clientPort: 1, response: null }), { message: /do not come to an end/ });
  const gone = await gateway([new GatewayError('GATEWAY_ABSENT', 'gone')]).open();
  await t.rejects(gone.linesOf({ clientPort: 1, response: null }), { code: 'GATEWAY_ABSENT' });
});
