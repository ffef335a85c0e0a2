/** The contract of `Store`: named allowlists. */
import type { Test } from 'tap';
import type { StoreWrite } from '../../../remediation/store/store.ts';
import { hour, sampleDecision, sampleEntry, start } from '../store-samples.ts';
import { type Open, added, followerOf } from './tools.ts';

export function allowlists(t: Test, open: Open): void {
  t.test('allowlists have names; an entry makes the list that it stands on', async (t) => {
    const { store, runtime } = await open(t);
    const office = { name: 'office', description: 'ours', createdAt: 5, updatedAt: 6 };
    await store.apply([{ kind: 'allowlist-created', list: office }]);
    t.strictSame(await store.allowlists(), [office], 'a list may be empty');
    const before = runtime.clock.now();
    await store.apply([{ kind: 'allowlist-added', entry: sampleEntry('192.0.2.1', { list: 'made' }) }]);
    const [made, still] = await store.allowlists();
    t.match(made, { name: 'made', description: '' });
    t.ok((made?.createdAt ?? 0) >= before && made?.updatedAt === made?.createdAt);
    t.strictSame(still, office);
    await store.apply([{ kind: 'allowlist-created', list: { ...office, name: 'made', description: 'why' } }]);
    t.match(await store.allowlists(), [{ name: 'made', description: 'why', createdAt: 5 }, office]);
    t.equal((await store.allowlist()).length, 1, 'its entries stay');
  });

  t.test('a list changes when its entries do', async (t) => {
    const { store, runtime } = await open(t);
    const times = async (): Promise<unknown[]> => {
      const [list] = await store.allowlists();
      return [list?.description, list?.createdAt, (list?.updatedAt ?? 0) - start >= hour];
    };
    const list = { name: 'office', description: '1|2|3', createdAt: -5, updatedAt: -6 };
    await store.apply([{ kind: 'allowlist-created', list }]);
    t.same(await times(), ['1|2|3', -5, false]);
    runtime.clock.jump(hour);
    await store.apply([{ kind: 'allowlist-added', entry: sampleEntry('192.0.2.1', { list: 'office' }) }]);
    t.same(await times(), ['1|2|3', -5, true]);
    await store.apply([{ kind: 'allowlist-created', list }]);
    await store.apply([{ kind: 'allowlist-deleted', list: 'office', value: '192.0.2.1' }]);
    t.same(await times(), ['1|2|3', -5, true]);
    await store.apply([{ kind: 'allowlist-deleted', list: 'never made', value: '192.0.2.1' }]);
    t.equal((await store.allowlists()).length, 1, 'deleting makes no list');
  });

  t.test('the same value on two lists is two entries', async (t) => {
    const { store } = await open(t);
    const entries = ['b', 'a', '["a'].map((list) => sampleEntry('192.0.2.1', { list, comment: list }));
    await store.apply(entries.map((entry) => ({ kind: 'allowlist-added', entry })));
    t.strictSame(await store.allowlist(), entries);
    const follower = followerOf(t, store, null);
    t.same(
      await follower.untilSnapshotEnd(),
      entries.map((entry) => ({ kind: 'allowlist-added', entry })),
    );
    const removal = { kind: 'allowlist-deleted', list: 'a', value: '192.0.2.1' } as const;
    await store.apply([removal]);
    t.same(await follower.next(1), [removal]);
    t.strictSame(await store.allowlist(), [entries[0], entries[2]]);
  });

  t.test('a removed list takes its entries with it, and followers hear of each', async (t) => {
    const { store } = await open(t);
    const entry = (list: string, value: string): StoreWrite => ({
      kind: 'allowlist-added',
      entry: sampleEntry(value, { list }),
    });
    await store.apply([
      entry('default', '192.0.2.1'),
      entry('office', '192.0.2.1'),
      entry('office', '192.0.2.0/24'),
      entry('office"', '192.0.2.0/24'),
      { kind: 'allowlist-deleted', list: 'office', value: '192.0.2.0/24' },
      entry('office', '198.51.100.0/24'),
    ]);
    const follower = followerOf(t, store, null);
    await follower.untilSnapshotEnd();
    await store.apply([
      { kind: 'allowlist-removed', name: 'office' },
      { kind: 'allowlist-removed', name: 'nobody' },
      added(sampleDecision(1)),
    ]);
    t.same(await follower.next(3), [
      { kind: 'allowlist-deleted', list: 'office', value: '192.0.2.1' },
      { kind: 'allowlist-deleted', list: 'office', value: '198.51.100.0/24' },
      added(sampleDecision(1)),
    ]);
    t.same(
      (await store.allowlists()).map(({ name }) => name),
      ['default', 'office"'],
    );
    t.equal((await store.allowlist()).length, 2);
    await store.apply([{ kind: 'allowlist-removed', name: 'default' }, entry('office', '192.0.2.9')]);
    t.same(
      (await store.allowlist()).map(({ list, value }) => [list, value]),
      [
        ['office"', '192.0.2.0/24'],
        ['office', '192.0.2.9'],
      ],
    );
  });
}
