/** The traffic of `bench waf` is what it says, and its load counts exactly the requests that it measures. */
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { startLoadProcess } from '../../bench/load-process.ts';
import { bodyFormats, bodyRequests } from '../../bench/waf/body-requests.ts';
import { drawGrowth } from '../../bench/waf/growth-chart.ts';
import type { WafLoadOrder, WafLoadResult } from '../../bench/waf/load.ts';
import { originBody } from '../../bench/waf/origin.ts';
import { fixedRequests, varyingRequests } from '../../bench/waf/shop-requests.ts';
import { readWafOptions } from '../../bench/waf/waf-options.ts';
import type { Teardown } from '../support/servers/process.ts';

interface Parsed {
  readonly line: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

function parse(request: string): Parsed {
  const end = request.indexOf('\r\n\r\n');
  const [line = '', ...fields] = request.slice(0, end).split('\r\n');
  const headers = new Map(
    fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 2)]),
  );
  return { line, headers, body: request.slice(end + 4) };
}

t.test('seven page views to one form post, each different, the same for a seed', async (t) => {
  const draw = varyingRequests(7);
  const again = varyingRequests(7);
  const requests = Array.from({ length: 4000 }, draw);
  t.same(Array.from({ length: 4000 }, again), requests);
  t.equal(new Set(requests).size, 4000);
  const parsed = requests.map(parse);
  const posts = parsed.filter(({ line }) => line.startsWith('POST '));
  t.equal(posts.length, 500);
  t.ok(posts.every(({ headers, body }) => Number(headers.get('content-length')) === body.length && body.length > 200));
  t.ok(parsed.every(({ line }) => /^(?:GET|POST) \/\S* HTTP\/1\.1$/.test(line)));
  t.ok(parsed.every(({ headers }) => headers.size >= 13 && headers.get('cookie')?.split('; ').length === 3));
});

t.test('the fixed mix is eight requests over and over, from another client each time', async (t) => {
  const draw = fixedRequests(7);
  const requests = Array.from({ length: 80 }, draw);
  t.equal(new Set(requests).size, 80);
  const withoutClient = requests.map((request) => request.replace(/(?<=X-Forwarded-For: )[0-9.]+/, ''));
  t.equal(new Set(withoutClient).size, 8);
  t.same(withoutClient.slice(0, 8), withoutClient.slice(8, 16));
});

t.test('bodies have the size that was asked for and are sound', async (t) => {
  let cases = 0;
  for (const format of bodyFormats) {
    for (const bytes of [100, 1000, 10_000, 100_000]) {
      const draw = bodyRequests(format, bytes, 3);
      const { headers, body } = parse(draw());
      t.equal(Number(headers.get('content-length')), body.length);
      t.ok(body.length >= bytes * 0.9 && body.length <= bytes * 1.15 + 120, `${format} ${bytes}: ${body.length}`);
      if (format === 'json') t.type(JSON.parse(body), 'object');
      cases += 1;
    }
  }
  t.equal(cases, 16);
});

const skip = process.platform === 'linux' ? false : 'reads /proc, which only Linux has';

async function loadOn(t: Teardown, answer: RequestListener): Promise<WafLoadResult> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const script = join(import.meta.dirname, '..', '..', 'bench', 'waf', 'load.ts');
  const load = await startLoadProcess<WafLoadOrder, WafLoadResult>(t, script, 0);
  const traffic = { kind: 'varying', seed: 1 } as const;
  return load.run({ port, traffic, connections: 4, warmupMs: 50, measureMs: 200, pid: process.pid, core: 0 });
}

t.test('every answered request counts once', { skip }, async (t) => {
  let served = 0;
  const result = await loadOn(t, (request, response) => {
    served += 1;
    request.resume().once('end', () => response.end(originBody));
  });
  t.equal(result.total, served);
  t.ok(result.measured > 0 && result.measured < served);
});

t.test('a refusal ends the run and shows the request', { skip }, async (t) => {
  let served = 0;
  const run = loadOn(t, (_request, response) => {
    served += 1;
    response.writeHead(served === 9 ? 403 : 200).end(originBody);
  });
  await t.rejects(run, /not the origin's answer to (?:GET|POST) .*403 Forbidden/s);
});

t.test('the chart has one panel for each format and one line for each peer', async (t) => {
  const figures = { cpuUs: [1500], requestsPerSecond: [1], loadUs: [1], othersPercent: [0] };
  const growth = ['a', 'b'].flatMap((name) =>
    bodyFormats.flatMap((format) => [100, 10_000].map((bytes) => ({ name, format, bytes, figures }))),
  );
  const chart = drawGrowth(growth);
  t.equal(chart.match(/<polyline /g)?.length, 8);
  t.equal(chart.match(/font-weight="bold"/g)?.length, 4);
  t.notMatch(chart, /NaN|undefined|Infinity/);
});

t.test('flags are checked', async (t) => {
  t.equal(readWafOptions(['--help']), null);
  t.match(readWafOptions(['--quick']), { rounds: 1, paranoia: [1, 4], parts: ['mix', 'growth'] });
  t.match(readWafOptions(['--quick', '--rounds', '2', '--paranoia', '2']), { rounds: 2, paranoia: [2] });
  for (const flags of [['--paranoia', '5'], ['--parts', 'all'], ['--rounds', 'x'], ['--seconds', '0'], ['--wrong']]) {
    t.throws(() => readWafOptions(flags), { code: 'USAGE' }, flags.join(' '));
  }
});
