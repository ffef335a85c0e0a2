/** Every test in a folder and the folders in it, in the order of file names. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError, messageOf } from '../../../core/errors.ts';
import type { FtwFault, FtwTest } from './ftw-test.ts';
import { readFtwFile } from './read-ftw-file.ts';

export interface FoundTests {
  readonly tests: readonly FtwTest[];
  readonly faults: readonly FtwFault[];
}

/** The largest file of the Core Rule Set's tests has 190 kB. */
const largestFile = 16 * 1024 * 1024;

/**
 * `path` is a folder or one file.
 * @throws GatewayError WAF_TEST_INVALID when it cannot be read, or holds no test at all.
 */
export function findFtwTests(path: string): FoundTests {
  const tests: FtwTest[] = [];
  const faults: FtwFault[] = [];
  for (const file of filesOf(path)) {
    if (statSync(file).size > largestFile) {
      faults.push({ level: 'error', text: `${file}: larger than ${largestFile} bytes` });
      continue;
    }
    const read = readFtwFile(readFileSync(file, 'utf8'), file);
    tests.push(...read.tests);
    faults.push(...read.faults);
  }
  if (tests.length > 0 || faults.length > 0) return { tests, faults };
  throw new GatewayError('WAF_TEST_INVALID', `there is no test in ${path}`, {
    remedy: 'Give the folder that holds the YAML files of go-ftw with --tests: tests/regression/tests in a checkout.',
  });
}

function filesOf(path: string): readonly string[] {
  try {
    if (statSync(path).isFile()) return [path];
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (cause) {
    throw new GatewayError('WAF_TEST_INVALID', `${path} cannot be read: ${messageOf(cause)}`, {
      remedy: 'Give the folder of the tests with --tests.',
      cause,
    });
  }
}
