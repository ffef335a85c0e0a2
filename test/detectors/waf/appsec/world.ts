/** An AppSec from YAML texts, and requests for it. */
import { systemClock } from '../../../../core/clock.ts';
import { type AppSec, createAppSec } from '../../../../detectors/waf/appsec/appsec.ts';
import type { AppSecAnswer } from '../../../../detectors/waf/appsec/appsec-answer.ts';
import type { AppSecDeps } from '../../../../detectors/waf/appsec/appsec-core.ts';
import type { AppSecRun } from '../../../../detectors/waf/appsec/appsec-run.ts';
import { readAppSecConfigs } from '../../../../detectors/waf/appsec/config-document.ts';
import { readAppSecRules } from '../../../../detectors/waf/appsec/rule-document.ts';
import { createTestDependencies } from '../../../../detectors/waf/appsec-tests/test-dependencies.ts';
import type { TransactionRequest } from '../../../../detectors/waf/engine/transaction-types.ts';

export interface World {
  readonly rules: string;
  readonly configs?: readonly string[];
  readonly dataFolders?: readonly string[];
  readonly deps?: Partial<AppSecDeps>;
  readonly bodyBytes?: number;
  readonly mostBodyBytes?: number;
}

export const allInBand = 'name: me/config\ninband_rules: ["*"]\n';

/** Mistakes in the documents themselves are errors of the test. */
export function createWorld({
  rules,
  configs = [allInBand],
  dataFolders = [],
  deps,
  bodyBytes,
  mostBodyBytes,
}: World): AppSec {
  const read = readAppSecRules(rules, 'rules.yaml');
  const config = configs.map((text, index) => readAppSecConfigs(text, `config-${index}.yaml`));
  const mistake = [read, ...config].flatMap(({ faults }) => faults)[0];
  if (mistake !== undefined) throw mistake.error;
  return createAppSec(
    {
      rules: read.documents,
      configs: config.flatMap(({ documents }) => documents),
      dataFolders,
      ...(bodyBytes === undefined ? {} : { bodyBytes }),
      ...(mostBodyBytes === undefined ? {} : { mostBodyBytes }),
    },
    { ...createTestDependencies(systemClock), ...deps },
  );
}

export interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly protocol?: string;
  /** Names and values in turn. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

export function requestOf({
  method,
  target = '/',
  protocol = 'HTTP/1.1',
  headers = [],
  body,
}: Asked): TransactionRequest {
  return {
    id: 'request-1',
    clientAddress: '192.0.2.7',
    clientPort: 4_711,
    serverAddress: '198.51.100.1',
    serverPort: 80,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    target,
    protocol,
    headers: ['Host', 'shop.example', ...headers],
    startedAt: 0,
  };
}

/** One request from headers to the out-of-band rules. */
export function ask(appSec: AppSec, asked: Asked): { readonly run: AppSecRun; readonly answer: AppSecAnswer } {
  const run = appSec.begin(requestOf(asked), { bouncerAddress: '198.51.100.9' });
  run.requestHeaders();
  const answer = run.requestBody(asked.body === undefined ? null : Buffer.from(asked.body, 'latin1'), true);
  run.runOutOfBand();
  return { run, answer };
}

export function isRefused(appSec: AppSec, asked: Asked): boolean {
  return !ask(appSec, asked).answer.allowed;
}
