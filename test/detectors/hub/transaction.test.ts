/** A crash or a failure at every single step of a change leaves the old state or the new one, never a mixture. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { messageOf } from '../../../core/errors.ts';
import { type HubDisk, hubDisk } from '../../../detectors/hub/hub-disk.ts';
import type { ChangeRequest } from '../../../detectors/hub/plan.ts';
import { commit, recover } from '../../../detectors/hub/transaction.ts';
import { hubFolders, install, openHub, remove, snapshot, temporaryFolder, upgrade } from './open-hub.ts';
import { SmallHub } from './small-hub.ts';

interface BrokenDisk extends HubDisk {
  /** Operations that were asked for. */
  readonly count: () => number;
}

/** A disk that does not wait for the medium. It works `steps` times; then it fails once, or does nothing ever again, as after a loss of power. */
function brokenDisk(steps: number, forGood: boolean): BrokenDisk {
  let count = 0;
  const around = <A extends unknown[]>(run: (...args: A) => Promise<void>, half?: (...args: A) => Promise<void>) => {
    return async (...args: A): Promise<void> => {
      const at = count++;
      if (at === steps) await half?.(...args);
      if (at === steps || (forGood && at > steps)) throw new Error('EIO: the disk is gone');
      await run(...args);
    };
  };
  return {
    count: () => count,
    makeFolder: around((path: string) => hubDisk.makeFolder(path)),
    // Half a file may be there when the power goes.
    writeFile: around(
      (path: string, text: string) => writeFile(path, text),
      (path, text) => writeFile(path, text.slice(0, text.length / 2)),
    ),
    rename: around((from: string, to: string) => hubDisk.rename(from, to)),
    keepCopy: around((from: string, to: string) => hubDisk.keepCopy(from, to)),
    symlink: around((target: string, path: string) => hubDisk.symlink(target, path)),
    remove: around((path: string) => hubDisk.remove(path)),
    syncFolder: around((_path: string) => Promise.resolve()),
  };
}

function soundDisk(): HubDisk {
  return brokenDisk(Number.POSITIVE_INFINITY, false);
}

interface Case {
  readonly name: string;
  readonly request: ChangeRequest;
  /** The folder before the change. */
  readonly start: string;
  readonly source: string;
  readonly data: string;
  readonly before: Record<string, string>;
  readonly after: Record<string, string>;
}

/** Changes that replace, add and remove files, links and data, with the state before and after each. */
async function cases(t: Test): Promise<{ readonly cases: readonly Case[]; readonly scratch: string }> {
  const scratch = temporaryFolder(t);
  const data = join(scratch, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'list.txt'), 'old\n');
  const small = new SmallHub(join(scratch, 'remote'));
  const listed = 'data:\n  - source_url: https://hub-data.crowdsec.net/list.txt\n    dest_file: list.txt\n';
  small.scenario('a/one', listed);
  small.scenario('a/two');
  small.collection('a/all', { scenarios: ['a/one', 'a/two'] });
  const [empty, full] = [join(scratch, 'empty'), join(scratch, 'full')];
  const sources = [join(scratch, 'remote-1'), join(scratch, 'remote-2')] as const;
  cpSync(small.folder, sources[0], { recursive: true });
  await change(empty, sources[0], data, null);
  cpSync(empty, full, { recursive: true, verbatimSymlinks: true });
  await change(full, sources[0], data, install('collections:a/all'));
  small.scenario('a/one', `${listed}# second\n`);
  small.scenario('a/three');
  small.collection('a/all', { scenarios: ['a/one', 'a/three'] });
  cpSync(small.folder, sources[1], { recursive: true });
  await change(full, sources[1], data, null);
  writeFileSync(join(data, 'list.txt'), 'new\n');
  const all: [string, string, string, ChangeRequest][] = [
    ['install', empty, sources[0], install('collections:a/all')],
    ['upgrade', full, sources[1], upgrade(null, true)],
    ['remove', full, sources[1], remove(['collections:a/all'], { purge: true, force: true })],
  ];
  const made = await Promise.all(
    all.map(async ([name, start, source, request]): Promise<Case> => {
      const end = join(scratch, `${name}-end`);
      cpSync(start, end, { recursive: true, verbatimSymlinks: true });
      await change(end, source, data, request);
      return { name, start, source, data, request, before: snapshot(start), after: snapshot(end) };
    }),
  );
  return { cases: made, scratch };
}

/** Fetches the index when no change is asked for. */
async function change(
  folder: string,
  source: string,
  data: string,
  request: ChangeRequest | null,
  disk: HubDisk = soundDisk(),
): Promise<void> {
  const { hub, close } = openHub({ source, data, folder, disk });
  try {
    await (request === null ? hub.update() : hub.apply(request));
  } finally {
    await close();
  }
}

/** Opens the hub as the next command would. */
async function open(folder: string, source: string, disk: HubDisk = soundDisk()): Promise<void> {
  const { hub, close } = openHub({ source, folder, disk });
  try {
    await hub.apply(install());
  } finally {
    await close();
  }
}

function copyOf({ start }: Case, scratch: string): string {
  const folder = join(mkdtempSync(join(scratch, 'run-')), 'local');
  cpSync(start, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

t.test('a crash at any step leaves the old state or the new one', async (t) => {
  const made = await cases(t);
  for (const one of made.cases) {
    t.not(JSON.stringify(one.before), JSON.stringify(one.after), `${one.name} changes something`);
    const ends = { before: 0, after: 0 };
    for (let step = 0; ; step++) {
      const folder = copyOf(one, made.scratch);
      const disk = brokenDisk(step, true);
      const ended = await change(folder, one.source, one.data, one.request, disk).then(
        () => true,
        () => false,
      );
      await open(folder, one.source);
      const found = JSON.stringify(snapshot(folder));
      if (found === JSON.stringify(one.before)) ends.before++;
      else if (found === JSON.stringify(one.after)) ends.after++;
      else t.same(snapshot(folder), one.after, `${one.name} crashed at step ${step}`);
      if (ended && disk.count() <= step) break;
    }
    t.ok(ends.before > 5 && ends.after > 5, `${one.name}: ${ends.before} times old, ${ends.after} times new`);
  }
});

t.test('a failure at any step takes everything back, or says that it is half way', async (t) => {
  const made = await cases(t);
  for (const one of made.cases) {
    let [taken, half] = [0, 0];
    for (let step = 0; ; step++) {
      const folder = copyOf(one, made.scratch);
      const disk = brokenDisk(step, false);
      const failure: unknown = await change(folder, one.source, one.data, one.request, disk).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (disk.count() <= step) break;
      await open(folder, one.source);
      if (failure === null) t.same(snapshot(folder), one.after, `${one.name}: step ${step} did not matter`);
      else if (messageOf(failure).includes('half way')) {
        half++;
        t.same(snapshot(folder), one.after, `${one.name}: step ${step} is completed by the next command`);
      } else {
        taken++;
        t.same(snapshot(folder), one.before, `${one.name}: step ${step} is taken back`);
      }
    }
    t.ok(taken > 5 && half <= 2, `${one.name}: ${taken} taken back, ${half} half way`);
  }
});

t.test('crashes while recovering do no harm', async (t) => {
  const made = await cases(t);
  await fc.assert(
    fc.asyncProperty(fc.nat(2), fc.nat(60), fc.array(fc.nat(25), { maxLength: 3 }), async (which, step, crashes) => {
      const one = made.cases[which];
      if (one === undefined) throw new Error('no such case');
      const folder = copyOf(one, made.scratch);
      await change(folder, one.source, one.data, one.request, brokenDisk(step, true)).catch(() => {});
      for (const crash of crashes) await open(folder, one.source, brokenDisk(crash, true)).catch(() => {});
      await open(folder, one.source);
      const found = JSON.stringify(snapshot(folder));
      return found === JSON.stringify(one.before) || found === JSON.stringify(one.after);
    }),
    { seed: 20_261, numRuns: 25 },
  );
  t.pass('25 histories of crashes');
});

t.test('what is in the way is not touched', async (t) => {
  const folder = temporaryFolder(t);
  const folders = hubFolders(folder);
  mkdirSync(join(folders.items, 'scenarios'), { recursive: true });
  mkdirSync(join(folders.hub, 'scenarios', 'a', 'x.yaml'), { recursive: true });
  writeFileSync(join(folders.items, 'scenarios', 'x.yaml'), 'mine');
  const before = snapshot(folder);
  const link = { kind: 'link', path: 'scenarios/x.yaml', target: '../../hub/x.yaml' } as const;
  await t.rejects(commit([link], folders, hubDisk), { code: 'HUB_REFUSED', message: /is in the way/ });
  const file = { kind: 'file', folder: 'hub', path: 'scenarios/a/x.yaml', staged: null } as const;
  await t.rejects(commit([file], folders, hubDisk), { code: 'HUB_REFUSED', message: /is in the way/ });
  t.same(snapshot(folder), before);
});

t.test('a journal that cannot be read, or that leads elsewhere, is not followed', async (t) => {
  const folder = temporaryFolder(t);
  const folders = hubFolders(folder);
  mkdirSync(folders.hub, { recursive: true });
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
  const outside = { kind: 'file', folder: 'hub', path: '../victim', staged: null, backup: null };
  for (const text of ['', '{', '[]', JSON.stringify({ direction: 'forward', steps: [outside] })]) {
    writeFileSync(join(folders.hub, '.journal.json'), text);
    await t.rejects(recover(folders, hubDisk), { code: 'HUB_REFUSED', remedy: /Delete that file/ });
    t.ok(existsSync(victim));
  }
});
