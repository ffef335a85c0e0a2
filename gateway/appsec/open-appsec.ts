/** The AppSec endpoint, put together as the settings want it. */
import type { Settings } from '../settings.ts';
import type { RulesForBouncers } from '../waf/open-waf.ts';
import { type AppsecEndpoint, type AppsecEndpointParts, createAppsecEndpoint } from './appsec-endpoint.ts';
import { type AppsecJudgeParts, appsecModes, createAppsecJudge } from './appsec-judge.ts';

export interface AppsecParts extends Omit<AppsecEndpointParts, 'judge'>, Omit<AppsecJudgeParts, 'rules'> {
  /** Null: nobody listens for bouncers. */
  readonly rules: RulesForBouncers | null;
}

/** Null when `appsec.listen` is off. */
export function openAppsec(
  settings: Pick<Settings, 'appsec' | 'mode' | 'waf'>,
  parts: AppsecParts,
): AppsecEndpoint | null {
  const { listen, bodyBytes, bodyOver, bodyDeadline } = settings.appsec;
  const { rules } = parts;
  if (listen === null || rules === null) return null;
  const judge = createAppsecJudge(
    {
      modes: appsecModes(settings),
      onFailure: settings.waf.onFailure,
      budget: settings.waf.budget,
      limits: { bodyBytes, bodyExcess: bodyOver },
    },
    { ...parts, rules },
  );
  return createAppsecEndpoint({ listen, bodyDeadline }, { ...parts, judge });
}
