/** Every verb, in the order in which help shows them. */
import type { Command } from './command.ts';
import { alertsInspect } from './commands/alerts-inspect.ts';
import { alertsList } from './commands/alerts-list.ts';
import { allowlistsAdd } from './commands/allowlists-add.ts';
import { allowlistsDelete } from './commands/allowlists-delete.ts';
import { allowlistsList } from './commands/allowlists-list.ts';
import { appSecTest } from './commands/appsec-test.ts';
import { bouncersAdd } from './commands/bouncers-add.ts';
import { bouncersDelete } from './commands/bouncers-delete.ts';
import { bouncersList } from './commands/bouncers-list.ts';
import { completion } from './commands/completion.ts';
import { decisionsAdd } from './commands/decisions-add.ts';
import { decisionsDelete } from './commands/decisions-delete.ts';
import { decisionsList } from './commands/decisions-list.ts';
import { doctor } from './commands/doctor.ts';
import { explain } from './commands/explain.ts';
import { hubInspect } from './commands/hub-inspect.ts';
import { hubInstall } from './commands/hub-install.ts';
import { hubList } from './commands/hub-list.ts';
import { hubRemove } from './commands/hub-remove.ts';
import { hubSearch } from './commands/hub-search.ts';
import { hubUpdate } from './commands/hub-update.ts';
import { hubUpgrade } from './commands/hub-upgrade.ts';
import { hubtest } from './commands/hubtest.ts';
import { replay } from './commands/replay.ts';
import { selftest } from './commands/selftest.ts';
import { serve } from './commands/serve.ts';
import { setupDetect } from './commands/setup-detect.ts';
import { status } from './commands/status.ts';
import { validate } from './commands/validate.ts';
import { version } from './commands/version.ts';
import { wafExceptionsAdd } from './commands/waf-exceptions-add.ts';
import { wafExceptionsList } from './commands/waf-exceptions-list.ts';
import { wafExceptionsRemove } from './commands/waf-exceptions-remove.ts';
import { wafExceptionsSuggest } from './commands/waf-exceptions-suggest.ts';
import { wafInstall } from './commands/waf-install.ts';
import { wafTest } from './commands/waf-test.ts';
import { why } from './commands/why.ts';

/** `help` is answered before verbs are looked up; see `main.ts`. */
export const commands: readonly Command[] = [
  serve,
  validate,
  status,
  doctor,
  selftest,
  decisionsList,
  decisionsAdd,
  decisionsDelete,
  allowlistsList,
  allowlistsAdd,
  allowlistsDelete,
  bouncersList,
  bouncersAdd,
  bouncersDelete,
  alertsList,
  alertsInspect,
  why,
  explain,
  replay,
  hubUpdate,
  hubList,
  hubSearch,
  hubInstall,
  hubUpgrade,
  hubRemove,
  hubInspect,
  hubtest,
  setupDetect,
  wafInstall,
  wafExceptionsSuggest,
  wafExceptionsAdd,
  wafExceptionsList,
  wafExceptionsRemove,
  wafTest,
  appSecTest,
  completion,
  version,
];
