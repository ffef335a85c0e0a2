/** The body processors by name. */
import type { BodyProcessor } from './body-processor.ts';
import { jsonProcessor } from './json-processor.ts';
import { multipartProcessor } from './multipart-processor.ts';
import { rawProcessor, urlencodedProcessor } from './plain-processors.ts';
import { xmlProcessor } from './xml-processor.ts';

const processors: ReadonlyMap<string, BodyProcessor> = new Map(
  [urlencodedProcessor, multipartProcessor, jsonProcessor, xmlProcessor, rawProcessor].map((processor) => [
    processor.name,
    processor,
  ]),
);

/** As `ctl:requestBodyProcessor` names it, in any case. Null: there is no such processor. */
export function bodyProcessors(name: string): BodyProcessor | null {
  return processors.get(name.toUpperCase()) ?? null;
}
