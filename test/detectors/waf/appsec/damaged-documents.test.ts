/**
 * Rules and configurations that were good once: pieces of them are lost, repeated, moved or replaced. Whatever can still be read is
 * compiled and asked about a request, and nothing raises.
 */
import * as fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../../../core/clock.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { createAppSec } from '../../../../detectors/waf/appsec/appsec.ts';
import { readAppSecConfigs } from '../../../../detectors/waf/appsec/config-document.ts';
import { readAppSecRules } from '../../../../detectors/waf/appsec/rule-document.ts';
import { createTestDependencies } from '../../../../detectors/waf/appsec-tests/test-dependencies.ts';
import { ask } from './world.ts';

const rules = `name: me/rule
description: "what it does"
rules:
  - and:
      - zones: [URI, ARGS, ARGS_NAMES]
        variables: [a, /b.*/]
        transform: [lowercase, urldecode, b64decode]
        match: {type: regex, value: "(?:a+)+b"}
      - or:
          - zones: [BODY_ARGS]
            match: {type: libinjectionSQL}
          - zones: [HEADERS]
            variables: [X-Test]
            match: {type: gte, value: 12}
  - zones: [RAW_BODY, METHOD]
    match: {type: contains, value: "x", not: true}
seclang_rules:
  - SecAction "id:1,phase:1,pass,setvar:tx.a=+1"
  - SecRule ARGS "@rx x" "id:2,phase:2,deny,capture,logdata:'%{TX.0}',t:lowercase,chain"
  - SecRule ARGS "@pm a b" "t:none"
labels: {type: exploit, classification: [cve.X]}
`;

const config = `name: me/config
inband_rules: ["*"]
outofband_rules: [me/*]
default_remediation: captcha
blocked_http_code: 418
inband_options: {disable_body_inspection: false, request_body_in_memory_limit: 1000}
variables_tracking: ['TX\\..*', ARGS]
on_load:
  - apply: [RemoveInBandRuleByID(1)]
pre_eval:
  - {filter: IsInBand == true && req.Method == "POST", apply: SetRemediation("captcha"), on_success: break}
on_match:
  - {filter: 'any(evt.Appsec.MatchedRules, {#.name == "me/rule"})', apply: [SetReturnCode(413), CancelEvent()]}
`;

const fragments = [
  '',
  ' ',
  '\n',
  '  ',
  '- ',
  ':',
  ': ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '\\',
  '\0',
  '&a ',
  '*a',
  '<<: ',
  '!!binary ',
  '|\n',
  '\t',
  '~',
  '99999999999999999999',
  '-1',
  'true',
  '%{',
  '@rx (',
  '/',
  '\xff',
  '€',
  'chain',
  'and:',
  'or:',
  'zones:',
  'a'.repeat(300),
]; // prettier-ignore

interface Damage {
  readonly at: number;
  readonly length: number;
  readonly instead: string;
  readonly copyFrom: number | null;
}

const damages = fc.array(
  fc.record<Damage>({
    at: fc.nat(1_200),
    length: fc.oneof(fc.nat(3), fc.nat(60)),
    instead: fc.constantFrom(...fragments),
    copyFrom: fc.option(fc.nat(1_200)),
  }),
  { minLength: 1, maxLength: 5 },
);

function damaged(text: string, all: readonly Damage[]): string {
  let result = text;
  for (const { at, length, instead, copyFrom } of all) {
    const place = at % (result.length + 1);
    const piece = copyFrom === null ? instead : result.slice(copyFrom, copyFrom + 40);
    result = result.slice(0, place) + piece + result.slice(place + length);
  }
  return result;
}

t.test('damaged documents are faults, or rules that can be asked', async (t) => {
  const counts = { rules: 0, configs: 0, refused: 0 };
  fc.assert(
    fc.property(damages, damages, fc.boolean(), fc.boolean(), (first, second, keepsRules, keepsConfig) => {
      const read = readAppSecRules(keepsRules ? rules : damaged(rules, first), 'rules.yaml');
      const configs = readAppSecConfigs(keepsConfig ? config : damaged(config, second), 'config.yaml');
      for (const { error } of [...read.faults, ...configs.faults]) if (!(error instanceof GatewayError)) throw error;
      counts.rules += read.documents.length;
      counts.configs += configs.documents.length;
      const documents = { rules: read.documents, configs: configs.documents, dataFolders: [] };
      const appSec = createAppSec(documents, createTestDependencies(systemClock));
      const { answer } = ask(appSec, {
        method: 'POST',
        target: `/?a=${'a'.repeat(100)}&bb=YWFi`,
        headers: ['Content-Type', 'application/x-www-form-urlencoded', 'X-Test', '99'],
        body: "x=1'%20or%20'1'%3d'1",
      });
      if (!answer.allowed) counts.refused++;
    }),
    { seed: 4_300_001, numRuns: 600 },
  );
  t.ok(
    counts.rules > 250 && counts.configs > 250,
    `${counts.rules} rules and ${counts.configs} configurations were read`,
  );
  t.ok(counts.refused > 50, `${counts.refused} requests were refused`);
});
