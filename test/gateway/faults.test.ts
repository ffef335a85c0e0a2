/**
 * Origins and clients that misbehave at random, from a seed: every client gets whole answers or a closed connection, nothing
 * that may not be repeated is sent twice, and afterwards nothing is left over.
 */
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { startTestGateway } from '../support/gateway.ts';
import { readResponses } from '../support/http-response.ts';
import { send } from '../support/raw-client.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { accessLines, metricsOf } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

const conversations = 250;
const atOnce = 64;
const queue = 256;

const seed = 20_261_121;
const targets = (
  '/plain /echo /large?bytes=200000 /chunked?count=20&size=500 /status?code=204 /status?code=404 ' +
  '/reset /reset-mid-body /truncate /truncate-chunked /close-idle /close-on-reuse /garbage ' +
  '/early /early?close=1 /early-hints /processing /big-headers?bytes=100000 /hang'
).split(' ');

/** What a client does with its one connection. */
type Manner = 'polite' | 'resets' | 'half-closes' | 'sends garbage' | 'sends half a body';

interface Plan {
  readonly id: number;
  readonly requests: readonly { readonly method: string; readonly target: string; readonly body: string }[];
  readonly manner: Manner;
  /** Bytes to receive before it leaves. */
  readonly patience: number;
}

for (const client of ['http1', 'undici'] as const) {
  t.test(`by ${client}`, async (t) => holdsUnderFaults(t, client));
}

async function holdsUnderFaults(t: Test, client: 'http1' | 'undici'): Promise<void> {
  const origin = await startNodeOrigin(t, { keepAliveTimeoutMs: 60_000 });
  const gateway = await startTestGateway(t, {
    origin: origin.origin,
    admin: { listen: '127.0.0.1:0' },
    // What clients and origins do to each other here must not be taken for an attack.
    detection: { builtin: false },
    upstream: { client, connections: 8, queue, headersTimeout: '400ms', bodyTimeout: '400ms', connectTimeout: '1s' },
    limits: { bodyGrace: '1s', minBodyRate: 1_000_000 },
  });
  const random = createRandom(seed);
  const plans = Array.from({ length: conversations }, (_, id) => planOf(id, random));
  let whole = 0;
  const waiting = [...plans];
  const work = async (): Promise<void> => {
    for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) {
      const answers = await converse(gateway.port, plan);
      whole += answers;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  t.ok(whole > conversations / 2, `${whole} whole answers`);

  const seen = new Map<string, number>();
  for (const { method, url } of origin.requests) {
    const name = `${method} ${url}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  const doubled = [...seen].filter(([name, count]) => count > (/^(?:GET|HEAD|OPTIONS) /.test(name) ? 2 : 1));
  t.strictSame(doubled, [], 'nothing is sent twice that may not be');
  const known = new Set(plans.flatMap(({ requests }) => requests.map(({ method, target }) => `${method} ${target}`)));
  t.strictSame(
    [...seen.keys()].filter((name) => !known.has(name)),
    [],
    'nothing reaches the origin that no client sent',
  );

  const metrics = await eventually(
    () => metricsOf(gateway.gateway.adminUrl ?? ''),
    (found) => found.get('portcullis_connections') === 0,
  );
  t.equal(metrics.get('portcullis_connections'), 0, 'no client connection is left');
  // As many as fit are let in again at once: none of those before is still counted.
  const held = Array.from({ length: queue }, () =>
    send(gateway.port, 'GET /plain HTTP/1.1\r\nHost: site.test\r\n\r\n'),
  );
  const statuses = (await Promise.all(held)).map(({ responses }) => responses[0]?.status);
  t.strictSame(new Set(statuses), new Set([200]), 'the gateway serves as before');
  await gateway.gateway.stop();

  await eventually(
    () => origin.openConnections(),
    (open) => open === 0,
  );
  t.equal(origin.openConnections(), 0, 'no connection to the origin is left');
  const lines = accessLines(`${gateway.folder}/access.log`);
  t.notOk(
    lines.some(({ target }) => target === ''),
    'the rest of a body is no request',
  );
  t.equal(new Set(lines.map(({ requestId }) => requestId)).size, lines.length, 'each request is logged once');
}

/** Resolves with the number of whole answers. Throws on bytes that are no HTTP, and on answers to nothing. */
function converse(port: number, plan: Plan): Promise<number> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const finish = (closed: boolean): void => {
      try {
        const all = readResponses(Buffer.concat(chunks), {
          methods: plan.requests.map(({ method }) => method),
          closed,
        });
        const finals = all.filter(({ status }) => status >= 200);
        if (finals.length > plan.requests.length + 1)
          throw new Error(`${finals.length} answers in conversation ${plan.id}`);
        const whole = finals.filter(({ complete }) => complete).length;
        if (!closed && whole < plan.requests.length) return;
        socket.destroy();
        resolve(whole);
      } catch (thrown) {
        socket.destroy();
        reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      if (plan.manner === 'resets' && received >= plan.patience) {
        socket.resetAndDestroy();
        resolve(0);
      } else finish(false);
    });
    socket.on('error', () => {});
    socket.once('end', () => finish(true));
    socket.once('close', () => finish(true));
    for (const bytes of bytesOf(plan)) socket.write(bytes, 'latin1');
    if (plan.manner === 'half-closes') socket.end();
    if (plan.manner === 'resets' && plan.patience === 0) {
      setImmediate(() => socket.resetAndDestroy());
      resolve(0);
    }
  });
}

function bytesOf({ requests, manner }: Plan): string[] {
  const all = requests.map(({ method, target, body }) => {
    const framing = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
    return `${method} ${target} HTTP/1.1\r\nHost: site.test\r\n${framing}\r\n${body}`;
  });
  if (manner === 'sends garbage') all.push('\x00\x01\r\n\r\n');
  const last = all.at(-1) ?? '';
  if (manner === 'sends half a body' && requests.at(-1)?.body !== '') all[all.length - 1] = last.slice(0, -3);
  return all;
}

function planOf(id: number, random: () => number): Plan {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const requests = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => {
    const target = pick(targets);
    const method = pick(['GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE']);
    const body = method === 'POST' || method === 'PUT' ? 'x'.repeat(1 + Math.floor(random() * 50_000)) : '';
    return { method, body, target: `${target}${target.includes('?') ? '&' : '?'}id=${id}.${index}` };
  });
  const manner = pick<Manner>([
    'polite',
    'polite',
    'polite',
    'resets',
    'half-closes',
    'sends garbage',
    'sends half a body',
  ]);
  return { id, requests, manner, patience: pick([0, 1, 1_000, 100_000]) };
}

/** xorshift32: the same run for the same seed. */
function createRandom(start: number): () => number {
  let state = start;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
