import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { mostResumeEntries, openResumeStore } from '../../../detectors/acquisition/resume-store.ts';
import { silentRuntime, temporaryFolder } from './support.ts';

t.test('entries come back in the order in which they were last set', async (t) => {
  const path = join(await temporaryFolder(t), 'state.json');
  const store = await openResumeStore(path, silentRuntime);
  store.set('file a', { offset: 1 });
  store.set('file b', { offset: 2, path: '/b' });
  store.set('journal', { cursor: 'c' });
  store.set('file a', { offset: 3 });
  store.delete('journal');
  await store.close();
  const again = await openResumeStore(path, silentRuntime);
  t.same(again.entries('file '), [
    ['file b', { offset: 2, path: '/b' }],
    ['file a', { offset: 3 }],
  ]);
  t.equal(again.get('journal'), undefined);
  await again.close();
});

t.test('the oldest entries make room', async (t) => {
  const store = await openResumeStore(null, silentRuntime);
  for (let number = 0; number < mostResumeEntries + 10; number++) store.set(String(number), { offset: number });
  t.equal(store.entries('').length, mostResumeEntries);
  t.equal(store.get('9'), undefined);
  t.same(store.get('10'), { offset: 10 });
  await store.close();
});

t.test('a damaged file is set aside, and parts that make no sense are left out', async (t) => {
  const folder = await temporaryFolder(t);
  for (const [index, content] of [
    '{"format":1,"entr',
    '[]',
    'null',
    '{"format":2,"entries":{}}',
    '',
    '\0\0',
  ].entries()) {
    const path = join(folder, `${index}.json`);
    await writeFile(path, content);
    const store = await openResumeStore(path, silentRuntime);
    t.same(store.entries(''), []);
    await store.close();
    t.equal(await readFile(`${path}.damaged`, 'utf8'), content);
  }
  const path = join(folder, 'partly.json');
  await writeFile(
    path,
    JSON.stringify({ format: 1, entries: { a: { offset: 1 }, b: null, c: [1], d: { x: {} }, e: 7 } }),
  );
  const store = await openResumeStore(path, silentRuntime);
  t.same(store.entries(''), [['a', { offset: 1 }]]);
  await store.close();
});

t.test('a file that cannot be written is no reason to stop, and nothing is left behind', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'state.json');
  await mkdir(path);
  await writeFile(join(path, 'in-the-way'), '');
  const store = await openResumeStore(join(folder, 'absent', 'state.json'), silentRuntime);
  store.set('a', { offset: 1 });
  await store.save();
  await mkdir(join(folder, 'absent'));
  await store.close();
  t.same(await readdir(join(folder, 'absent')), ['state.json'], 'written once it can be');
});
