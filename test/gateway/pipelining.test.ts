/** Requests that a client sends ahead are judged again before each is passed: a ban counts for those that still wait. */
import t from 'tap';
import { startTestGateway } from '../support/gateway.ts';
import { send } from '../support/raw-client.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';

t.test('a scanner that sends all its requests at once is banned among them', async (t) => {
  const origin = await startNodeOrigin(t, {
    handler(_request, response) {
      response.writeHead(404, { 'content-length': '0' }).end();
      return true;
    },
  });
  const { port } = await startTestGateway(t, { origin: origin.origin });
  const requests = Array.from(
    { length: 30 },
    (_, index) => `GET /missing-${index} HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n`,
  );
  const { responses } = await send(port, requests.join(''), { until: 30 });
  t.same(
    responses.map(({ status }) => status),
    [...Array.from({ length: 11 }, () => 404), ...Array.from({ length: 19 }, () => 403)],
    'answers come in order, and the ban begins after the response that overflows',
  );
  t.same(
    origin.requests.map(({ url }) => url),
    Array.from({ length: 11 }, (_, index) => `/missing-${index}`),
    'the origin hears nothing after the ban',
  );
});
