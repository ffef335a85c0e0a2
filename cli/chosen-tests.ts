/** Which tests of a folder a verb runs: those that were named, else all. */
import { closest } from '../config/closest.ts';
import { GatewayError } from '../core/errors.ts';

/** @throws GatewayError HUBTEST_INVALID when there are none, NOT_FOUND for a name that none has. */
export function chosenTests(names: readonly string[], given: readonly string[]): readonly string[] {
  if (given.length === 0) {
    if (names.length > 0) return names;
    throw new GatewayError('HUBTEST_INVALID', 'no folder in there has a config.yaml', {
      remedy: 'Give the folder that holds the test folders with --tests.',
    });
  }
  const known = new Set(names);
  for (const name of given) {
    if (known.has(name)) continue;
    const near = closest(name, names);
    throw new GatewayError('NOT_FOUND', `there is no test "${name}"${near === null ? '' : `. Did you mean ${near}?`}`, {
      remedy: 'A test is a folder with a config.yaml; without names, all are run.',
    });
  }
  return [...new Set(given)];
}
