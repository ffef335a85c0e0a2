/** The alerts that decisions follow from, under one number each, since one import may bring a million decisions. */

interface HeldAlert {
  readonly uuid: string;
  readonly number: number;
  /** Rows that follow from it, and those of them that have not ended. */
  uses: number;
  live: number;
}

/** 0 stands for no alert. */
export class AlertNumbers {
  readonly #byUuid = new Map<string, HeldAlert>();
  readonly #alerts: (HeldAlert | null)[] = [null];
  readonly #free: number[] = [];

  get size(): number {
    return this.#byUuid.size;
  }

  /** Decisions of this alert that have not ended. */
  live(uuid: string): number {
    return this.#byUuid.get(uuid)?.live ?? 0;
  }

  uuid(number: number): string | null {
    return this.#alerts[number]?.uuid ?? null;
  }

  acquire(uuid: string | null): number {
    if (uuid === null) return 0;
    const known = this.#byUuid.get(uuid);
    if (known !== undefined) {
      known.uses++;
      return known.number;
    }
    const number = this.#free.pop() ?? this.#alerts.length;
    const alert: HeldAlert = { uuid, number, uses: 1, live: 0 };
    this.#alerts[number] = alert;
    this.#byUuid.set(uuid, alert);
    return number;
  }

  release(number: number): void {
    const alert = this.#alerts[number];
    if (alert === null || alert === undefined || --alert.uses > 0) return;
    this.#byUuid.delete(alert.uuid);
    this.#alerts[number] = null;
    this.#free.push(number);
  }

  /** One live decision more, or less. */
  count(number: number, change: 1 | -1): void {
    const alert = this.#alerts[number];
    if (alert !== null && alert !== undefined) alert.live += change;
  }
}
