/**
 * What many decisions have in common under one number: origin, scenario, scope, type, whether simulated, and how the uuid
 * begins. Each kind is kept once, with its bytes of JSON ready to be copied, for as long as a decision has it.
 */
import type { Decision } from '../decision.ts';
import { jsonText } from '../../core/json-text.ts';

export interface DecisionKind {
  readonly number: number;
  readonly origin: string;
  readonly scenario: string;
  readonly scope: string;
  readonly type: string;
  readonly simulated: boolean;
  /** What comes before the part of the uuid that each decision has of its own: "" for plain uuids. */
  readonly uuidPrefix: string;
  /** About addresses: the value is read as one, whatever its spelling. */
  readonly isNetwork: boolean;
  /** `,"origin":…,"scenario":…,"scope":…,"type":…,"uuid":"` and what each uuid begins with. */
  readonly json: Uint8Array;
  /** How much of it there is without a uuid. */
  readonly bareLength: number;
  /** Rows that have it, and those of them that have not ended. */
  uses: number;
  live: number;
}

export type KindFields = Pick<Decision, 'origin' | 'scenario' | 'scope' | 'type' | 'simulated'> & {
  readonly uuidPrefix: string;
};

/** Rows keep the number in 24 bits. */
const maxKinds = 2 ** 24;

export class DecisionKinds {
  readonly #byKey = new Map<string, DecisionKind>();
  readonly #kinds: (DecisionKind | null)[] = [];
  readonly #free: number[] = [];
  #last: DecisionKind | null = null;

  get size(): number {
    return this.#byKey.size;
  }

  /** Those in use. */
  all(): Iterable<DecisionKind> {
    return this.#byKey.values();
  }

  at(number: number): DecisionKind {
    return this.#kinds[number] as DecisionKind;
  }

  /** The kind, made when needed, and one use more of it. Null when there are 16 million already. */
  acquire(fields: KindFields): DecisionKind | null {
    const kind = this.#find(fields);
    if (kind !== null) kind.uses++;
    return kind;
  }

  release(kind: DecisionKind): void {
    if (--kind.uses > 0) return;
    this.#byKey.delete(keyOf(kind));
    this.#kinds[kind.number] = null;
    this.#free.push(kind.number);
    if (this.#last === kind) this.#last = null;
  }

  #find(fields: KindFields): DecisionKind | null {
    if (this.#last !== null && isSame(this.#last, fields)) return this.#last;
    const key = keyOf(fields);
    const kind = this.#byKey.get(key) ?? this.#make(fields, key);
    this.#last = kind;
    return kind;
  }

  #make({ origin, scenario, scope, type, simulated, uuidPrefix }: KindFields, key: string): DecisionKind | null {
    const number = this.#free.pop() ?? this.#kinds.length;
    if (number >= maxKinds) return null;
    const bare = `,${jsonText({ origin, scenario, scope, type }).slice(1, -1)}`;
    const uuid = `,${jsonText({ uuid: uuidPrefix }).slice(1, -2)}`;
    const kind: DecisionKind = {
      number,
      origin,
      scenario,
      scope,
      type,
      simulated,
      uuidPrefix,
      isNetwork: isNetworkScope(scope),
      json: new TextEncoder().encode(bare + uuid),
      bareLength: Buffer.byteLength(bare),
      uses: 0,
      live: 0,
    };
    this.#kinds[number] = kind;
    this.#byKey.set(key, kind);
    return kind;
  }
}

export function isNetworkScope(scope: string): boolean {
  if (scope === 'Ip' || scope === 'Range') return true;
  const lower = scope.toLowerCase();
  return lower === 'ip' || lower === 'range';
}

function isSame(kind: DecisionKind, fields: KindFields): boolean {
  return (
    kind.scenario === fields.scenario &&
    kind.origin === fields.origin &&
    kind.type === fields.type &&
    kind.scope === fields.scope &&
    kind.simulated === fields.simulated &&
    kind.uuidPrefix === fields.uuidPrefix
  );
}

/** Lengths first, so that no two kinds have one key whatever characters they hold. */
function keyOf({ origin, scenario, scope, type, simulated, uuidPrefix }: KindFields): string {
  const lengths = `${origin.length} ${scope.length} ${type.length} ${uuidPrefix.length} ${simulated ? 1 : 0}`;
  return `${lengths} ${origin}${scope}${type}${uuidPrefix}${scenario}`;
}
