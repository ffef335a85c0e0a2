/** Pages and files that are made from the code say what the code says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { errorCodes } from '../core/errors.ts';
import { engineDirectiveNames } from '../detectors/waf/seclang/engine-directives.ts';
import { operatorNames } from '../detectors/waf/seclang/parse-operator.ts';
import { RuleReader } from '../detectors/waf/seclang/rule-reader.ts';
import { transformationNames } from '../detectors/waf/seclang/transformation-names.ts';
import { allVariableNames } from '../detectors/waf/seclang/variables.ts';
import { generatedFiles } from '../gateway/generate.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

t.test('generated files are as `npm run generate` writes them', async (t) => {
  const files = [...generatedFiles()];
  t.ok(files.length >= 4, 'every document is generated');
  for (const [path, content] of files)
    t.equal(read(path), content, `${path} (run \`npm run generate\` when this fails)`);
});

t.test('every error code is on the page of errors, and none is there that is gone', async (t) => {
  const documented = Array.from(read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \|/gm), ([, code]) => code);
  t.same(documented, Object.keys(errorCodes));
});

t.test('error codes are used where they are raised', async (t) => {
  const sources = ['core', 'config', 'detectors', 'remediation', 'captcha-pages', 'gateway', 'cli'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  );
  const raised = sources
    .filter((path) => path !== 'core/errors.ts')
    .map(read)
    .join('\n');
  for (const code of Object.keys(errorCodes)) t.match(raised, new RegExp(`'${code}'`), code);
});

t.test('the page of compatibility counts what SecLang there is', async (t) => {
  const page = read('docs/compatibility.md');
  const counts: readonly (readonly [what: string, names: readonly string[]])[] = [
    ['directives', [...RuleReader.names, 'Include', 'IncludeOptional', ...engineDirectiveNames]],
    ['variables', allVariableNames],
    ['operators', operatorNames],
    ['transformations', transformationNames],
  ];
  for (const [what, names] of counts) t.ok(page.includes(`\n| ${what} | ${names.length} |`), `${names.length} ${what}`);
  const refused = Array.from(page.matchAll(/`@(\w+)`/g), ([, name = '']) => name);
  for (const name of refused)
    t.ok(
      operatorNames.some((known) => known === name),
      `@${name} is an operator`,
    );
});

t.test('links between pages lead somewhere', async (t) => {
  const pages = ['.', 'docs'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  t.ok(pages.length > 5, `${pages.length} pages read`);
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (!/^[a-z]+:/.test(target)) t.ok(existsSync(join(root, page, '..', target)), `${page} → ${target}`);
    }
  }
});
