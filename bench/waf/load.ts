/**
 * The load of `bench waf`, as a child process on a core of its own. The measured time begins and ends with nothing in flight, so
 * that the CPU time of exactly the counted requests is read, however few of them a second there are.
 */
import { connect, type Socket } from 'node:net';
import { readResponses } from '../../test/support/http-response.ts';
import { answerOrders } from '../load-process.ts';
import { coreBusyUs, processTreeCpuUs } from '../process-cpu.ts';
import { bodyRequests, type BodyFormat } from './body-requests.ts';
import { originBody } from './origin.ts';
import { fixedRequests, varyingRequests, type RequestSource } from './shop-requests.ts';

export type Traffic =
  | { readonly kind: 'varying' | 'fixed'; readonly seed: number }
  | { readonly kind: 'body'; readonly format: BodyFormat; readonly bytes: number; readonly seed: number };

export interface WafLoadOrder {
  readonly port: number;
  readonly traffic: Traffic;
  readonly connections: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  readonly pid: number;
  readonly core: number;
}

export interface WafLoadResult {
  readonly measured: number;
  /** The warm-up included. */
  readonly total: number;
  readonly elapsedMs: number;
  readonly cpuUs: number;
  readonly loadCpuUs: number;
  /** Time that the measured core gave to anything else. */
  readonly othersUs: number;
}

/** An answer that takes longer than this will not come. */
const patienceMs = 30_000;
const ending = `\r\n\r\n${originBody}`;

class WafLoad {
  readonly #order: WafLoadOrder;
  readonly #draw: RequestSource;
  readonly #sockets: Socket[] = [];
  readonly #idle: (() => void)[] = [];
  #answers = 0;
  #until = 0;
  #inFlight = 0;
  #drained = Promise.withResolvers<void>();

  constructor(order: WafLoadOrder) {
    this.#order = order;
    this.#draw = sourceOf(order.traffic);
  }

  async run(): Promise<WafLoadResult> {
    const { connections, warmupMs, measureMs, pid, core } = this.#order;
    try {
      for (let index = 0; index < connections; index += 1) this.#idle.push(await this.#connect());
      await this.#phase(warmupMs);
      const before = this.#answers;
      const cpuBefore = processTreeCpuUs(pid);
      const coreBefore = coreBusyUs(core);
      const loadBefore = process.cpuUsage();
      const startedAt = performance.now();
      await this.#phase(measureMs);
      const elapsedMs = performance.now() - startedAt;
      const load = process.cpuUsage(loadBefore);
      const cpuUs = processTreeCpuUs(pid) - cpuBefore;
      const othersUs = Math.max(0, coreBusyUs(core) - coreBefore - cpuUs);
      const measured = this.#answers - before;
      return { measured, total: this.#answers, elapsedMs, cpuUs, loadCpuUs: load.user + load.system, othersUs };
    } finally {
      for (const socket of this.#sockets) socket.destroy();
    }
  }

  /** Sends for `ms`, then waits for what is in flight; at least one request on each connection. */
  async #phase(ms: number): Promise<void> {
    this.#until = performance.now() + ms;
    this.#drained = Promise.withResolvers();
    for (const ask of this.#idle.splice(0)) ask();
    const late = setTimeout(() => this.#fail(`an answer took longer than ${patienceMs} ms`), ms + patienceMs);
    await this.#drained.promise.finally(() => clearTimeout(late));
  }

  #fail(fault: string): void {
    this.#drained.reject(new Error(fault));
  }

  /** Resolves to what sends a request on the new connection. */
  #connect(): Promise<() => void> {
    let request = '';
    let pending = '';
    let parsedOnce = false;
    const ask = (): void => {
      request = this.#draw();
      this.#inFlight += 1;
      socket.write(request, 'latin1');
    };
    const answered = (): boolean => {
      this.#answers += 1;
      this.#inFlight -= 1;
      if (performance.now() < this.#until) ask();
      else {
        this.#idle.push(ask);
        if (this.#inFlight === 0) this.#drained.resolve();
      }
      return true;
    };
    const take = (length: number, buffer: Uint8Array): boolean => {
      const text = (buffer as Buffer).toString('latin1', 0, length);
      if (parsedOnce && pending === '' && text.startsWith('HTTP/1.1 200 ') && text.endsWith(ending)) return answered();
      pending += text;
      const verdict = judge(pending);
      if (verdict === 'incomplete') return true;
      if (verdict !== 'right') {
        this.#fail(`not the origin's answer to ${request.slice(0, 2000)}\n${verdict}`);
        return false;
      }
      pending = '';
      parsedOnce = true;
      return answered();
    };
    const socket = connect({
      port: this.#order.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: Buffer.allocUnsafe(65_536), callback: take },
    });
    this.#sockets.push(socket);
    socket.on('end', () => this.#fail('the peer closed a keep-alive connection'));
    return new Promise((resolve, reject) => {
      socket.on('error', (error) => {
        this.#fail(`connection failed: ${error.message}`);
        reject(error);
      });
      socket.once('connect', () => resolve(ask));
    });
  }
}

function sourceOf(traffic: Traffic): RequestSource {
  switch (traffic.kind) {
    case 'varying':
      return varyingRequests(traffic.seed);
    case 'fixed':
      return fixedRequests(traffic.seed);
    case 'body':
      return bodyRequests(traffic.format, traffic.bytes, traffic.seed);
    default: {
      const never: never = traffic;
      throw new Error(`no traffic ${String(never)}`);
    }
  }
}

/** `right`, `incomplete`, or the wrong answer itself. */
function judge(text: string): string {
  const [response, second] = readResponses(Buffer.from(text, 'latin1'), { closed: false });
  if (!response?.complete) return text.length < 65_536 ? 'incomplete' : text.slice(0, 500);
  if (second || response.status !== 200 || response.body.toString('latin1') !== originBody) return text.slice(0, 500);
  return 'right';
}

// The parent sends nothing else.
answerOrders((order) => new WafLoad(order as WafLoadOrder).run());
