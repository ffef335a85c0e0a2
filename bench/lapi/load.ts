/** The load of `bench lapi`, as a child process on a core of its own: bouncers that ask, machines that report, visitors. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOrders } from '../load-process.ts';
import { coreBusyUs, forgetPeak, peakResidentBytes, processTreeCpuUs, residentBytes } from '../process-cpu.ts';
import { type BenchAnswer, KeepAliveClient, requestOf } from './keep-alive-client.ts';

interface Server {
  readonly port: number;
  readonly pid: number;
  /** The core that it runs on. */
  readonly core: number;
  readonly key: string;
}

export type LapiLoadOrder =
  /** Live questions over some connections; every other one about an address that has a decision. */
  | (Server & {
      readonly kind: 'live';
      readonly hits: readonly string[];
      readonly connections: number;
      readonly warmupMs: number;
      readonly measureMs: number;
    })
  /** One stream from the start. */
  | (Server & { readonly kind: 'stream'; readonly startup: boolean })
  /** Alerts one after the other, while bouncers poll. */
  | (Server & {
      readonly kind: 'alerts';
      readonly token: string;
      readonly alerts: readonly string[];
      readonly pollers: readonly string[];
      readonly pollMs: number;
    })
  /** Visitors of a site at a steady rate; with `streams`, bouncers read the stream from the start all the while. */
  | (Server & {
      readonly kind: 'visitors';
      readonly sitePort: number;
      readonly perSecond: number;
      readonly measureMs: number;
      readonly streams: number;
    });

export interface LapiLoadResult {
  /** Answers within the measured time. */
  readonly answers: number;
  readonly elapsedMs: number;
  readonly cpuUs: number;
  /** Time that the measured core gave to anything else. */
  readonly othersUs: number;
  readonly bytes: number;
  /** Decisions in the answers. */
  readonly decisions: number;
  /** Alerts that had to be sent again. */
  readonly refused: number;
  /** Most memory seen meanwhile, and at the beginning. */
  readonly peakBytes: number;
  readonly startBytes: number;
  /** Of each answer, in milliseconds, in order of arrival. */
  readonly latencies: readonly number[];
}

const retryMs = 10;
const readersStartMs = 1_000;
const agent = 'crowdsec-firewall-bouncer/v0.0.34';

async function run(order: LapiLoadOrder): Promise<LapiLoadResult> {
  switch (order.kind) {
    case 'live':
      return live(order);
    case 'stream':
      return stream(order);
    case 'alerts':
      return alerts(order);
    case 'visitors':
      return visitors(order);
    default:
      return order satisfies never;
  }
}

async function live(order: Extract<LapiLoadOrder, { kind: 'live' }>): Promise<LapiLoadResult> {
  const headers = { 'X-Api-Key': order.key, 'User-Agent': agent };
  const questions = order.hits.flatMap((hit, index) => [
    { request: requestOf('GET', `/v1/decisions?ip=${hit}`, headers), hit },
    { request: requestOf('GET', `/v1/decisions?ip=198.18.${(index >> 8) & 255}.${index & 255}`, headers), hit: null },
  ]);
  let next = 0;
  let answers = 0;
  const run = { stops: false };
  const loop = async (): Promise<void> => {
    const client = await KeepAliveClient.open(order.port);
    while (!run.stops) {
      const question = questions[next++ % questions.length];
      if (question === undefined) throw new Error('no questions');
      const { status, body } = await client.ask(question.request);
      const right = question.hit === null ? body === 'null' : body.includes(`"value":"${question.hit}"`);
      if (status !== 200 || !right) throw new Error(`a live question was answered ${status}: ${body.slice(0, 200)}`);
      answers++;
    }
    client.close();
  };
  const loops = Array.from({ length: order.connections }, loop);
  const measured = async (): Promise<LapiLoadResult> => {
    await sleep(order.warmupMs);
    const before = answers;
    const meter = startMeter(order);
    await sleep(order.measureMs);
    const figures = meter.stop();
    const count = answers - before;
    run.stops = true;
    return { ...figures, answers: count, bytes: 0, decisions: 0, refused: 0, latencies: [] };
  };
  const [result] = await Promise.all([measured(), ...loops]);
  return result;
}

async function stream(order: Extract<LapiLoadOrder, { kind: 'stream' }>): Promise<LapiLoadResult> {
  const client = await KeepAliveClient.open(order.port);
  const meter = startMeter(order);
  const { bytes, ids } = await readStream(client, order.key, { startup: order.startup });
  const figures = meter.stop();
  client.close();
  return { ...figures, answers: 1, bytes, decisions: ids, refused: 0, latencies: [figures.elapsedMs] };
}

async function readStream(
  client: KeepAliveClient,
  key: string,
  { startup, scopes }: { readonly startup: boolean; readonly scopes?: string },
): Promise<BenchAnswer> {
  const path = `/v1/decisions/stream?startup=${startup}${scopes === undefined ? '' : `&scopes=${scopes}`}`;
  const answer = await client.ask(requestOf('GET', path, { 'X-Api-Key': key, 'User-Agent': agent }));
  if (answer.status !== 200) throw new Error(`the stream was answered ${answer.status}: ${answer.body.slice(0, 200)}`);
  return answer;
}

async function alerts(order: Extract<LapiLoadOrder, { kind: 'alerts' }>): Promise<LapiLoadResult> {
  const run = { stops: false };
  const poller = async (client: KeepAliveClient, index: number): Promise<void> => {
    await sleep((order.pollMs * index) / order.pollers.length);
    while (!run.stops) {
      await readStream(client, order.pollers[index] ?? '', { startup: false });
      await sleep(order.pollMs);
    }
    client.close();
  };
  const clients = await Promise.all(order.pollers.map(() => KeepAliveClient.open(order.port)));
  // A bouncer has started up before it polls. Of no scope there is nothing to be told, so this takes no time.
  for (const [index, client] of clients.entries()) {
    await readStream(client, order.pollers[index] ?? '', { startup: true, scopes: 'none' });
  }
  const pollers = clients.map(poller);
  const report = async (): Promise<LapiLoadResult> => {
    await sleep(order.pollMs);
    const client = await KeepAliveClient.open(order.port);
    const headers = { Authorization: `Bearer ${order.token}`, 'User-Agent': 'crowdsec/v1.6.3' };
    const latencies: number[] = [];
    let refused = 0;
    const meter = startMeter(order);
    for (const alert of order.alerts) {
      const request = requestOf('POST', '/v1/alerts', headers, alert);
      const startedAt = performance.now();
      let answer = await client.ask(request);
      // SQLite under CrowdSec at times finds its file locked by the pollers. A machine sends the alert again, and so the time goes on.
      for (; answer.status === 500 && answer.body.includes('database is locked'); refused++) {
        await sleep(retryMs);
        answer = await client.ask(request);
      }
      latencies.push(performance.now() - startedAt);
      if (answer.status !== 201)
        throw new Error(`an alert was answered ${answer.status}: ${answer.body.slice(0, 200)}`);
      // Machines report now and then, not as fast as they can.
      await sleep(5);
    }
    const figures = meter.stop();
    run.stops = true;
    client.close();
    return { ...figures, answers: latencies.length, bytes: 0, decisions: 0, refused, latencies };
  };
  const [result] = await Promise.all([report(), ...pollers]);
  return result;
}

async function visitors(order: Extract<LapiLoadOrder, { kind: 'visitors' }>): Promise<LapiLoadResult> {
  const { perSecond, measureMs, sitePort } = order;
  const idle: KeepAliveClient[] = [];
  const latencies: number[] = [];
  const pending: Promise<void>[] = [];
  let streamed = 0;
  const readers = Array.from({ length: order.streams }, () => {
    const reader = fork(join(import.meta.dirname, 'stream-reader.ts'), [String(order.port), order.key]);
    return reader.on('message', (ids: number) => void (streamed += ids));
  });
  // The first answer is on its way then.
  await sleep(readersStartMs);
  // The time that counts begins when a request was due, not when this process got round to sending it.
  const visit = async (dueAt: number, number: number): Promise<void> => {
    const client = idle.pop() ?? (await KeepAliveClient.open(sitePort));
    const address = `203.0.${(number >> 8) & 255}.${number & 255}`;
    const headers = { 'X-Forwarded-For': address, 'User-Agent': 'Mozilla/5.0', Accept: 'text/html' };
    const { status } = await client.ask(requestOf('GET', `/page-${number % 50}`, headers));
    if (status !== 200) throw new Error(`a visitor was answered ${status}`);
    latencies.push(performance.now() - dueAt);
    idle.push(client);
  };
  const meter = startMeter(order);
  const startedAt = performance.now();
  for (let number = 0; performance.now() - startedAt < measureMs; number++) {
    const dueAt = startedAt + (number * 1_000) / perSecond;
    const wait = dueAt - performance.now();
    if (wait > 1) await sleep(wait);
    pending.push(visit(dueAt, number));
  }
  await Promise.all(pending);
  const figures = meter.stop();
  for (const reader of readers) reader.kill();
  if (readers.length > 0 && streamed === 0) throw new Error('no bouncer has read a whole stream meanwhile');
  for (const client of idle) client.close();
  return { ...figures, answers: latencies.length, bytes: 0, decisions: streamed, refused: 0, latencies };
}

/** What the server spends while something happens. */
function startMeter({ pid, core }: Server) {
  forgetPeak(pid);
  const startBytes = residentBytes(pid);
  const busyBefore = coreBusyUs(core);
  const cpuBefore = processTreeCpuUs(pid);
  // Looking takes milliseconds, which are nobody's.
  const startedAt = performance.now();
  return {
    stop() {
      const elapsedMs = performance.now() - startedAt;
      const cpuUs = processTreeCpuUs(pid) - cpuBefore;
      return {
        elapsedMs,
        cpuUs,
        othersUs: Math.max(0, coreBusyUs(core) - busyBefore - cpuUs),
        startBytes,
        peakBytes: peakResidentBytes(pid),
      };
    },
  };
}

answerOrders((order) => run(order as LapiLoadOrder));
