import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { DockerDocument } from '../../../detectors/acquisition/acquisition-document.ts';
import type { AcquisitionSource } from '../../../detectors/acquisition/acquisition-source.ts';
import { labelsFor } from '../../../detectors/acquisition/container-choice.ts';
import { createDockerSource } from '../../../detectors/acquisition/docker-source.ts';
import { createDockerDecoder } from '../../../detectors/acquisition/docker-stream.ts';
import { openResumeStore, type ResumeStore } from '../../../detectors/acquisition/resume-store.ts';
import { compilePattern } from '../../../detectors/regex/compile-pattern.ts';
import { createDockerEngine, type DockerEngine } from '../../support/servers/docker-engine.ts';
import { createTestSink, silentRuntime, temporaryFolder, testParts, type TestSink } from './support.ts';
import { eventually } from '../../support/eventually.ts';

const ids = { web: 'aa'.repeat(32), db: 'bb'.repeat(32), app: 'cc'.repeat(32) };

function docker(options: Partial<DockerDocument> = {}): DockerDocument {
  return {
    source: 'docker',
    name: 'docker',
    labels: { type: 'nginx' },
    timeMachine: false,
    transform: '',
    file: 'acquis.yaml',
    line: 1,
    host: '',
    names: [],
    ids: [],
    namePatterns: [],
    idPatterns: [],
    useContainerLabels: false,
    stdout: true,
    stderr: true,
    since: '',
    until: '',
    checkPeriodMs: 500,
    ...options,
  };
}

interface Rig {
  readonly engine: DockerEngine;
  readonly sink: TestSink;
  readonly resume: ResumeStore;
  /** Stops the clock of the engine: what is written from here on has one time. */
  readonly freeze: (frozen: boolean) => void;
  readonly start: () => Promise<AcquisitionSource>;
}

type Tap = { teardown(run: () => unknown): unknown };

async function rig(t: Tap, options: Partial<DockerDocument> = {}): Promise<Rig> {
  const socketPath = join(await temporaryFolder(t), 'docker.sock');
  let last = BigInt(Date.now()) * 1_000_000n;
  let isFrozen = false;
  const engine = createDockerEngine(socketPath, () => {
    const now = BigInt(Date.now()) * 1_000_000n;
    if (!isFrozen) last = now > last ? now : last + 1n;
    return last;
  });
  await engine.listen();
  t.teardown(() => engine.close());
  const sink = createTestSink();
  const resume = await openResumeStore(null, silentRuntime);
  return {
    engine,
    sink,
    resume,
    freeze(frozen) {
      isFrozen = frozen;
    },
    async start() {
      const source = createDockerSource(
        docker({ host: `unix://${socketPath}`, ...options }),
        await testParts({ resume }),
      );
      t.teardown(() => source.close());
      source.start(sink);
      return source;
    },
  };
}

const isFollowed = (engine: DockerEngine, id: string): boolean =>
  engine.requests.some((path) => path.startsWith(`/containers/${id}/logs`));

t.test(
  'the containers that are named are followed from now on, both streams, and those that start later',
  async (t) => {
    const { engine, sink, start } = await rig(t, { names: ['web'], namePatterns: [compilePattern('^app-')] });
    engine.run({ id: ids.web, name: 'web' });
    engine.run({ id: ids.db, name: 'db' });
    engine.write(ids.web, 'old\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const source = await start();
    await eventually(() => isFollowed(engine, ids.web));
    engine.write(ids.web, 'out\n');
    engine.write(ids.web, 'err\n', 2);
    engine.write(ids.web, 'a long line in ');
    engine.write(ids.web, 'between\n', 2);
    engine.write(ids.web, 'two messages\n');
    engine.run({ id: ids.app, name: 'app-1' });
    engine.write(ids.app, 'at once\n');
    await sink.until(5);
    t.same(
      sink.raws().filter((raw) => raw !== 'at once'),
      ['out', 'err', 'between', 'a long line in two messages'],
    );
    t.ok(sink.raws().includes('at once'));
    t.match(sink.lines[0], { Src: 'web', Module: 'docker', Labels: { type: 'nginx' } });
    t.notOk(isFollowed(engine, ids.db));
    t.equal(source.status().state, 'running');
  },
);

t.test('the log of a terminal has no frames', async (t) => {
  const { engine, sink, start } = await rig(t, { ids: [ids.web.slice(0, 12)] });
  engine.run({ id: ids.web, name: 'web', tty: true });
  await start();
  await eventually(() => isFollowed(engine, ids.web));
  engine.write(ids.web, 'one\r\n');
  engine.write(ids.web, 'two\r\n');
  await sink.until(2);
  t.same(sink.raws(), ['one', 'two']);
});

t.test('only the stream that is asked for', async (t) => {
  const { engine, sink, start } = await rig(t, { names: ['web'], stderr: false });
  engine.run({ id: ids.web, name: 'web' });
  await start();
  await eventually(() => isFollowed(engine, ids.web));
  engine.write(ids.web, 'err\n', 2);
  engine.write(ids.web, 'out\n');
  await sink.until(1);
  t.same(sink.raws(), ['out']);
});

t.test('containers bring their labels', async (t) => {
  const { engine, sink, start } = await rig(t, { labels: {}, useContainerLabels: true });
  engine.run({
    id: ids.web,
    name: 'web',
    labels: { 'crowdsec.enable': 'true', 'crowdsec.labels.type': 'caddy', 'crowdsec.labels.zone': 'a' },
  });
  engine.run({ id: ids.db, name: 'db', labels: { 'crowdsec.enable': 'true' } });
  engine.run({ id: ids.app, name: 'app', labels: { 'crowdsec.labels.type': 'x' } });
  const source = await start();
  await eventually(() => isFollowed(engine, ids.web));
  engine.write(ids.web, 'one\n');
  await sink.until(1);
  t.strictSame({ ...sink.lines[0]?.Labels }, { type: 'caddy', zone: 'a' });
  t.match(source.status().lastError, /db is enabled and has no label/);
});

t.test('over restarts of the gateway, the container and Docker every line comes once', async (t) => {
  const { engine, sink, freeze, start } = await rig(t, { names: ['web'] });
  engine.run({ id: ids.web, name: 'web' });
  const first = await start();
  await eventually(() => isFollowed(engine, ids.web));
  freeze(true);
  for (const text of ['1\n', '2\n', '3\n']) engine.write(ids.web, text);
  await sink.until(3);
  await first.close();
  // At the very time at which the last line was read.
  engine.write(ids.web, '4\n');
  freeze(false);
  engine.write(ids.web, '5\n');
  const second = await start();
  await sink.until(5);
  engine.stop(ids.web);
  engine.run({ id: ids.web, name: 'web' });
  engine.write(ids.web, '6\n');
  await sink.until(6);
  await engine.close();
  await eventually(() => second.status().state === 'failed');
  t.match(second.status().lastError, /Docker/);
  engine.write(ids.web, '7\n');
  await engine.listen();
  await sink.until(7);
  t.same(sink.raws(), ['1', '2', '3', '4', '5', '6', '7']);
  t.equal(second.status().state, 'running');
});

t.test('a broken stream is given up and read again, what Docker refuses is shown', async (t) => {
  const { engine, sink, start } = await rig(t, { names: ['web'] });
  engine.run({ id: ids.web, name: 'web' });
  const source = await start();
  await eventually(() => isFollowed(engine, ids.web));
  engine.write(ids.web, '1\n');
  await sink.until(1);
  engine.writeRaw(ids.web, Buffer.from('this is no frame at all'));
  await eventually(() => source.status().lastError?.includes('broken frame') === true);
  engine.write(ids.web, '2\n');
  await sink.until(2);
  t.same(sink.raws(), ['1', '2']);
});

t.test('without Docker the source says what to do', async (t) => {
  const { engine, start } = await rig(t, { names: ['web'] });
  await engine.close();
  const source = await start();
  await eventually(() => source.status().state === 'failed');
  t.match(source.status(), { lastError: /Docker at unix:.*ENOENT|ECONNREFUSED/ });
  await engine.listen();
  await eventually(() => engine.requests.length > 0);
});

t.test('which containers are meant', async (t) => {
  const container = { id: ids.web, name: 'web-1', labels: { 'crowdsec.enable': '1' } };
  const meant = (options: Partial<DockerDocument>): boolean => labelsFor(container, docker(options)) !== null;
  t.ok(meant({ names: ['web-1'] }));
  t.notOk(meant({ names: ['web'] }));
  t.ok(meant({ ids: [ids.web] }));
  t.ok(meant({ ids: [ids.web.slice(0, 12)] }));
  t.notOk(meant({ ids: [ids.web.slice(0, 5)] }), 'too short to be a name for one container');
  t.ok(meant({ idPatterns: [compilePattern('^aa')] }));
  t.type(labelsFor(container, docker({ labels: {}, useContainerLabels: true })), 'string');
});

t.test('however the stream is cut, the same lines come out; garbage is refused and never hangs', async (t) => {
  const frame = (stream: number, text: string): Buffer => {
    const payload = Buffer.from(`2026-01-02T03:04:05.123456789Z ${text}`);
    const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(payload.length, 4);
    return Buffer.concat([header, payload]);
  };
  const text = fc.string({ unit: fc.constantFrom('a', ' ', 'é', '2'), maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(1, 2), text), { maxLength: 8 }),
      fc.integer({ min: 1, max: 50 }),
      (all, cut) => {
        const bytes = Buffer.concat(all.map(([stream, text]) => frame(stream, `${text}\n`)));
        const decoder = createDockerDecoder(false, 40);
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += cut) {
          for (const line of decoder.feed(bytes.subarray(at, at + cut))) found.push(line.truncated ? '…' : line.text);
        }
        t.same(
          found,
          all.map(([, text]) => (Buffer.byteLength(text) > 40 ? '…' : text)),
        );
      },
    ),
    { numRuns: 300, seed: 8 },
  );
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), fc.boolean(), (chunks, isTerminal) => {
      const decoder = createDockerDecoder(isTerminal, 40);
      try {
        for (const chunk of chunks) decoder.feed(Buffer.from(chunk));
      } catch (error) {
        return /broken frame/.test(String(error));
      }
      return true;
    }),
    { numRuns: 1_000, seed: 8 },
  );
});
