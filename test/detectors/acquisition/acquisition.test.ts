import { spawn } from 'node:child_process';
import { appendFile, mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { type AcquisitionDeps, createAcquisition } from '../../../detectors/acquisition/acquisition.ts';
import { readAcquisition } from '../../../detectors/acquisition/read-acquisition.ts';
import { GatewayError } from '../../../core/errors.ts';
import { createTestSink, fastRuntime, temporaryFolder } from './support.ts';
import { eventually } from '../../support/eventually.ts';

async function acquisition(yaml: string, deps: Partial<AcquisitionDeps> = {}) {
  const { documents, faults } = readAcquisition(yaml, 'acquis.yaml');
  if (faults[0] !== undefined) throw faults[0].error;
  return createAcquisition(documents, { ...fastRuntime(), statePath: null, ...deps });
}

t.test(
  'files of several documents become lines with the labels of their document, live as they are written',
  async (t) => {
    const folder = await temporaryFolder(t);
    const sink = createTestSink();
    const all = await acquisition(
      `filenames: ["${folder}/nginx/*.log"]\nexclude_regexps: ["error"]\nlabels: { type: nginx, zone: a }\n---\nfilename: auth.log\nlabels: { type: syslog }`,
      { base: folder },
    );
    await mkdir(join(folder, 'nginx'));
    await writeFile(join(folder, 'auth.log'), 'old\n');
    all.start(sink);
    await eventually(() => all.status()[1]?.state === 'running');
    await appendFile(join(folder, 'auth.log'), 'new\n');
    await writeFile(join(folder, 'nginx', 'error.log'), 'excluded\n');
    await writeFile(join(folder, 'nginx', 'access.log'), 'first\n');
    await sink.until(2);
    await rename(join(folder, 'nginx', 'access.log'), join(folder, 'nginx', 'access.log.1'));
    await writeFile(join(folder, 'nginx', 'access.log'), 'second\n');
    await sink.until(3);
    t.same(sink.lines.map(({ Raw, Labels }) => `${Labels.type} ${Labels.zone} ${Raw}`).toSorted(), [
      'nginx a first',
      'nginx a second',
      'syslog undefined new',
    ]);
    t.same(sink.modes, [0, 0, 0]);
    await all.close();
    t.match(all.status(), [
      { kind: 'file', name: `${folder}/nginx/*.log`, lines: 2, bytes: 11, dropped: 0, lastError: null, retryAt: null },
      { kind: 'file', name: 'auth.log', lines: 1 },
    ]);
    t.type(all.status()[0]?.lastLineAt, 'number');
  },
);

t.test('polling alone finds everything as well', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.log');
  const sink = createTestSink();
  await writeFile(join(folder, 'there.log'), '');
  const all = await acquisition(
    `filename: ${folder}/*.log\npoll_without_inotify: true\ndiscovery_poll_interval: 10ms\nlabels: { type: x }`,
  );
  all.start(sink);
  await eventually(() => all.status()[0]?.state === 'running');
  await writeFile(path, 'one\n');
  await sink.until(1);
  await appendFile(path, 'two\n');
  await sink.until(2);
  await all.close();
  t.same(sink.raws(), ['one', 'two']);
});

t.test(
  'a log that is written to and rotated all the while: every line once, also while the engine is slow',
  async (t) => {
    const path = join(await temporaryFolder(t), 'a.log');
    const sink = createTestSink();
    await writeFile(path, '');
    const all = await acquisition(`filename: ${path}\nlabels: { type: x }`);
    all.start(sink);
    await eventually(() => all.status()[0]?.state === 'running');
    sink.setRoom(500);
    const slow = setInterval(() => sink.setRoom(500), 3);
    let log = await open(path, 'a');
    // All are kept: a rotation may be quicker than a reader on a busy machine, and what is removed unread is lost to anyone.
    const generations = 20;
    let count = 0;
    const write = async (): Promise<void> => {
      await log.write(Array.from({ length: 10 }, () => `${count++}\n`).join(''));
    };
    for (let round = 0; round < generations; round++) {
      for (let times = 0; times < 100; times++) await write();
      for (let generation = round; generation > 0; generation--) {
        await rename(`${path}.${generation}`, `${path}.${generation + 1}`).catch(() => undefined);
      }
      await rename(path, `${path}.1`);
      // As a program that has not been told yet: it goes on writing to the renamed file.
      await write();
      await log.close();
      log = await open(path, 'a');
    }
    await write();
    await log.close();
    await sink.until(count);
    clearInterval(slow);
    await all.close();
    const numbers = sink.raws().map(Number);
    t.equal(count, 20_210);
    t.equal(numbers.length, count);
    t.equal(new Set(numbers).size, count);
    t.equal(all.status()[0]?.dropped, 0);
  },
);

t.test('a file that two documents name is read for each set of labels, and once for equal ones', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  const sink = createTestSink();
  const document = (type: string): string => `filename: ${path}\nlabels: { type: ${type} }`;
  const all = await acquisition([document('x'), document('y'), document('x')].join('\n---\n'));
  await writeFile(path, '');
  all.start(sink);
  await eventually(() => all.status().filter(({ state }) => state === 'running').length === 2);
  await appendFile(path, 'one\n');
  await sink.until(2);
  await appendFile(path, 'two\n');
  await sink.until(4);
  await all.close();
  t.same(sink.lines.map(({ Raw, Labels }) => `${Labels.type} ${Raw}`).toSorted(), ['x one', 'x two', 'y one', 'y two']);
  t.same(
    all.status().map(({ name }) => name),
    [path, `${path} (2)`, `${path} (3)`],
    'each has a name of its own',
  );
});

t.test('positions are kept over restarts of the whole', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.log');
  const statePath = join(folder, 'state.json');
  const sink = createTestSink();
  const yaml = `filename: ${path}\nlabels: { type: x }`;
  await writeFile(path, 'old\n');
  const first = await acquisition(yaml, { statePath });
  first.start(sink);
  await eventually(() => first.status()[0]?.state === 'running');
  await appendFile(path, 'one\n');
  await sink.until(1);
  await first.close();
  await appendFile(path, 'two\n');
  const second = await acquisition(yaml, { statePath });
  second.start(sink);
  await sink.until(2);
  await second.close();
  t.same(sink.raws(), ['one', 'two']);
});

t.test('mode cat reads everything once, in the time of the lines, and ends', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log');
  const sink = createTestSink();
  await writeFile(path, 'one\ntwo');
  const all = await acquisition(`filename: ${path}\nmode: cat\nlabels: { type: x }`);
  all.start(sink);
  await eventually(() => all.status()[0]?.state === 'ended');
  t.same(sink.raws(), ['one', 'two']);
  t.same(sink.modes, [1, 1]);
  await all.close();
});

t.test('standard input until its end, which waits while there is no room', async (t) => {
  const stdin = new PassThrough();
  const sink = createTestSink();
  const all = await acquisition('source: stdin\nlabels: { type: x }', { stdin });
  sink.setRoom(1);
  all.start(sink);
  stdin.write('one\ntw');
  stdin.end('o\nthree');
  await eventually(() => all.status()[0]?.state === 'waiting');
  sink.setRoom(Infinity);
  await eventually(() => all.status()[0]?.state === 'ended');
  t.same(sink.raws(), ['one', 'two', 'three']);
  await all.close();
});

t.test('closing does not wait for input that never comes', async (t) => {
  const all = await acquisition('source: stdin\nlabels: { type: x }', { stdin: new PassThrough() });
  all.start(createTestSink());
  await all.close();
  await all.close();
  t.pass('closed, twice');
  const never = await acquisition('source: stdin\nlabels: { type: x }', { stdin: new PassThrough() });
  await never.close();
  t.pass('closed without a start');
});

t.test('a transform makes several lines of one; one that fails costs its line', async (t) => {
  const stdin = new PassThrough();
  const sink = createTestSink();
  const all = await acquisition('source: stdin\ntransform: split\nlabels: { type: x }', {
    stdin,
    compileTransform: () => (line) => {
      if (line.Raw === 'bad') throw new Error('not today');
      return line.Raw.split(',');
    },
  });
  all.start(sink);
  stdin.end('a,b\nbad\nc\n');
  await eventually(() => all.status()[0]?.state === 'ended');
  t.same(sink.raws(), ['a', 'b', 'c']);
  t.match(all.status()[0], { dropped: 1, lastError: 'transform: not today' });
  await all.close();
});

t.test('a document that no source can be made of is a fault, the others run', async (t) => {
  const stdin = new PassThrough();
  const all = await acquisition(
    'source: stdin\ntransform: nonsense(\nlabels: { type: x }\n---\nsource: stdin\nlabels: { type: x }',
    {
      stdin,
      compileTransform() {
        throw new GatewayError('EXPRESSION_INVALID', 'unexpected end');
      },
    },
  );
  t.match(all.faults, [
    { file: 'acquis.yaml', line: 1, error: { code: 'ACQUISITION_INVALID', message: /unexpected end/ } },
  ]);
  t.equal(all.status().length, 1);
  await all.close();
});

t.test('every kind of source can be closed at any moment of its start', async (t) => {
  const folder = await temporaryFolder(t);
  const yaml = [
    `filename: ${folder}/*.log`,
    'source: stdin',
    'source: journalctl\njournalctl_filter: [-k]',
    'source: syslog\nlisten_port: 0',
    'source: syslog\nlisten_port: 0\nprotocol: tcp',
    `source: docker\ndocker_host: unix://${folder}/docker.sock\ncontainer_name: [a]`,
    'source: http\nlisten_addr: 127.0.0.1:0\nauth_type: headers\nheaders: { a: b }',
  ].map((text) => `${text}\nlabels: { type: x }\n`);
  await writeFile(join(folder, 'a.log'), 'one\n');
  for (let turns = 0; turns < 12; turns++) {
    const all = await acquisition(yaml.join('---\n'), {
      stdin: new PassThrough(),
      spawnJournal: () => spawn('cat', ['/dev/zero'], { stdio: ['ignore', 'pipe', 'pipe'] }),
    });
    all.start(createTestSink());
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await all.close();
    t.equal(all.status().length, 7);
  }
});
