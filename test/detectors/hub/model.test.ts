/** Random sequences of install, upgrade and remove against a model that only knows sets of names. */
import fc from 'fast-check';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GatewayError } from '../../../core/errors.ts';
import type { ItemType } from '../../../detectors/hub/item-type.ts';
import { allStates } from '../../../detectors/hub/local-state.ts';
import { hubFolders, install, installedNames, openHub, remove, temporaryFolder, upgrade } from './open-hub.ts';
import { SmallHub } from './small-hub.ts';

const scenarios = ['a/s0', 'a/s1', 'a/s2', 'a/s3', 'a/s4'];
/** Each may hold scenarios and the collections after it, so that no circle is possible. */
const collections = ['a/c0', 'a/c1', 'a/c2', 'a/c3'];

type Step =
  | { readonly kind: 'install' | 'remove' | 'upgrade'; readonly name: string; readonly force: boolean }
  | { readonly kind: 'upgrade-all' }
  | { readonly kind: 'publish'; readonly name: string; readonly holds: readonly string[] };

const itemName = fc.constantFrom(...scenarios, ...collections);
const publication = fc
  .record({ name: itemName, holds: fc.subarray([...scenarios, ...collections]) })
  .map(({ name, holds }): Step => ({ kind: 'publish', name, holds: holds.filter((one) => mayHold(name, one)) }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('install', 'remove', 'upgrade'),
      name: itemName,
      force: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'upgrade-all' }) },
  { weight: 3, arbitrary: publication },
);

function mayHold(holder: string, held: string): boolean {
  const at = collections.indexOf(holder);
  return at !== -1 && (scenarios.includes(held) || collections.indexOf(held) > at);
}

function typeOf(name: string): ItemType {
  return collections.includes(name) ? 'collections' : 'scenarios';
}

/** What the verbs mean, said with sets. */
class Model {
  /** What each item's latest version holds. */
  readonly latest = new Map<string, readonly string[]>();
  readonly versions = new Map<string, number>();
  /** What each installed item holds, in the version that is on disk. */
  readonly installed = new Map<string, { readonly holds: readonly string[]; readonly version: number }>();

  publish(name: string, holds: readonly string[]): void {
    this.latest.set(name, holds);
    this.versions.set(name, (this.versions.get(name) ?? 0) + 1);
  }

  install(name: string): void {
    for (const held of this.latest.get(name) ?? []) this.install(held);
    this.bring(name);
    this.release();
  }

  upgrade(name: string, force: boolean): void {
    this.upgradeDeep(name, force);
    this.release();
  }

  upgradeAll(): void {
    for (const name of Array.from(this.installed.keys())) this.upgradeDeep(name, false);
    this.release();
  }

  /** False when it is refused: part of a collection that stays, or incomplete. */
  remove(name: string, force: boolean): boolean {
    const one = this.installed.get(name);
    if (one === undefined) return true;
    if (!force && (this.isTainted(name) || this.holders(name).length > 0)) return false;
    this.installed.delete(name);
    const open = [...one.holds];
    for (const held of open) {
      const member = this.installed.get(held);
      if (member === undefined || this.holders(held).length > 0) continue;
      this.installed.delete(held);
      open.push(...member.holds);
    }
    return true;
  }

  isTainted(name: string): boolean {
    const holds = this.installed.get(name)?.holds ?? [];
    return holds.some((held) => !this.installed.has(held) || this.isTainted(held));
  }

  private readonly released: string[] = [];

  private upgradeDeep(name: string, force: boolean): void {
    const before = this.installed.get(name)?.holds ?? [];
    for (const held of this.latest.get(name) ?? []) {
      const present = this.installed.has(held);
      if (!present && before.includes(held) && !force) continue;
      if (present) this.upgradeDeep(held, force);
      else this.installDeep(held);
    }
    this.bring(name);
  }

  private installDeep(name: string): void {
    for (const held of this.latest.get(name) ?? []) {
      if (this.installed.has(held)) this.upgradeDeep(held, false);
      else this.installDeep(held);
    }
    this.bring(name);
  }

  /** Members that the version before held, and this does not, may have to go. */
  private bring(name: string): void {
    const holds = this.latest.get(name) ?? [];
    this.released.push(...(this.installed.get(name)?.holds ?? []).filter((held) => !holds.includes(held)));
    this.installed.set(name, { holds, version: this.versions.get(name) ?? 0 });
  }

  private release(): void {
    for (const name of this.released) {
      const one = this.installed.get(name);
      if (one === undefined || this.holders(name).length > 0) continue;
      this.installed.delete(name);
      this.released.push(...one.holds);
    }
    this.released.length = 0;
  }

  private holders(name: string): string[] {
    return [...this.installed].filter(([, { holds }]) => holds.includes(name)).map(([holder]) => holder);
  }
}

t.test(
  'whatever the order of verbs, exactly what should be installed is, and every link leads to its file',
  async (t) => {
    const scratch = temporaryFolder(t);
    let runs = 0;
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        const folder = join(scratch, `run-${runs++}`);
        const small = new SmallHub(join(folder, 'remote'));
        const model = new Model();
        const publish = (name: string, holds: readonly string[]): void => {
          model.publish(name, holds);
          if (typeOf(name) === 'scenarios') small.scenario(name);
          else {
            const of = (type: ItemType): readonly string[] => holds.filter((held) => typeOf(held) === type);
            small.collection(name, { scenarios: of('scenarios'), collections: of('collections') });
          }
        };
        for (const name of scenarios) publish(name, []);
        publish('a/c3', ['a/s3']);
        publish('a/c2', ['a/s2', 'a/s3']);
        publish('a/c1', ['a/s1', 'a/c3']);
        publish('a/c0', ['a/s0', 'a/c1', 'a/c2']);
        const { hub, close } = openHub({ source: small.folder, folder: join(folder, 'local') });
        await hub.update();
        const ask = async (request: Parameters<typeof hub.apply>[0]): Promise<boolean> => {
          try {
            await hub.apply(request);
            return true;
          } catch (thrown) {
            if (!(thrown instanceof GatewayError) || thrown.code !== 'HUB_REFUSED') throw thrown;
            refusals++;
            return false;
          }
        };
        for (const one of steps) {
          switch (one.kind) {
            case 'publish':
              publish(one.name, one.holds);
              await hub.update();
              break;
            case 'install':
              model.install(one.name);
              await ask(install(`${typeOf(one.name)}:${one.name}`));
              break;
            case 'upgrade':
              if (!(await ask(upgrade([`${typeOf(one.name)}:${one.name}`], one.force)))) break;
              model.upgrade(one.name, one.force);
              break;
            case 'upgrade-all':
              model.upgradeAll();
              await ask(upgrade());
              break;
            case 'remove': {
              const done = await ask(remove([`${typeOf(one.name)}:${one.name}`], { force: one.force }));
              if (model.remove(one.name, one.force) !== done) throw new Error(`remove ${one.name}: done is ${done}`);
              break;
            }
            default:
              one satisfies never;
          }
          const expected = [...model.installed.keys()].map((name) => `${typeOf(name)}:${name}`).sort();
          const found = (await installedNames(hub)).sort();
          if (found.join() !== expected.join()) {
            throw new Error(`after ${JSON.stringify(one)}: ${found.join()} instead of ${expected.join()}`);
          }
          for (const state of allStates(await hub.state('stored')).filter(({ installed }) => installed)) {
            const { version = 0 } = model.installed.get(state.name) ?? {};
            if (state.version !== `0.${version}`)
              throw new Error(`${state.name} is ${state.version}, not 0.${version}`);
            if (state.taintedBy.length > 0 !== model.isTainted(state.name)) throw new Error(`${state.name}: tainted?`);
          }
          checkLinks(join(folder, 'local'), model.installed.size);
        }
        await close();
      }),
      { seed: 7, numRuns: 60 },
    );
    t.ok(refusals > 10, `${runs} sequences, ${refusals} refusals`);
  },
);

/** Every link leads to a file of the hub, and there are as many as items. */
function checkLinks(folder: string, count: number): void {
  const { items, hub } = hubFolders(folder);
  let links = 0;
  for (const entry of existsSync(items) ? readdirSync(items, { recursive: true, withFileTypes: true }) : []) {
    if (!entry.isSymbolicLink()) continue;
    links++;
    const path = join(entry.parentPath, entry.name);
    if (!realpathSync(path).startsWith(realpathSync(hub))) throw new Error(`${path} leads to ${readlinkSync(path)}`);
    if (readFileSync(path, 'utf8') === '') throw new Error(`${path} is empty`);
  }
  if (links !== count) throw new Error(`${links} links for ${count} items`);
}
