import t from 'tap';
import type { TransactionRequest } from '../../../detectors/waf/engine/transaction-types.ts';
import type { Layer, LayerRun } from '../../../gateway/waf/rule-layer.ts';
import { RuleTrace } from '../../../gateway/waf/rule-trace.ts';
import type { Site } from '../../../gateway/sites.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const site = {} as Site;

function requestFrom(clientPort: number): TransactionRequest {
  return {
    id: `r${clientPort}`,
    clientAddress: '127.0.0.1',
    clientPort,
    serverAddress: '127.0.0.1',
    serverPort: 80,
    method: 'GET',
    target: '/',
    protocol: 'HTTP/1.1',
    headers: [],
    startedAt: 0,
  };
}

/** A layer whose runs match one rule each. */
function layerOf(ruleId: number): Layer {
  const match = { ruleId } as LayerRun['matches'][number];
  return {
    name: 'core-rules',
    hasOutOfBand: false,
    ruleName: String,
    begin: () => ({
      requestHeaders: () => null,
      requestBodyBytes: 7,
      requestBody: () => null,
      responseHeaders: () => null,
      responseBodyBytes: 8,
      responseBody: () => null,
      finish: () => {},
      exhausted: false,
      matches: [match],
      score: 5,
      alerts: [],
      events: [],
    }),
  };
}

t.test('what every layer says about a request is kept by the port that it came from', async (t) => {
  const trace = new RuleTrace(createManualClock());
  const [one, two] = [trace.follow(layerOf(1)), trace.follow(layerOf(2))];
  one.begin(requestFrom(4), site);
  t.equal(trace.of(4), null, 'nobody has asked for it yet');
  trace.start();
  const request = requestFrom(5);
  const runs = [one.begin(request, site), two.begin(request, site)];
  t.strictSame(
    runs.map(({ requestBodyBytes, responseBodyBytes, score }) => [requestBodyBytes, responseBodyBytes, score]),
    [
      [7, 8, 5],
      [7, 8, 5],
    ],
  );
  runs[0]?.finish();
  runs[0]?.finish();
  t.equal(trace.of(5)?.finished, false, 'the other layer is not through');
  runs[1]?.finish();
  t.match(trace.of(5), { finished: true, request: { id: 'r5' }, matches: [{ ruleId: 1 }, { ruleId: 2 }] });
  one.begin({ ...requestFrom(5), id: 'later' }, site);
  t.match(trace.of(5), { finished: false, request: { id: 'later' }, matches: [{ ruleId: 1 }] });
  trace.stop();
  t.equal(trace.of(5), null);
});

t.test('old requests are forgotten, and tracing that nobody asks for ends', async (t) => {
  const clock = createManualClock();
  const trace = new RuleTrace(clock);
  const layer = trace.follow(layerOf(1));
  trace.start();
  for (let port = 1; port <= 300; port++) layer.begin(requestFrom(port), site);
  t.equal(trace.of(44), null);
  t.not(trace.of(45), null);
  t.not(trace.of(300), null);
  clock.advance(60_001);
  layer.begin(requestFrom(301), site);
  t.equal(trace.of(301), null);
  t.equal(trace.of(300), null);
});
