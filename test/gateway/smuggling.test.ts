/** Every smuggling shape towards every kind of origin: the origin sees exactly the requests that the gateway judged. */
import t, { type Test } from 'tap';
import { messageOf } from '../../core/errors.ts';
import { headerOf, type RawResponse } from '../support/http-response.ts';
import { startTestGateway } from '../support/gateway.ts';
import { send } from '../support/raw-client.ts';
import { startApache } from '../support/servers/apache.ts';
import { startNginx, type WebServer } from '../support/servers/nginx.ts';
import { type NodeOrigin, startNodeOrigin } from '../support/servers/node-origin.ts';
import { type Shape, smugglingShapes } from './smuggling-shapes.ts';

interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** Null where the origin cannot tell. */
  readonly body: string | null;
}

interface Observed {
  readonly origin: string;
  /** Everything seen so far, once at least `expected` requests were seen. */
  seen(expected: number): Promise<readonly SeenRequest[]>;
}

t.equal(smugglingShapes.length, 177, 'the table is whole');
t.equal(new Set(smugglingShapes.map(({ name }) => name)).size, smugglingShapes.length, 'no name twice');

t.test('towards nginx', async (t) => holdAgainst(t, observedByLog(await startNginx(t)), 'http1'));
t.test('towards Apache', async (t) => holdAgainst(t, observedByLog(await startApache(t)), 'http1'));
t.test('towards Node', async (t) => holdAgainst(t, observedNode(await startNodeOrigin(t)), 'http1'));
t.test('towards nginx, by undici', async (t) => holdAgainst(t, observedByLog(await startNginx(t)), 'undici'));
t.test('towards Node, by undici', async (t) => holdAgainst(t, observedNode(await startNodeOrigin(t)), 'undici'));

async function holdAgainst(t: Test, observed: Observed, client: 'http1' | 'undici'): Promise<void> {
  const { port } = await startTestGateway(t, { origin: observed.origin, upstream: { client } });
  const answers: Record<string, readonly (number | string)[]> = {};
  for (const [index, shape] of smugglingShapes.entries()) {
    answers[shape.name] = await answersTo(port, shape, pathOf(index));
  }
  const wanted = smugglingShapes.map(({ origin: passed, closed }) => [...passed, ...(closed ? [] : [followUp])]);
  const all = await observed.seen(wanted.flat().length);
  for (const [index, shape] of smugglingShapes.entries()) {
    const path = pathOf(index);
    const own = all.filter(({ target }) => target.startsWith(path));
    const found = own.map(({ method, target, body }) => ({ method, rest: target.slice(path.length), body }));
    const bodies = found.every(({ body }) => body !== null);
    t.strictSame(
      { answers: answers[shape.name], origin: found },
      {
        answers: [...shape.answers, ...(shape.closed ? [] : ['origin'])],
        origin: wanted[index]?.map((one) => ({ ...one, body: bodies ? one.body : null })),
      },
      shape.name,
    );
  }
  t.equal(all.length, wanted.flat().length, 'nothing came to the origin that no shape asked for');
}

/** Ends in a letter, so that shape 1 is no prefix of shape 11. */
function pathOf(index: number): string {
  return `/echo/${index}s`;
}

const followUp = { method: 'GET', rest: '/after', body: '' };

/** Sends a shape, and behind one that leaves the connection open a request that shows that both sides are in step. */
async function answersTo(port: number, shape: Shape, path: string): Promise<readonly (number | string)[]> {
  const next = shape.closed ? '' : `GET ${path}/after HTTP/1.1\r\nHost: site.test\r\n\r\n`;
  try {
    const until = shape.closed ? 'close' : shape.answers.length + 1;
    const { responses } = await send(port, [shape.bytes(path), next], { until, timeoutMs: 1_500 });
    return responses.map(answererOf);
  } catch (thrown) {
    return [messageOf(thrown)];
  }
}

/** The gateway's own answers carry the request id and say which status they mean. */
function answererOf(response: RawResponse): number | 'origin' {
  return headerOf(response, 'x-request-id') === null ? 'origin' : response.status;
}

function observedByLog({ origin, log }: WebServer): Observed {
  return {
    origin,
    async seen(expected) {
      await log.waitFor(expected);
      return (await log.requests()).map(({ requestLine, body }) => {
        const [method = '', target = ''] = requestLine.split(' ');
        return { method, target, body };
      });
    },
  };
}

function observedNode(node: NodeOrigin): Observed {
  return {
    origin: node.origin,
    async seen(expected) {
      return (await node.received(expected)).map(({ method, url, body }) => ({
        method,
        target: url,
        body: body.toString('latin1'),
      }));
    },
  };
}
