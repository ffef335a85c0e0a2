import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import type { SyslogDocument } from '../../../detectors/acquisition/acquisition-document.ts';
import type { AcquisitionSource } from '../../../detectors/acquisition/acquisition-source.ts';
import { createSyslogSource } from '../../../detectors/acquisition/syslog-source.ts';
import { createTestSink, testParts, type TestSink } from './support.ts';
import { eventually } from '../../support/eventually.ts';

const line = (text: string): string => `<38>Oct 11 22:14:15 host sshd[1]: ${text}`;

interface Rig {
  readonly sink: TestSink;
  readonly source: AcquisitionSource;
  readonly port: number;
}

async function rig(t: Tap, options: Partial<SyslogDocument> = {}): Promise<Rig> {
  const document: SyslogDocument = {
    source: 'syslog',
    name: 'syslog',
    labels: { type: 'syslog' },
    timeMachine: false,
    transform: '',
    file: 'acquis.yaml',
    line: 1,
    protocol: 'udp',
    host: '127.0.0.1',
    port: 0,
    maxMessageBytes: 2048,
    raw: false,
    ...options,
  };
  const sink = createTestSink();
  const source = createSyslogSource(document, await testParts());
  t.teardown(() => source.close());
  source.start(sink);
  await eventually(() => source.status().address !== null);
  return { sink, source, port: Number(source.status().address?.split(':').at(-1)) };
}

type Tap = { teardown(run: () => unknown): unknown };

async function sendDatagrams(port: number, messages: readonly (string | Buffer)[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const message of messages) await new Promise((resolve) => socket.send(message, port, '127.0.0.1', resolve));
  socket.close();
}

async function open(t: Tap, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

t.test('UDP: messages become lines from their sender, garbage is counted', async (t) => {
  const { sink, source, port } = await rig(t);
  await sendDatagrams(port, [
    line('one'),
    `${line('two')}\n`,
    'garbage',
    Buffer.from([0xff, 0, 0xfe]),
    line('x'.repeat(4_000)),
  ]);
  await sink.until(3);
  await eventually(() => source.status().dropped === 2);
  t.same(sink.raws().slice(0, 2), ['Oct 11 22:14:15 host sshd[1]: one', 'Oct 11 22:14:15 host sshd[1]: two']);
  t.equal(line('').length - 4 + (sink.raws()[2]?.match(/x+$/)?.[0].length ?? 0), 2048 - 4);
  t.match(sink.lines[0], { Src: '127.0.0.1', Module: 'syslog', Labels: { type: 'syslog' } });
  t.match(source.status(), { lines: 3, truncated: 1, state: 'running', lastError: /127\.0\.0\.1: .*RFC/ });
});

t.test('UDP: without room messages are dropped and counted, and later ones come again', async (t) => {
  const { sink, source, port } = await rig(t);
  sink.setRoom(2);
  await sendDatagrams(port, ['1', '2', '3', '4', '5'].map(line));
  await eventually(() => source.status().dropped === 3);
  sink.setRoom(Infinity);
  await sendDatagrams(port, [line('6')]);
  await sink.until(3);
  t.same(
    sink.raws().map((raw) => raw.at(-1)),
    ['1', '2', '6'],
  );
});

t.test('without the parser only the priority is taken off', async (t) => {
  const { sink, source, port } = await rig(t, { raw: true });
  await sendDatagrams(port, ['<13>any {"json":1} ', 'no priority', '<13>CEF:0|x\n']);
  await sink.until(2);
  t.same(sink.raws(), ['any {"json":1} ', 'CEF:0|x']);
  t.equal(source.status().dropped, 1);
});

t.test('TCP: both framings, in any pieces, and the last message of a connection', async (t) => {
  const { sink, port } = await rig(t, { protocol: 'tcp' });
  const socket = await open(t, port);
  const counted = line('counted\nwith a line end');
  for (const piece of `${line('first')}\n${Buffer.byteLength(counted)} ${counted}${line('last')}`.match(/.{1,7}/gs) ??
    [])
    socket.write(piece);
  socket.end();
  await sink.until(3);
  t.same(
    sink.raws().map((raw) => raw.replace(/^.*?: /, '')),
    ['first', 'counted\nwith a line end', 'last'],
  );
});

t.test('TCP: a sender waits while there is no room, and nothing is lost', async (t) => {
  const { sink, source, port } = await rig(t, { protocol: 'tcp' });
  sink.setRoom(10);
  const socket = await open(t, port);
  for (let number = 0; number < 20_000; number++) socket.write(`${line(String(number))}\n`);
  socket.end();
  await sink.until(10);
  await eventually(() => source.status().state === 'waiting');
  t.equal(sink.lines.length, 10);
  sink.setRoom(Infinity);
  await sink.until(20_000);
  t.same(
    sink.raws().map((raw) => Number(/\d+$/.exec(raw)?.[0])),
    Array.from({ length: 20_000 }, (_, index) => index),
  );
  t.equal(source.status().dropped, 0);
});

t.test('TCP: who begins a message and does not end it is cut off; who is silent between messages is not', async (t) => {
  const { sink, port } = await rig(t, { protocol: 'tcp' });
  const silent = await open(t, port);
  silent.write(`${line('one')}\n`);
  await sink.until(1);
  const slow = await open(t, port);
  slow.write('<38>Oct 11');
  // Drips on, so that it is not the silence that ends it.
  const drip = setInterval(() => slow.write('x'), 50);
  await once(slow, 'close');
  clearInterval(drip);
  silent.write(`${line('two')}\n`);
  await sink.until(2);
  t.pass('the silent one is still there');
});

t.test('TCP: a stream that cannot be understood ends, the connections of one sender are bounded', async (t) => {
  const { sink, source, port } = await rig(t, { protocol: 'tcp' });
  const broken = await open(t, port);
  broken.write('123456789012 ');
  await once(broken, 'close');
  t.equal(source.status().dropped, 1);
  const sockets: Socket[] = [];
  for (let count = 0; count < 32; count++) sockets.push(await open(t, port));
  const tooMany = await open(t, port);
  tooMany.resume();
  await once(tooMany, 'close');
  t.match(source.status().lastError, /most for one sender/);
  sockets[31]?.write(`${line('still here')}\n`);
  await sink.until(1);
  t.equal(sink.lines.length, 1);
});

t.test('an address that is taken is tried again until it is free', async (t) => {
  for (const protocol of ['udp', 'tcp'] as const) {
    const first = await rig(t, { protocol });
    const second = rig(t, { protocol, port: first.port });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await first.source.close();
    const { source, sink, port } = await second;
    t.equal(port, first.port);
    if (protocol === 'udp') await sendDatagrams(port, [line('x')]);
    else (await open(t, port)).end(`${line('x')}\n`);
    await sink.until(1);
    t.equal(source.status().state, 'running');
  }
});

const logger =
  spawnSync('logger', ['--version']).status === 0 ? false : 'logger is not installed (Debian package bsdutils)';
t.test('what util-linux logger sends, in both formats and over both transports', { skip: logger }, async (t) => {
  for (const protocol of ['udp', 'tcp'] as const) {
    const { sink, port } = await rig(t, { protocol });
    const transport = protocol === 'udp' ? ['--udp'] : ['--tcp'];
    for (const format of [['--rfc3164'], ['--rfc5424'], ['--rfc5424', '--octet-count']]) {
      const before = sink.lines.length;
      const args = [
        '--server',
        '127.0.0.1',
        '--port',
        String(port),
        '--tag',
        'sshd',
        '--id=42',
        ...transport,
        ...format,
      ];
      const child = spawn('logger', [...args, 'Failed password']);
      await once(child, 'close');
      if (protocol === 'udp' && format.includes('--octet-count')) continue;
      await sink.until(before + 1);
      t.match(
        sink.raws().at(-1),
        /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \S+ sshd\[42\]: Failed password$/,
        `${protocol} ${format.join(' ')}`,
      );
    }
  }
});
