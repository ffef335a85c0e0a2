/**
 * The load of `bench proxy`, as a child process on a core of its own. Prebuilt requests over a number of keep-alive
 * connections, one in flight on each; every answer is compared with the one that the origin must have given. It must cost
 * less than the proxies it measures: an answer that arrives in one piece is compared without being parsed.
 */
import { connect, type Socket } from 'node:net';
import { readResponses } from '../test/support/http-response.ts';
import { answerOrders } from './load-process.ts';
import { coreBusyUs, processTreeCpuUs } from './process-cpu.ts';
import { clientAddress, clientCount, clientPath, originBody, requestBytes } from './proxy-traffic.ts';

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  /** The process whose tree's CPU time is read at both ends of the measured time. */
  readonly proxyPid: number;
  /** Its core. */
  readonly proxyCore: number;
}

export interface LoadResult {
  /** Answers during the measured time. */
  readonly measured: number;
  /** Answers in all: warm-up, measured time and what was still in flight. */
  readonly total: number;
  readonly elapsedMs: number;
  readonly proxyCpuUs: number;
  readonly loadCpuUs: number;
  /** Time that the proxy's core gave to anything but the proxy: a disturbance. */
  readonly othersUs: number;
}

const requests = Array.from({ length: clientCount }, (_, index) => requestBytes(index));
const bodies = Array.from({ length: clientCount }, (_, index) => originBody(clientPath(index), clientAddress(index)));
const endings = bodies.map((body) => `\r\n\r\n${body}`);

class Load {
  readonly #order: LoadOrder;
  #next = 0;
  #open = 0;
  #answers = 0;
  #stopping = false;
  readonly #done = Promise.withResolvers<void>();

  constructor(order: LoadOrder) {
    this.#order = order;
  }

  async run(): Promise<LoadResult> {
    for (let index = 0; index < this.#order.connections; index += 1) this.#connect();
    await this.#after(this.#order.warmupMs);
    const answersBefore = this.#answers;
    const proxyBefore = processTreeCpuUs(this.#order.proxyPid);
    const coreBefore = coreBusyUs(this.#order.proxyCore);
    const loadBefore = process.cpuUsage();
    const startedAt = performance.now();
    await this.#after(this.#order.measureMs);
    const elapsedMs = performance.now() - startedAt;
    const load = process.cpuUsage(loadBefore);
    const proxyCpuUs = processTreeCpuUs(this.#order.proxyPid) - proxyBefore;
    const othersUs = Math.max(0, coreBusyUs(this.#order.proxyCore) - coreBefore - proxyCpuUs);
    const measured = this.#answers - answersBefore;
    this.#stopping = true;
    await Promise.race([this.#done.promise, this.#after(5000).then(() => this.#fail('some requests had no answer'))]);
    const loadCpuUs = load.user + load.system;
    return { measured, total: this.#answers, elapsedMs, proxyCpuUs, loadCpuUs, othersUs };
  }

  /** Sooner, by rejection, when a fault is found. */
  async #after(ms: number): Promise<void> {
    await Promise.race([new Promise((resolve) => setTimeout(resolve, ms)), this.#done.promise]);
  }

  #fail(fault: string): void {
    this.#stopping = true;
    this.#done.reject(new Error(fault));
  }

  #connect(): void {
    let client = 0;
    let pending = '';
    // The first answer of each connection is parsed, so that its framing is known to be right.
    let parsedOnce = false;
    const ask = (): void => {
      client = this.#next;
      this.#next = client + 1 === clientCount ? 0 : client + 1;
      socket.write(requests[client] ?? '');
    };
    const answered = (): boolean => {
      this.#answers += 1;
      if (!this.#stopping) ask();
      else socket.end();
      return true;
    };
    const take = (length: number, buffer: Uint8Array): boolean => {
      const text = (buffer as Buffer).toString('latin1', 0, length);
      if (parsedOnce && pending === '' && text.startsWith('HTTP/1.1 200 ') && text.endsWith(endings[client] ?? '\0')) {
        return answered();
      }
      pending += text;
      const verdict = judge(pending, bodies[client] ?? '');
      if (verdict === 'incomplete') return true;
      if (verdict !== 'right') {
        this.#fail(`not the origin's answer to ${clientPath(client)} of ${clientAddress(client)}: ${verdict}`);
        return false;
      }
      pending = '';
      parsedOnce = true;
      return answered();
    };
    this.#open += 1;
    const socket: Socket = connect({
      port: this.#order.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: Buffer.allocUnsafe(65_536), callback: take },
    });
    socket.once('connect', ask);
    socket.on('error', (error) => this.#fail(`connection failed: ${error.message}`));
    socket.on('end', () => this.#stopping || this.#fail('the proxy closed a keep-alive connection'));
    socket.once('close', () => {
      this.#open -= 1;
      if (this.#open === 0) this.#done.resolve();
    });
  }
}

/** `right`, `incomplete`, or the wrong answer itself. */
function judge(text: string, body: string): string {
  const [response, second] = readResponses(Buffer.from(text, 'latin1'), { closed: false });
  if (!response?.complete) return text.length < 65_536 ? 'incomplete' : text.slice(0, 500);
  if (second || response.status !== 200 || response.body.toString('latin1') !== body) return text.slice(0, 500);
  return 'right';
}

// The parent sends nothing else.
answerOrders((order) => new Load(order as LoadOrder).run());
