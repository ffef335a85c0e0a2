/** The cases of ModSecurity's and Coraza's suites, which share one format. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GatewayError } from '../../../../core/errors.ts';
import { suitePath } from '../../../support/suites.ts';
import { type Answer, ask } from './support.ts';

interface Vector {
  readonly name: string;
  readonly param?: string;
  readonly input: string;
  readonly ret: 0 | 1;
  readonly re_groups?: readonly string[];
}

/** The suite's names of operators that SecLang spells otherwise. */
const spellings: Readonly<Record<string, string>> = { nids: 'validateNid' };

/** Operators of which the suite has cases and that are not run here. */
const refused: Readonly<Record<string, string>> = {
  validateSchema: 'Documents are not validated against schemas; the operator is refused when rules are loaded.',
};

/** Held to their own suite, in injection/. */
const detectors: Readonly<Record<string, string>> = {
  detectSQLi: 'The detector is tested with its samples.',
  detectXSS: 'The detector is tested with its samples.',
};

/** Bytes that JSON cannot hold are written with a backslash. */
function bytesOf(written: string): string {
  return written.replace(/\\(?:0(?![0-9a-fA-F])|x([0-9a-fA-F]{2})|u00([0-9a-fA-F]{2}))/g, (_, x?: string, u?: string) =>
    String.fromCharCode(Number.parseInt(x ?? u ?? '0', 16)),
  );
}

/** An argument that the engines ignore, as far as it is wrong, is a fault here: the rule is not used and never matches. */
function tried(run: () => Answer): Answer {
  try {
    return run();
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'RULES_INVALID') return { matches: false, captured: null };
    throw error;
  }
}

t.test('operators answer as the reference engines do', async (t) => {
  const folder = suitePath(t, 'seclang-vectors/operators');
  if (folder === null) return;
  const readData = (name: string): string => readFileSync(join(folder, 'op', name), 'latin1');
  let ran = 0;
  let left = 0;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const vectors = JSON.parse(readFileSync(join(folder, file), 'latin1')) as readonly Vector[];
    for (const vector of vectors) {
      if (refused[vector.name] !== undefined || detectors[vector.name] !== undefined) {
        left++;
        continue;
      }
      ran++;
      const { name, param = '', ret, re_groups: groups } = vector;
      const binary = /^validate(?:Utf8|Byte)|ith$|^contains/.test(name);
      const input = binary ? bytesOf(vector.input) : vector.input;
      const what = `${name} ${JSON.stringify(param).slice(0, 60)} on ${JSON.stringify(input).slice(0, 60)}`;
      const { matches, captured } = tried(() => ask(spellings[name] ?? name, param, input, { readData }));
      if (matches !== (ret === 1)) t.fail(what, { expected: ret });
      if (groups !== undefined) t.same(captured, groups, what);
    }
  }
  t.equal(left, 13);
  t.equal(ran, 3_921);
});
