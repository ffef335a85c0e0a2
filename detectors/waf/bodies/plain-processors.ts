/** The body processors URLENCODED and RAW. */
import type { BodyProcessor } from './body-processor.ts';
import { emptyContents } from './body-values.ts';
import { parseArguments } from './parse-arguments.ts';

export const urlencodedProcessor: BodyProcessor = {
  name: 'URLENCODED',
  process(body, { separator, limits }) {
    const { values, dropped } = parseArguments(body, separator, limits.arguments);
    return { ...emptyContents, args: values, argumentsDropped: dropped, fillsRequestBody: true };
  },
};

/** CrowdSec's: bodies of unknown types are looked at as they are. */
export const rawProcessor: BodyProcessor = {
  name: 'RAW',
  process: () => ({ ...emptyContents, fillsRequestBody: true }),
};
