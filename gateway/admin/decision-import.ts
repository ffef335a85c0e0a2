/**
 * Many decisions at once, as they come over the control socket: read, checked and in force a handful at a time, and the store is
 * never more than some handfuls behind, so that an import of any length needs little memory.
 * Specification: CrowdSec `cscli decisions import`.
 */
import { parseDuration } from '../../core/duration.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { parseRange } from '../../core/ip.ts';
import type { Alert } from '../../detectors/alert.ts';
import type { Decision } from '../../remediation/decision.ts';
import type { AdminDependencies } from './dependencies.ts';
import { canonicalValue, longestDurationMs } from './input.ts';
import { manualAlert } from './manual-alert.ts';
import type { ImportModel } from './models.ts';
import { normalScope } from '../../remediation/normal-scope.ts';

/** What holds where an entry says nothing. */
export interface ImportDefaults {
  readonly scope: string;
  readonly type: string;
  readonly durationMs: number;
  readonly reason: string;
  readonly origin: string;
  /** What the alerts are called: `import list.csv`. */
  readonly title: string;
  /** Decisions of one alert; 0: one alert for all. */
  readonly batch: number;
}

type ImportDependencies = Pick<AdminDependencies, 'publisher' | 'store' | 'index' | 'clock' | 'random' | 'log'>;

/** Handed over at once: many enough to count as an import, which has room of its own beside what happens meanwhile. */
const handful = 8_000;
/** Decisions that wait for the store: enough for its largest transactions. */
const mostUnderWay = 96_000;
/** Faults that are told; all are counted. */
const mostFaults = 100;
const longestValue = 2_048;
const longestReason = 512;
const longestName = 64;
const mostRemembered = 1_000;
const typeForm = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const controls = /[\x00-\x1f\x7f]/;

export class DecisionImport {
  readonly #defaults: ImportDefaults;
  readonly #deps: ImportDependencies;
  #gathered: Decision[] = [];
  readonly #underWay: { readonly count: number; readonly commit: Promise<void> }[] = [];
  #waiting = 0;
  readonly #durations = new Map<string, number | null>();
  readonly #faults: { line: number; message: string }[] = [];
  readonly #alertUuids: string[] = [];
  #alert: Alert | null = null;
  /** Decisions of the alert that is being filled. */
  #ofAlert = 0;
  #imported = 0;
  #allowlisted = 0;
  #malformed = 0;

  constructor(defaults: ImportDefaults, deps: ImportDependencies) {
    this.#defaults = defaults;
    this.#deps = deps;
  }

  /**
   * Takes one slice; resolves when there is room for the next.
   * @throws GatewayError of the store: it does not take them, and it makes no sense to go on.
   */
  async take(rows: readonly unknown[]): Promise<void> {
    const now = this.#deps.clock.now();
    for (const row of rows) {
      const decision = this.#decisionOf(row, now);
      if (decision !== null) this.#gathered.push(decision);
    }
    if (this.#gathered.length >= handful || this.#isAlertFull()) await this.#commit();
  }

  /** Waits for the store. @throws GatewayError of the store. */
  async end(): Promise<ImportModel> {
    await this.#commit();
    while (this.#underWay.length > 0) await this.#oldest();
    await this.#endAlert();
    const stored = await Promise.all(
      this.#alertUuids.slice(0, mostFaults).map((uuid) => this.#deps.store.alertByUuid(uuid)),
    );
    return {
      imported: this.#imported,
      allowlisted: this.#allowlisted,
      malformed: this.#malformed,
      faults: this.#faults,
      alert_ids: stored.flatMap((alert) => (alert === null ? [] : [alert.id])),
    };
  }

  /** The import ends early: what it brought so far stays, under an alert that says so. */
  async abandon(): Promise<void> {
    await this.#commit().catch(() => undefined);
    await Promise.allSettled(this.#underWay.splice(0).map(({ commit }) => commit));
    await this.#endAlert();
  }

  #isAlertFull(): boolean {
    const { batch } = this.#defaults;
    return batch > 0 && this.#ofAlert >= batch;
  }

  async #commit(): Promise<void> {
    const { publisher } = this.#deps;
    const decisions = this.#gathered;
    this.#gathered = [];
    if (decisions.length === 0) return;
    const commit = publisher.commit(decisions.map((decision) => ({ kind: 'decision-added', decision })));
    // Awaited below or at the end; until then nobody listens.
    commit.catch(() => undefined);
    this.#underWay.push({ count: decisions.length, commit });
    this.#waiting += decisions.length;
    this.#imported += decisions.length;
    while (this.#waiting > mostUnderWay) await this.#oldest();
    if (this.#isAlertFull()) await this.#endAlert();
  }

  async #oldest(): Promise<void> {
    const first = this.#underWay.shift();
    if (first === undefined) return;
    this.#waiting -= first.count;
    await first.commit;
  }

  #decisionOf(row: unknown, now: number): Decision | null {
    const defaults = this.#defaults;
    const fault = (line: number, message: string): null => this.#fault(line, message);
    if (!isRow(row)) return fault(0, 'an entry is no list of texts');
    const [line, written, scopeText, typeText, durationText, reasonText, originText] = row;
    const type = typeText ?? defaults.type;
    const reason = reasonText ?? defaults.reason;
    const origin = originText ?? defaults.origin;
    const durationMs = durationText ? this.#durationOf(durationText) : defaults.durationMs;
    if (written.length > longestValue) return fault(line, `the value is longer than ${longestValue} characters`);
    if (durationMs === null) return fault(line, `"${durationText ?? ''}" is not a duration`);
    if (!typeForm.test(type)) return fault(line, `"${type}" is no type of a decision`);
    if (reason.length > longestReason || controls.test(reason))
      return fault(line, 'the reason is too long, or holds control characters');
    if (origin.length > longestName || controls.test(origin))
      return fault(line, 'the origin is too long, or holds control characters');
    const target = targetOf(scopeText ?? defaults.scope, written);
    if (typeof target === 'string') return fault(line, target);
    const { scope, value } = target;
    if (this.#isAllowed(scope, value, now)) {
      this.#allowlisted++;
      return null;
    }
    this.#ofAlert++;
    const { random } = this.#deps;
    const alertUuid = this.#alertNow().uuid;
    return {
      uuid: random.uuid(),
      origin,
      scenario: reason,
      scope,
      value,
      type,
      until: now + durationMs,
      createdAt: now,
      simulated: false,
      alertUuid,
    };
  }

  #isAllowed(scope: string, value: string, now: number): boolean {
    if (scope !== 'Ip' && scope !== 'Range') return false;
    const range = parseRange(value);
    return range !== null && this.#deps.index.allowedRange(range, now) !== null;
  }

  #durationOf(text: string): number | null {
    const known = this.#durations.get(text);
    if (known !== undefined) return known;
    const ms = parseDuration(text);
    const read = ms !== null && ms > 0 && ms <= longestDurationMs ? ms : null;
    if (this.#durations.size >= mostRemembered) this.#durations.clear();
    this.#durations.set(text, read);
    return read;
  }

  #fault(line: number, message: string): null {
    this.#malformed++;
    if (this.#faults.length < mostFaults) this.#faults.push({ line, message: message.slice(0, 256) });
    return null;
  }

  #alertNow(): Alert {
    const { reason } = this.#defaults;
    this.#alert ??= manualAlert({ scope: 'cscli/manual-import', value: '' }, reason, 0, this.#deps);
    return this.#alert;
  }

  /** The alert comes last, when it is known how many decisions it stands for. */
  async #endAlert(): Promise<void> {
    if (this.#alert === null) return;
    const count = this.#ofAlert;
    const message = `${this.#defaults.title}: ${count} ${count === 1 ? 'decision' : 'decisions'}`;
    const alert: Alert = {
      ...this.#alert,
      scenario: message,
      message,
      eventsCount: count,
      stopAt: this.#deps.clock.now(),
    };
    this.#alert = null;
    this.#ofAlert = 0;
    this.#alertUuids.push(alert.uuid);
    await this.#deps.publisher.announce(alert, []);
  }
}

type Row = readonly [
  line: number,
  value: string,
  scope: string | null | undefined,
  type: string | null | undefined,
  duration: string | null | undefined,
  reason: string | null | undefined,
  origin: string | null | undefined,
];

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || !Number.isSafeInteger(row[0]) || typeof row[1] !== 'string' || row.length > 7)
    return false;
  for (let index = 2; index < row.length; index++) {
    const field: unknown = row[index];
    if (field !== null && typeof field !== 'string') return false;
  }
  return true;
}

/** Scope and value as the index keeps them, or what is wrong. Lists mix addresses and networks, whatever they call them. */
function targetOf(written: string, text: string): { readonly scope: string; readonly value: string } | string {
  const named = normalScope(written.trim());
  const scope = named === 'Ip' && text.includes('/') ? 'Range' : named;
  if (scope === '' || scope.length > longestName || controls.test(scope) || controls.test(text)) {
    return 'the scope or the value is empty, too long, or holds control characters';
  }
  try {
    return { scope, value: canonicalValue(scope, text) };
  } catch (thrown) {
    if (thrown instanceof GatewayError) return messageOf(thrown);
    throw thrown;
  }
}
