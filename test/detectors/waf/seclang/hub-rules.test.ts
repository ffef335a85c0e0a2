/** The SecLang rules that stand in appsec-rules of CrowdSec's hub. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { suitePath } from '../../../support/suites.ts';
import { loadText, rulesOf } from './loading.ts';

const documents: readonly (readonly [string, readonly number[], readonly string[]])[] = [
  ['base-config', [100, 101, 102, 103, 104, 105], ['URLENCODED', 'MULTIPART', 'XML', 'JSON', 'XML', 'RAW']],
  ['crs', [300, 301, 302, 303, 304], ['URLENCODED', 'MULTIPART', 'XML', 'JSON', 'XML']],
];

t.test('they load without a fault', async (t) => {
  const folder = suitePath(t, 'hub/appsec-rules/crowdsecurity');
  if (folder === null) return;
  for (const [name, ids, processors] of documents) {
    const document: unknown = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'));
    const rules = Object.entries(document ?? {}).find(([key]) => key === 'seclang_rules')?.[1];
    if (!Array.isArray(rules)) throw new Error(`${name} has no seclang_rules`);
    const program = loadText(rules.join('\n'));
    t.same(program.faults, [], name);
    const heads = rulesOf(program);
    t.same(
      heads.map(({ id }) => id),
      ids,
    );
    t.ok(heads.every(({ phase, log, auditLog }) => phase === 1 && !log && !auditLog));
    const controls = heads.flatMap(({ effects }) => effects);
    t.match(
      controls,
      processors.map((processor) => ({ kind: 'control', control: { kind: 'request-body-processor', processor } })),
    );
  }
});
