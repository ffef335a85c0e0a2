/**
 * Judges what bouncers ask: AppSec first, whose answers are CrowdSec's to the letter, then the Core Rule Set. The same rules as
 * for the gateway's own visitors, in runs of their own; what comes of a match goes the same ways.
 */
import type { Runtime } from '../../core/runtime.ts';
import { messageOf } from '../../core/errors.ts';
import type { Alert } from '../../detectors/alert.ts';
import type { Engine } from '../../detectors/engine/engine.ts';
import type { AppSecAnswer } from '../../detectors/waf/appsec/appsec-answer.ts';
import type { BodyLimits } from '../../detectors/waf/appsec/appsec-core.ts';
import type { AppSecRun } from '../../detectors/waf/appsec/appsec-run.ts';
import { headerOf } from '../../detectors/waf/engine/header-of.ts';
import type { WafRecord } from '../../detectors/waf/waf-record.ts';
import type { RefusalEvent } from '../../remediation/store/store.ts';
import type { Counters } from '../counters.ts';
import { longestTarget, longestUserAgent, type RefusalJournal } from '../refusal-journal.ts';
import type { Settings } from '../settings.ts';
import { hostName } from '../sites.ts';
import { Inspection } from '../waf/inspection.ts';
import type { RulesForBouncers } from '../waf/open-waf.ts';
import type { RuledSite } from '../waf/rule-layer.ts';
import { createVirtualPatchesLayer, PatchRun } from '../waf/virtual-patches-layer.ts';
import type { WafWatch } from '../waf/waf-watch.ts';
import type { AppsecJudge, AppsecQuestion, AppsecVerdict } from './appsec-endpoint.ts';
import { appsecPrefix } from './appsec-request.ts';

export interface AppsecJudgeOptions {
  readonly modes: AppsecModes;
  readonly onFailure: 'pass' | 'block';
  /** Milliseconds of processor time, for a request without a body. */
  readonly budget: number;
  /** Where no hook has set others. */
  readonly limits: BodyLimits;
}

/** What becomes of a request that the rules refuse. */
export interface AppsecModes {
  readonly virtualPatches: 'observe' | 'block';
  readonly coreRules: 'observe' | 'block';
}

export interface AppsecJudgeParts extends Runtime {
  readonly rules: RulesForBouncers;
  readonly watch: WafWatch;
  readonly engine: Pick<Engine, 'pourRequest'>;
  readonly decide: (alerts: readonly Alert[]) => void;
  readonly refusals: Pick<RefusalJournal, 'add'>;
  readonly counters: Pick<Counters, 'poured'>;
}

/** `off` is about the gateway's own visitors: whoever opens the endpoint wants virtual patches there. */
export function appsecModes({ mode, waf }: Pick<Settings, 'mode' | 'waf'>): AppsecModes {
  const modeOf = (layer: 'off' | 'observe' | 'block'): 'observe' | 'block' =>
    mode === 'observe' || layer === 'observe' ? 'observe' : 'block';
  return { virtualPatches: modeOf(waf.virtualPatches.mode), coreRules: modeOf(waf.coreRules.mode) };
}

export function createAppsecJudge(options: AppsecJudgeOptions, parts: AppsecJudgeParts): AppsecJudge {
  const { appSec, coreRules } = parts.rules;
  const { config } = appSec;
  const limits = appSec.limitsFor({ limits: options.limits });
  const patches = createVirtualPatchesLayer(appSec);
  const pass: AppsecVerdict = {
    action: config.defaultPassAction,
    userStatus: config.userPassedHttpCode,
    status: config.passedHttpCode,
  };
  const refusal = (action: string): AppsecVerdict => ({
    action,
    userStatus: config.userBlockedHttpCode,
    status: config.blockedHttpCode,
  });

  function begin({ request, host }: AppsecQuestion, run: AppSecRun): Inspection {
    const { modes, onFailure } = options;
    // As refusals name it in the store, so that exceptions made from them hold here.
    const site: RuledSite = { name: hostName(host), waf: { onFailure } };
    const strands = [{ layer: patches, mode: modes.virtualPatches, run: new PatchRun(run, onFailure) }];
    return new Inspection(
      coreRules === null
        ? strands
        : [...strands, { layer: coreRules, mode: modes.coreRules, run: coreRules.begin(request, site) }],
      { decode: unchanged, watch: parts.watch, requestId: request.id, source: 'bouncers' },
    );
  }

  /** AppSec's in-band rules see to their limit themselves; without any there is nobody else to. */
  function isTooLong({ bodyIsOver }: AppsecQuestion): boolean {
    return bodyIsOver && limits.bodyExcess === 'drop' && !appSec.bands.in && options.modes.virtualPatches === 'block';
  }

  function verdictOf(question: AppsecQuestion, { refusedBy }: Inspection, run: AppSecRun): AppsecVerdict {
    switch (refusedBy) {
      case 'virtual-patches':
        return told(run.answer);
      case 'core-rules':
        return refusal('ban');
      case null:
        if (isTooLong(question)) return refusal(config.defaultRemediation);
        // A hook may have given the pass a status of its own; what is only observed has none.
        return run.answer.allowed ? told(run.answer) : pass;
      default:
        return refusedBy satisfies never;
    }
  }

  /** Out-of-band rules, and what the scenarios, the decider and the store hear of it all. */
  function conclude(question: AppsecQuestion, inspection: Inspection, verdict: AppsecVerdict): void {
    const findings = inspection.finish();
    const { alerts, events } = inspection.consequences;
    if (alerts.length > 0) parts.decide(alerts);
    for (const event of events) {
      parts.counters.poured++;
      parts.decide(parts.engine.pourRequest(event));
    }
    const tooLong = inspection.refusedBy === null && isTooLong(question);
    if (findings.length === 0 && !tooLong) return;
    const ruleId = inspection.refusal?.ruleId ?? findings[0]?.ruleId ?? 0;
    const rule = ruleId === 0 ? 'limit' : `rule ${ruleId}`;
    const cause = tooLong ? `the body has more than ${limits.bodyBytes} bytes` : `waf: ${rule}`;
    parts.refusals.add(refusalOf(question, verdict, findings, `${cause}, asked by ${question.bouncer.name}`));
  }

  return {
    bodyBytes: limits.bodyBytes,
    pass,
    judge(question) {
      const { request, bouncerAddress } = question;
      const run = appSec.begin(request, {
        bouncerAddress,
        limits: options.limits,
        budgetMs: budgetFor(options.budget, question.body),
      });
      const inspection = begin(question, run);
      // A body that is let through for its length is looked at by nobody.
      const isHidden = question.bodyIsOver && limits.bodyExcess === 'allow';
      const body = isHidden ? null : question.body;
      const complete = isHidden || question.bodyComplete;
      inspection.requestHeaders();
      const isDecided = !run.answer.allowed;
      inspection.requestBody(body, complete);
      const verdict = verdictOf(question, inspection, run);
      return {
        verdict,
        later() {
          try {
            // For the out-of-band rules, which see the body whatever the headers came to.
            if (isDecided) run.requestBody(body, complete);
            conclude(question, inspection, verdict);
          } catch (thrown) {
            const cause = messageOf(thrown);
            parts.log.error({ requestId: request.id, cause }, 'what follows an answer to a bouncer failed');
          }
        },
      };
    },
  };
}

/** Characters that the slowest of our readers of bodies gets through in a millisecond. */
const readPerMs = 16_384;

/** Bodies may be some eighty times as large as those of the gateway's own visitors; to read one is no sign of an attack. */
function budgetFor(budgetMs: number, body: Buffer | null): number {
  return budgetMs + (body?.length ?? 0) / readPerMs;
}

function told({ action, visitorStatus, bouncerStatus }: AppSecAnswer): AppsecVerdict {
  return { action, userStatus: visitorStatus, status: bouncerStatus };
}

/** There are no responses here. */
function unchanged(body: Buffer): Promise<{ body: Buffer; complete: boolean }> {
  return Promise.resolve({ body, complete: true });
}

function refusalOf(
  { request, host, bouncerAddress }: AppsecQuestion,
  verdict: AppsecVerdict,
  findings: readonly WafRecord[],
  detail: string,
): RefusalEvent {
  const isEnforced = findings.length === 0 || findings.some(({ enforced }) => enforced);
  return {
    requestId: request.id,
    at: request.startedAt,
    clientIp: request.clientAddress,
    clientFrom: `${appsecPrefix}ip`,
    peerIp: bouncerAddress,
    site: hostName(host),
    method: request.method,
    target: request.target.slice(0, longestTarget),
    status: verdict.userStatus,
    reason: findings.length === 0 ? 'rejected' : isEnforced ? 'waf' : 'waf-observed',
    remediation: isEnforced ? verdict.action : '',
    decisionUuid: null,
    scenario: '',
    userAgent: headerOf(request.headers, 'user-agent').slice(0, longestUserAgent),
    detail,
    findings,
  };
}
