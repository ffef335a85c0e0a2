/**
 * Who may ask: the keys of bouncers, from the store, remembered for a minute. When the store is away, keys that were known stay
 * good and unknown ones are refused, as CrowdSec does it. A key that is used from several addresses is several bouncers, each
 * with a row of its own (`<name>@<address>`), because each has its own place in the stream of decisions. Specification:
 * CrowdSec `pkg/apiserver/middlewares/v1/api_key.go`.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Runtime } from '../../core/runtime.ts';
import { type Bouncer, bouncerName, type BouncerSighting, hashKey } from '../bouncer.ts';
import { createRememberedList, rememberedMs, unknownMs } from './remembered-list.ts';
import { Sightings } from './sightings.ts';
import type { Store } from '../store/store.ts';

export interface BouncerKeys {
  /**
   * The bouncer with this key, or null; of several the oldest. `mayAsk` is asked about a key that is not known, before the
   * list is read anew on its account. Never rejects.
   */
  find(key: string, mayAsk?: () => boolean): Promise<Bouncer | null>;
  /** The list has changed: the next question reads it anew. */
  changed(): void;
}

/** What a bouncer shows: a key, or the common name of a certificate that was verified. */
export type BouncerCredential = { readonly key: string } | { readonly commonName: string };

export interface BouncerQuestion {
  readonly credential: BouncerCredential;
  readonly clientIp: string;
  readonly userAgent: string;
  /** Nothing is written about who only probes (HEAD). */
  readonly isProbe: boolean;
  /** As for `find`. */
  readonly mayAsk?: () => boolean;
}

export interface BouncerDesk extends BouncerKeys {
  /**
   * The row of this key or certificate at this address, made when there is none. Null: nobody's. A promise only when the store
   * has to be asked. Never rejects.
   */
  identify(question: BouncerQuestion): Bouncer | null | Promise<Bouncer | null>;
  /** A question that began at `at` (epoch milliseconds) was answered in full. Durable within about a second. */
  pulled(name: string, at: number): void;
  /** What the next delta starts from: epoch milliseconds, null before the first. */
  lastPull(name: string): number | null;
  /** What else was learnt of a bouncer. */
  noticed(name: string, seen: BouncerSighting): void;
  /** Those that are known, freshly read. */
  list(): Promise<readonly Bouncer[]>;
  /** It has been deleted: nothing is written about it any more. */
  forget(name: string): void;
  close(): Promise<void>;
}

export interface BouncerKeysParts extends Pick<Runtime, 'clock' | 'log'> {
  readonly store: Pick<Store, 'bouncers' | 'apply'>;
}

/** Longer keys are nobody's. */
const longestKey = 1_024;
/** Of one key or certificate; the one that has not asked for longest makes room, and starts from everything if it returns. */
const mostAutoCreated = 256;
const longestBase = 80;
const longestAgentPart = 128;

export function createBouncerKeys(parts: BouncerKeysParts): BouncerDesk {
  return new Desk(parts);
}

const always = (): boolean => true;

/** The rows that share a key. */
interface KeyRows {
  readonly hash: Buffer;
  /** The oldest first. */
  readonly rows: Bouncer[];
}

class Desk implements BouncerDesk {
  readonly #parts: BouncerKeysParts;
  readonly #list;
  readonly #sightings: Sightings<Bouncer, BouncerSighting>;
  #byName = new Map<string, Bouncer>();
  #byHash = new Map<string, KeyRows>();
  /** The hash of the key that is being looked at. */
  readonly #shown = Buffer.alloc(64);

  constructor(parts: BouncerKeysParts) {
    const { store, clock } = parts;
    this.#parts = parts;
    this.#list = createRememberedList(
      () => store.bouncers(),
      (bouncers) => this.#take(bouncers),
      clock,
    );
    this.#sightings = new Sightings(
      (writes) => store.apply(writes),
      {
        added: (bouncer) => ({ kind: 'bouncer-added', bouncer }),
        seen: (name, seen) => ({ kind: 'bouncer-seen', name, seen }),
      },
      clock,
    );
  }

  async find(key: string, mayAsk: () => boolean = always): Promise<Bouncer | null> {
    const rows = await this.#rowsOf(key, mayAsk);
    return rows?.[0] ?? null;
  }

  identify(question: BouncerQuestion): Bouncer | null | Promise<Bouncer | null> {
    const { credential, mayAsk = always } = question;
    if ('commonName' in credential) return this.#identifyCertificate(credential.commonName, question);
    const rows = this.#rowsOf(credential.key, mayAsk);
    return rows instanceof Promise
      ? rows.then((read) => this.#identifyAmong(read, question))
      : this.#identifyAmong(rows, question);
  }

  #identifyAmong(rows: readonly Bouncer[] | null, question: BouncerQuestion): Bouncer | null {
    const oldest = rows?.[0];
    if (rows === null || oldest === undefined) return null;
    if (question.isProbe) return oldest;
    const own = rows.find(({ ip }) => ip === question.clientIp);
    if (own !== undefined) return this.#met(own, question);
    if (rows.length === 1 && oldest.ip === '') return this.#met(oldest, question);
    return this.#autoCreate(baseOf(oldest.name), oldest.keyHash, 'api-key', question);
  }

  pulled(name: string, at: number): void {
    if (at > (this.lastPull(name) ?? Number.NEGATIVE_INFINITY)) this.noticed(name, { lastPull: at });
  }

  lastPull(name: string): number | null {
    return this.#byName.get(name)?.lastPull ?? null;
  }

  noticed(name: string, seen: BouncerSighting): void {
    const bouncer = this.#byName.get(name);
    if (bouncer === undefined) return;
    this.#sightings.note(name, seen);
    this.#put({ ...bouncer, ...seen });
  }

  async list(): Promise<readonly Bouncer[]> {
    await this.#list.refresh(unknownMs);
    return [...this.#byName.values()];
  }

  forget(name: string): void {
    this.#sightings.forget(name);
    this.changed();
  }

  changed(): void {
    this.#list.changed();
  }

  close(): Promise<void> {
    return this.#sightings.close();
  }

  /** Of a key that is known this waits for nothing. */
  #rowsOf(key: string, mayAsk: () => boolean): readonly Bouncer[] | null | Promise<readonly Bouncer[] | null> {
    if (key === '' || key.length > longestKey) return null;
    const hash = hashKey(key);
    const known = this.#list.isYounger(rememberedMs) ? this.#search(hash) : null;
    return known ?? this.#readRowsOf(hash, mayAsk);
  }

  async #readRowsOf(hash: string, mayAsk: () => boolean): Promise<readonly Bouncer[] | null> {
    await this.#list.refresh(rememberedMs);
    const known = this.#search(hash);
    if (known !== null || !mayAsk()) return known;
    await this.#list.refresh(unknownMs);
    return this.#search(hash);
  }

  #search(hash: string): readonly Bouncer[] | null {
    const found = this.#byHash.get(hash);
    if (found === undefined) return null;
    this.#shown.write(hash, 'hex');
    return timingSafeEqual(found.hash, this.#shown) ? found.rows : null;
  }

  async #identifyCertificate(commonName: string, question: BouncerQuestion): Promise<Bouncer | null> {
    const base = commonName.slice(0, longestBase);
    if (!bouncerName.test(base)) return null;
    const name = `${base}@${question.clientIp}`;
    await this.#list.refresh(rememberedMs);
    if (!this.#byName.has(name)) await this.#list.refresh(unknownMs);
    const known = this.#byName.get(name);
    // A name that was given to a key is not a certificate's.
    if (known !== undefined && known.authType !== 'tls') return null;
    if (known === undefined) return this.#autoCreate(base, '', 'tls', question);
    return question.isProbe ? known : this.#met(known, question);
  }

  /** Notes what is new about a bouncer that asks. */
  #met(bouncer: Bouncer, { clientIp, userAgent }: BouncerQuestion): Bouncer {
    const { type, version } = splitAgent(userAgent);
    if (bouncer.ip === clientIp && bouncer.type === type && bouncer.version === version) return bouncer;
    this.noticed(bouncer.name, { ip: clientIp, type, version });
    return this.#byName.get(bouncer.name) ?? bouncer;
  }

  #autoCreate(base: string, keyHash: string, authType: Bouncer['authType'], question: BouncerQuestion): Bouncer | null {
    const { clock, log } = this.#parts;
    const name = `${base}@${question.clientIp}`;
    const bouncer: Bouncer = {
      name,
      keyHash,
      createdAt: clock.now(),
      authType,
      autoCreated: true,
      ip: question.clientIp,
      ...splitAgent(question.userAgent),
      lastPull: null,
    };
    // Somebody else's name stays somebody else's.
    if (this.#byName.has(name)) return null;
    if (question.isProbe) return bouncer;
    this.#makeRoom(base, keyHash, authType);
    this.#put(bouncer);
    this.#sightings.add(name, bouncer);
    log.info({ bouncer: name, authType }, 'a known bouncer asks from another address');
    return bouncer;
  }

  #makeRoom(base: string, keyHash: string, authType: Bouncer['authType']): void {
    const shares = (row: Bouncer): boolean =>
      row.autoCreated && row.authType === authType && row.keyHash === keyHash && baseOf(row.name) === base;
    const rows = [...this.#byName.values()].filter(shares);
    if (rows.length < mostAutoCreated) return;
    const asked = (row: Bouncer): number => row.lastPull ?? row.createdAt;
    const idlest = rows.reduce((one, other) => (asked(other) < asked(one) ? other : one));
    this.#sightings.forget(idlest.name);
    this.#remove(idlest.name);
    const { store, log } = this.#parts;
    store.apply([{ kind: 'bouncer-deleted', name: idlest.name }]).catch((err: unknown) => {
      log.warn({ err, bouncer: idlest.name }, 'a bouncer that made room is still in the store');
    });
  }

  #take(bouncers: readonly Bouncer[]): void {
    const before = this.#byName;
    this.#byName = new Map();
    this.#byHash = new Map();
    for (const bouncer of bouncers) this.#put(this.#updated(bouncer, before.get(bouncer.name)));
    for (const bouncer of this.#sightings.pendingItems()) {
      if (!this.#byName.has(bouncer.name)) this.#put(this.#updated(bouncer, before.get(bouncer.name)));
    }
  }

  /** A row of the store with what this process knows better. */
  #updated(row: Bouncer, known: Bouncer | undefined): Bouncer {
    const pending = this.#sightings.pending(row.name);
    const isSame = known !== undefined && known.createdAt === row.createdAt;
    const pulls = [row.lastPull, isSame ? known.lastPull : null].filter((at) => at !== null);
    return { ...row, ...(isSame ? pending : {}), lastPull: pulls.length === 0 ? null : Math.max(...pulls) };
  }

  #put(bouncer: Bouncer): void {
    this.#byName.set(bouncer.name, bouncer);
    if (bouncer.keyHash === '') return;
    const hash = Buffer.from(bouncer.keyHash, 'hex');
    const key = hash.toString('hex');
    let shared = this.#byHash.get(key);
    if (shared === undefined) this.#byHash.set(key, (shared = { hash, rows: [] }));
    const { rows } = shared;
    const at = rows.findIndex(({ name }) => name === bouncer.name);
    if (at !== -1) rows[at] = bouncer;
    else {
      rows.push(bouncer);
      rows.sort((a, b) => a.createdAt - b.createdAt || Number(a.autoCreated) - Number(b.autoCreated));
    }
  }

  #remove(name: string): void {
    const bouncer = this.#byName.get(name);
    this.#byName.delete(name);
    const rows = this.#byHash.get(bouncer?.keyHash ?? '')?.rows;
    const at = rows?.findIndex((row) => row.name === name) ?? -1;
    if (at !== -1) rows?.splice(at, 1);
  }
}

/** The name that an operator chose: without the addresses that were added to it. */
function baseOf(name: string): string {
  let base = name;
  for (let match = /^(.+)@[0-9A-Fa-f.:]+$/.exec(base); match !== null; match = /^(.+)@[0-9A-Fa-f.:]+$/.exec(base)) {
    base = match[1] ?? base;
  }
  return base.slice(0, longestBase);
}

/** `name/version`; any other form is a name of version `N/A`, as CrowdSec has it. */
export function splitAgent(userAgent: string): { readonly type: string; readonly version: string } {
  const slash = userAgent.indexOf('/');
  const isPair = slash !== -1 && !userAgent.includes('/', slash + 1);
  return {
    type: userAgent.slice(0, isPair ? Math.min(slash, longestAgentPart) : longestAgentPart),
    version: isPair ? userAgent.slice(slash + 1, slash + 1 + longestAgentPart) : 'N/A',
  };
}
