import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createControlClient } from '../../cli/control-client.ts';
import { openGatewayRuleLog } from '../../cli/waf-test/gateway-rule-log.ts';
import { systemClock } from '../../core/clock.ts';
import { startBackend } from '../../detectors/waf/ftw/backend-server.ts';
import { createHttpSender } from '../../detectors/waf/ftw/http-sender.ts';
import { loadWafTests, ownOverrides } from '../../detectors/waf/ftw/load-waf-tests.ts';
import { runTest } from '../../detectors/waf/ftw/run-test.ts';
import { suiteSettings } from '../../detectors/waf/ftw/suite-program.ts';
import { startTestGateway } from '../support/gateway.ts';
import { suitePath } from '../support/suites.ts';

/** Requests that never reach rules: Node's parser or the strict front of the gateway answers them. */
const refusedBefore: ReadonlyMap<string, string> = new Map([
  ['911100-5', 'a method that Node does not know'],
  ['911100-7', 'a method that Node does not know'],
  ['920100-4', 'CONNECT is not for a reverse proxy: 405'],
  ['920100-5', 'CONNECT is not for a reverse proxy: 405, where Apache has 400'],
  ['920100-10', 'a method that Node does not know'],
  ['920100-14', 'a method that Node does not know'],
  ['920430-5', 'a request line without a version is answered 400 as HTTP/1.1, not in the way of HTTP/0.9'],
  ['920430-8', 'HTTP/4.0 is refused'],
  ['949110-4', 'a method that Node does not know'],
  // Of the tests that are not shared.
  ['920181-1', 'two framings are refused'],
  ...[23, 24, 25, 26, 39].map((number) => [`934120-${number}`, 'raw UTF-8 in the target is refused'] as const),
]);

t.test("the Core Rule Set's tests pass through a gateway, but for what it refuses before its rules", async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const backend = await startBackend('127.0.0.1', 0);
  t.teardown(() => backend.close());
  const settings = join(t.testdir(), 'suite.conf');
  writeFileSync(settings, `SecRuleEngine DetectionOnly\n${suiteSettings()}`);
  const { gateway } = await startTestGateway(t, {
    origin: `http://${backend.address}`,
    mode: 'observe',
    admin: { listen: 'off' },
    waf: {
      coreRules: { folder: crs, files: [settings] },
      virtualPatches: { mode: 'off' },
      requestBody: { bytes: '12MiB' },
      responseBody: { inspect: true },
      valueBytes: '1MiB',
      budget: '10s',
    },
  });
  const log = await openGatewayRuleLog(createControlClient(gateway.controlSocket), systemClock);
  t.teardown(() => log.close());
  const sender = createHttpSender(new URL(gateway.url), log);
  const { tests } = loadWafTests({ tests: join(crs, 'tests'), overrides: ownOverrides, ids: [] });
  const failures: string[] = [];
  let refused = 0;
  for (const one of tests) {
    const failure = await runTest(one, sender);
    if (failure === null) continue;
    if (refusedBefore.has(failure.test)) refused++;
    else failures.push(`${failure.test}: expected ${failure.expected}, found ${failure.found}`);
  }
  t.strictSame(failures, []);
  t.ok(refused >= 9, `${refused} requests are refused before the rules`);
  t.ok(tests.length >= 2_671);
});
