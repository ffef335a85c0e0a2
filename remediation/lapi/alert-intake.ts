/**
 * Alerts that machines send, from the wire's words to decisions in force: fifty at a time are read, decided about and made durable
 * before the next fifty. What brings its own decisions (cscli) gets exactly those; the rest is for the profiles.
 * Specification: CrowdSec `pkg/apiserver/controllers/v1/alerts.go`, `pkg/database/alerts.go`.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../../core/errors.ts';
import { parseRange } from '../../core/ip.ts';
import type { Alert } from '../../detectors/alert.ts';
import type { Decision } from '../decision.ts';
import type { StoreWrite } from '../store/store.ts';
import { maxNameLength, maxValueLength } from '../store/write-limits.ts';
import { type LapiDependencies, LapiError } from './lapi-context.ts';
import { normalScope } from '../normal-scope.ts';
import { alertOf } from './models/alert-fields.ts';
import { readDuration } from './models/durations.ts';
import type { ValidAlert, ValidDecision } from './models/posted-alert.ts';

export interface AlertIntake {
  /**
   * The store's ids of the alerts that were kept, in order. They are durable then; alerts about allowlisted sources are dropped.
   * @throws LapiError 500; alerts of earlier fifties stay.
   */
  take(posted: readonly ValidAlert[], machineId: string): Promise<readonly number[]>;
}

export type AlertIntakeDependencies = Pick<
  LapiDependencies,
  'store' | 'publisher' | 'decider' | 'ledger' | 'machines' | 'clock' | 'random' | 'log'
>;

const alertsPerUnit = 50;
/** Decisions of one alert that the log and whoever is notified hear of; an import has more. */
const decisionsTold = 500;
/** Decisions that are read before others get their turn. */
const decisionsPerSlice = 2_000;
/** Alerts of failed requests, which their machine will send again. */
const maxUnsettled = 1_000;

/** How long the answer waits for the ledger, so that who is answered finds the decisions in it. */
const patienceMs = 1_000;

/** Told of the last decision of those that were handed over, before the store has them. */
type Hear = (last: Decision | undefined) => void;

interface Prepared {
  readonly alert: Alert;
  /** Null: the profiles decide. */
  readonly decisions: readonly Decision[] | null;
  /** What tells whether the same alert is sent again. */
  readonly digest: () => string;
}

export function createAlertIntake(deps: AlertIntakeDependencies): AlertIntake {
  const { store, publisher, decider, ledger, machines, clock, random, log } = deps;
  /**
   * By digest, the alerts that are in force and queued although their machine was told that its request failed. It sends them
   * again every second, and each is to remain one alert.
   */
  const unsettled = new Map<string, string>();

  const prepare = async (posted: ValidAlert, machineId: string): Promise<Prepared | null> => {
    const alert = alertOf(posted, { machineId, uuid: random.uuid(), now: clock.now() });
    const digest = (): string =>
      createHash('sha256')
        .update(JSON.stringify([machineId, posted]))
        .digest('hex');
    const wanted = posted.decisions ?? [];
    if (wanted.length === 0) return { alert, decisions: null, digest };
    const decisions: Decision[] = [];
    for (const [index, each] of wanted.entries()) {
      if (index % decisionsPerSlice === decisionsPerSlice - 1) await setImmediate();
      const decision = decisionOf(each, alert, random.uuid(), log);
      if (decision !== null) decisions.push(decision);
    }
    return decisions.length === 0 ? null : { alert, decisions, digest };
  };

  /** Whether the alert is kept. Mostly at once, so that what a request writes is one batch of the store. */
  const put = ({ alert, decisions }: Prepared, hear: Hear): boolean | Promise<boolean> => {
    if (decisions === null) {
      const outcome = decider.decide(alert, { literal: true, refusable: true });
      if (outcome.kind === 'rejected') throw new LapiError(500, outcome.error.message);
      if (outcome.kind === 'decided') hear(outcome.decisions.at(-1));
      return outcome.kind === 'held' ? outcome.settled.then(() => true) : outcome.kind !== 'allowlisted';
    }
    const told = decisions.slice(0, decisionsTold);
    decider.accept(alert, told);
    hear(told.at(-1));
    return decisions.length <= decisionsTold || addFurther(decisions.slice(decisionsTold), hear);
  };

  const addFurther = async (decisions: readonly Decision[], hear: Hear): Promise<true> => {
    const stored = publisher.commit(decisions.map((decision): StoreWrite => ({ kind: 'decision-added', decision })));
    hear(decisions.at(-1));
    await stored;
    return true;
  };

  const takeUnit = async (posted: readonly ValidAlert[], machineId: string): Promise<number[]> => {
    const prepared = await Promise.all(posted.map((each) => prepare(each, machineId)));
    const unit = prepared.filter((each) => each !== null);
    const kept: string[] = [];
    const fresh: Prepared[] = [];
    let heard: Promise<unknown> = Promise.resolve();
    const hear: Hear = (last) => {
      if (last !== undefined) heard = ledger.heardOf(last.uuid, patienceMs);
    };
    try {
      for (const each of unit) {
        const known = unsettled.size === 0 ? undefined : unsettled.get(each.digest());
        if (known !== undefined) {
          kept.push(known);
          continue;
        }
        fresh.push(each);
        const isKept = put(each, hear);
        if (typeof isKept === 'boolean' ? isKept : await isKept) kept.push(each.alert.uuid);
      }
      const stored = publisher.commit([]);
      // Asked right behind the write, the store mostly answers both in one turn.
      const early = setImmediate()
        .then(() => idsOf(kept))
        .catch(() => null);
      await stored;
      const ids = (await early) ?? (await idsOf(kept));
      if (ids === null) {
        unsettled.clear();
        fresh.length = 0;
        throw new LapiError(500, 'the store did not take an alert: too many writes wait for it');
      }
      await heard;
      for (const each of unit) if (unsettled.size > 0) unsettled.delete(each.digest());
      return ids;
    } catch (thrown) {
      for (const each of fresh) if (kept.includes(each.alert.uuid)) remember(each);
      throw thrown instanceof GatewayError ? new LapiError(500, thrown.message) : thrown;
    }
  };

  const remember = ({ alert, digest }: Prepared): void => {
    unsettled.set(digest(), alert.uuid);
    const [oldest] = unsettled.keys();
    if (unsettled.size > maxUnsettled && oldest !== undefined) unsettled.delete(oldest);
  };

  /** Null when one is not there: not yet, or the queue had no room for it, now or at an earlier try. */
  const idsOf = async (uuids: readonly string[]): Promise<number[] | null> => {
    const stored = await Promise.all(uuids.map((uuid) => store.alertByUuid(uuid)));
    const ids = stored.flatMap((each) => (each === null ? [] : [each.id]));
    return ids.length === uuids.length ? ids : null;
  };

  return {
    async take(posted, machineId) {
      const ids: number[] = [];
      for (let from = 0; from < posted.length; from += alertsPerUnit) {
        if (from > 0) await setImmediate();
        ids.push(...(await takeUnit(posted.slice(from, from + alertsPerUnit), machineId)));
      }
      machines.noticed(machineId, { lastPush: clock.now() });
      return ids;
    },
  };
}

/**
 * The decision, or null when its address cannot be one: it is left out, as CrowdSec does.
 * @throws LapiError 500 for a duration that cannot be read and for what is too long to be kept.
 */
function decisionOf(
  posted: ValidDecision,
  { scenario: _scenario, stopAt, simulated, createdAt, uuid: alertUuid }: Alert,
  uuid: string,
  log: LapiDependencies['log'],
): Decision | null {
  const { origin, scenario, type, value } = posted;
  const durationMs = readDuration(posted.duration);
  if (typeof durationMs === 'string') {
    const shown = posted.duration.slice(0, 100);
    throw new LapiError(
      500,
      `unable to create alerts: decision duration '${shown}' : ${durationMs}: unable to parse duration`,
    );
  }
  const scope = normalScope(posted.scope);
  requireShort({ origin, scope, type }, maxNameLength);
  requireShort({ scenario, value }, maxValueLength);
  if ((scope === 'Ip' || scope === 'Range') && parseRange(value) === null) {
    log.warn(
      { value: value.slice(0, 100), origin, scenario },
      'a decision has no valid address or range and is left out',
    );
    return null;
  }
  return { uuid, origin, scenario, scope, value, type, until: stopAt + durationMs, createdAt, simulated, alertUuid };
}

function requireShort(fields: Readonly<Record<string, string>>, most: number): void {
  for (const [name, text] of Object.entries(fields)) {
    if (text.length <= most) continue;
    throw new LapiError(
      500,
      `unable to create alerts: decision ${name} has ${text.length} characters, ${most} are allowed`,
    );
  }
}
