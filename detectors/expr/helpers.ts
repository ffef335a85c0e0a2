/** All helpers of CrowdSec's dialect, by family. Specification: CrowdSec `pkg/exprhelpers`. */
import type { HelperDependencies } from './dependencies.ts';
import type { HelperTable } from './helper.ts';
import { collectionHelpers } from './helpers/collections.ts';
import { fileHelpers } from './helpers/files.ts';
import { ja4hHelper } from './helpers/ja4h.ts';
import { jsonHelpers } from './helpers/json.ts';
import { keyValueHelpers } from './helpers/key-value.ts';
import { networkHelpers } from './helpers/network.ts';
import { stateHelpers } from './helpers/state.ts';
import { stringHelpers } from './helpers/strings.ts';
import { timeHelpers } from './helpers/times.ts';
import { urlHelpers } from './helpers/url.ts';
import { xmlHelpers } from './helpers/xml.ts';

export function createHelpers(deps: HelperDependencies): HelperTable {
  return {
    ...stringHelpers(deps),
    ...collectionHelpers,
    ...jsonHelpers,
    ...xmlHelpers(),
    ...ja4hHelper,
    ...keyValueHelpers,
    ...fileHelpers(deps),
    ...networkHelpers(deps),
    ...urlHelpers,
    ...timeHelpers(deps),
    ...stateHelpers(deps),
  };
}
