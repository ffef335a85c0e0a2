/** The operators of the Core Rule Set, as its files write them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compileOperator } from '../../../../detectors/waf/operators/compile-operator.ts';
import type { CompiledOperator, OperatorDependencies } from '../../../../detectors/waf/operators/operator.ts';
import type { OperatorDefinition } from '../../../../detectors/waf/seclang/definition.ts';
import { parseOperator } from '../../../../detectors/waf/seclang/parse-operator.ts';
import { readDirectives, splitArguments } from '../../../../detectors/waf/seclang/read-directives.ts';
import type { SearchIndex } from '../../../../detectors/waf/text/search-index.ts';
import { dependenciesOf, type Given } from './support.ts';

export interface CoreOperator {
  readonly definition: OperatorDefinition;
  readonly compiled: CompiledOperator;
  /** `file:line`. */
  readonly place: string;
}

export interface CoreOperators {
  readonly operators: readonly CoreOperator[];
  readonly index: SearchIndex;
  readonly readData: (name: string) => string | null;
}

/** Every operator of the rules in a folder, compiled into one index. */
export function readCoreOperators(folder: string, given: Given = {}): CoreOperators {
  const readData = dataReader(folder);
  const dependencies: OperatorDependencies = dependenciesOf({ readData, ...given });
  const operators: CoreOperator[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.conf'))) {
    for (const directive of readDirectives(readFileSync(join(folder, file), 'latin1'))) {
      if (directive.name.toLowerCase() !== 'secrule') continue;
      const read = splitArguments(directive.rest);
      const place = `${file}:${directive.line}`;
      if (read.kind === 'fault') throw new Error(`${place}: ${read.reason}`);
      const definition = parseOperator(read.values[1] ?? '', '', () => {});
      if (definition === null) throw new Error(`${place}: no operator`);
      operators.push({ definition, compiled: compileOperator(definition, dependencies), place });
    }
  }
  return { operators, index: dependencies.index.build(), readData };
}

function dataReader(folder: string): (name: string) => string | null {
  return (name) => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, 'latin1') : null;
  };
}
