/**
 * Which agents may report here: the machines of the store, remembered for a minute, and what is noticed of them as they come. A
 * machine that was deleted is a stranger from then on, whatever its token says.
 */
import type { Runtime } from '../../core/runtime.ts';
import type { Machine, MachineSighting } from '../machine.ts';
import { createRememberedList, rememberedMs, unknownMs } from './remembered-list.ts';
import { Sightings } from './sightings.ts';
import type { Store } from '../store/store.ts';

export interface MachineDesk {
  /** The machine of this name, validated or not. `mayAsk` is asked before the list is read anew for a stranger. Never rejects. */
  find(id: string, mayAsk?: () => boolean): Promise<Machine | null>;
  /**
   * Keeps a new machine. `exists`: the name is taken; `full`: too many wait to be validated.
   * @throws GatewayError when the store does not take it.
   */
  register(machine: Machine): Promise<'registered' | 'exists' | 'full'>;
  /** @throws GatewayError when the store does not take it. */
  remove(id: string): Promise<void>;
  /** What is noticed of a machine in use. Durable within about a second. */
  noticed(id: string, seen: MachineSighting): void;
  /** Those that are known, freshly read. */
  list(): Promise<readonly Machine[]>;
  /** Somebody else has changed the list: the next question reads it anew. */
  changed(): void;
  close(): Promise<void>;
}

export interface MachineDeskParts extends Pick<Runtime, 'clock'> {
  readonly store: Pick<Store, 'machines' | 'apply'>;
}

/** Whoever reaches the API may register; so many may wait for an operator. */
const mostPending = 1_000;

export function createMachineDesk({ store, clock }: MachineDeskParts): MachineDesk {
  let known = new Map<string, Machine>();
  const registering = new Set<string>();
  const sightings = new Sightings<Machine, MachineSighting>(
    (writes) => store.apply(writes),
    {
      added: (machine) => ({ kind: 'machine-added', machine }),
      seen: (id, seen) => ({ kind: 'machine-seen', id, seen }),
    },
    clock,
  );
  const list = createRememberedList(
    () => store.machines(),
    (machines) => {
      known = new Map(machines.map((machine) => [machine.id, { ...machine, ...sightings.pending(machine.id) }]));
    },
    clock,
  );

  async function register(machine: Machine): Promise<'registered' | 'exists' | 'full'> {
    await list.refresh(0);
    if (known.has(machine.id)) return 'exists';
    if (!machine.validated && [...known.values()].filter(({ validated }) => !validated).length >= mostPending) {
      return 'full';
    }
    await store.apply([{ kind: 'machine-added', machine }]);
    known.set(machine.id, machine);
    list.changed();
    return 'registered';
  }

  return {
    async find(id, mayAsk = () => true) {
      if (!list.isYounger(rememberedMs)) await list.refresh(rememberedMs);
      const found = known.get(id);
      // One that waits may have been validated by another gateway.
      if (found?.validated === true || !mayAsk()) return found ?? null;
      await list.refresh(unknownMs);
      return known.get(id) ?? null;
    },
    async register(machine) {
      // Two that register at once under one name: the second is told so before the first is in the store.
      if (registering.has(machine.id)) return 'exists';
      registering.add(machine.id);
      try {
        return await register(machine);
      } finally {
        registering.delete(machine.id);
      }
    },
    async remove(id) {
      await store.apply([{ kind: 'machine-deleted', id }]);
      sightings.forget(id);
      known.delete(id);
      list.changed();
    },
    noticed(id, seen) {
      const machine = known.get(id);
      if (machine === undefined) return;
      sightings.note(id, seen);
      known.set(id, { ...machine, ...seen });
    },
    async list() {
      await list.refresh(unknownMs);
      return [...known.values()];
    },
    changed: () => list.changed(),
    close: () => sightings.close(),
  };
}
