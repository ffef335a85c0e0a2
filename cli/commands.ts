/** Every verb, in the order in which help shows them. */
import type { Command } from './command.ts';
import { alertsDelete } from './commands/alerts-delete.ts';
import { alertsFlush } from './commands/alerts-flush.ts';
import { alertsInspect } from './commands/alerts-inspect.ts';
import { alertsList } from './commands/alerts-list.ts';
import { allowlistsAdd } from './commands/allowlists-add.ts';
import { allowlistsCheck } from './commands/allowlists-check.ts';
import { allowlistsCreate } from './commands/allowlists-create.ts';
import { allowlistsDelete } from './commands/allowlists-delete.ts';
import { allowlistsImport } from './commands/allowlists-import.ts';
import { allowlistsInspect } from './commands/allowlists-inspect.ts';
import { allowlistsList } from './commands/allowlists-list.ts';
import { allowlistsRemove } from './commands/allowlists-remove.ts';
import { appSecTest } from './commands/appsec-test.ts';
import { bouncersAdd } from './commands/bouncers-add.ts';
import { bouncersDelete } from './commands/bouncers-delete.ts';
import { bouncersInspect } from './commands/bouncers-inspect.ts';
import { bouncersList } from './commands/bouncers-list.ts';
import { bouncersPrune } from './commands/bouncers-prune.ts';
import { completion } from './commands/completion.ts';
import { configShow } from './commands/config-show.ts';
import { decisionsAdd } from './commands/decisions-add.ts';
import { decisionsDelete } from './commands/decisions-delete.ts';
import { decisionsImport } from './commands/decisions-import.ts';
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
import { lapiContext } from './commands/lapi-context.ts';
import { lapiRegister } from './commands/lapi-register.ts';
import { lapiStatus } from './commands/lapi-status.ts';
import { machinesAdd } from './commands/machines-add.ts';
import { machinesDelete } from './commands/machines-delete.ts';
import { machinesInspect } from './commands/machines-inspect.ts';
import { machinesList } from './commands/machines-list.ts';
import { machinesPrune } from './commands/machines-prune.ts';
import { machinesValidate } from './commands/machines-validate.ts';
import { metricsList } from './commands/metrics-list.ts';
import { metricsShow } from './commands/metrics-show.ts';
import { metrics } from './commands/metrics.ts';
import { notificationsInspect } from './commands/notifications-inspect.ts';
import { notificationsList } from './commands/notifications-list.ts';
import { notificationsReinject } from './commands/notifications-reinject.ts';
import { notificationsTest } from './commands/notifications-test.ts';
import { replay } from './commands/replay.ts';
import { selftest } from './commands/selftest.ts';
import { serve } from './commands/serve.ts';
import { setupDetect } from './commands/setup-detect.ts';
import { simulationDisable } from './commands/simulation-disable.ts';
import { simulationEnable } from './commands/simulation-enable.ts';
import { simulationStatus } from './commands/simulation-status.ts';
import { status } from './commands/status.ts';
import { supportDump } from './commands/support-dump.ts';
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
  metrics,
  metricsShow,
  metricsList,
  decisionsList,
  decisionsAdd,
  decisionsDelete,
  decisionsImport,
  allowlistsList,
  allowlistsInspect,
  allowlistsCreate,
  allowlistsAdd,
  allowlistsRemove,
  allowlistsImport,
  allowlistsCheck,
  allowlistsDelete,
  alertsList,
  alertsInspect,
  alertsDelete,
  alertsFlush,
  simulationStatus,
  simulationEnable,
  simulationDisable,
  bouncersList,
  bouncersAdd,
  bouncersInspect,
  bouncersDelete,
  bouncersPrune,
  machinesList,
  machinesAdd,
  machinesValidate,
  machinesInspect,
  machinesDelete,
  machinesPrune,
  lapiStatus,
  lapiRegister,
  lapiContext,
  notificationsList,
  notificationsInspect,
  notificationsTest,
  notificationsReinject,
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
  configShow,
  supportDump,
  completion,
  version,
];
