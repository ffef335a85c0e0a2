/** `npm run generate`: writes the files that are made from schemas and registries. `test/docs.test.ts` compares them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderErrors } from '../config/errors-document.ts';
import { inputSchemaOf } from '../config/setting-keys.ts';
import { renderDefaults, renderReference, renderSchema } from '../config/settings-documents.ts';
import { metricsReference } from './admin/metrics-reference.ts';
import { settingsSchema } from './settings.ts';

/** Paths from the project's root, with the content each should have. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const schema = inputSchemaOf(settingsSchema);
  return new Map([
    ['config/schema.json', renderSchema(schema)],
    ['config/default.yaml', renderDefaults(schema)],
    ['docs/configuration.md', renderReference(schema)],
    ['docs/errors.md', renderErrors()],
    ['docs/metrics.md', metricsReference()],
  ]);
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  for (const [path, content] of generatedFiles()) await writeFile(join(root, path), content);
}
