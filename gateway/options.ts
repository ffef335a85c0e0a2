/** The settings of the gateway's own floor: listener, client address, limits, origins, admin, logs. */
import * as z from 'zod';
import { closest } from '../config/closest.ts';
import { formatRange, parseRange } from '../core/ip.ts';
import {
  bytes,
  count,
  duration,
  headerName,
  hostPattern,
  httpOrigin,
  listenAddress,
  listenAddressOrOff,
  path,
  textOption,
} from '../core/options.ts';
import { layerMode } from '../detectors/waf/options.ts';
import { proxyPresets } from './client-address.ts';

export type { ListenAddress } from '../core/options.ts';

const mode = () =>
  z
    .enum(['block', 'observe'])
    .describe(
      '`block` enforces decisions. `observe` detects, decides and records what it would have done, but passes every well-formed request.',
    );

const originText = 'Where requests go: scheme, host and port of the web server.';

/** A network, or the name of a preset in `gateway/client-address.ts`. */
export const trustedProxy = () => {
  const presets = Object.keys(proxyPresets);
  const expected = `a network such as 10.0.0.0/8, or one of ${presets.join(', ')}`;
  return textOption<string>({
    title: 'network or preset',
    expected,
    pattern: `^(?:${presets.join('|')}|[0-9A-Fa-f.:]{2,45}(?:/[0-9]{1,3})?)$`,
    example: '10.0.0.0/8',
    read(text) {
      if (Object.hasOwn(proxyPresets, text)) return { value: text };
      const range = parseRange(text);
      if (range) return { value: formatRange(range) };
      const suggestion = closest(text, presets);
      return { problem: `expected ${expected}`, ...(suggestion && { suggestion }) };
    },
  });
};

const site = z.strictObject({
  hosts: z
    .array(hostPattern())
    .min(1)
    .max(1000)
    .describe('Host names of this site; `*.example.com` is every name below example.com. The longest match wins.'),
  origin: httpOrigin().describe(originText),
  mode: mode()
    .nullable()
    .prefault(null)
    .describe('`block` or `observe` for this site alone; without it, the `mode` of the gateway.'),
  waf: z
    .strictObject({
      coreRules: layerMode()
        .nullable()
        .prefault(null)
        .describe('For this site alone; without it, `waf.coreRules.mode`.'),
      virtualPatches: layerMode()
        .nullable()
        .prefault(null)
        .describe('For this site alone; without it, `waf.virtualPatches.mode`.'),
      onFailure: z
        .enum(['pass', 'block'])
        .nullable()
        .prefault(null)
        .describe('For this site alone; without it, `waf.onFailure`.'),
    })
    .prefault({})
    .describe('The WAF for this site.'),
});

/** The keys at the top of the file. */
export const listenerOptions = {
  origin: httpOrigin()
    .nullable()
    .prefault(null)
    .describe(
      `${originText} The default site: what no entry of \`sites\` claims. The variable \`ORIGIN\` is an alias.`,
    ),
  listen: listenAddress()
    .prefault(':8080')
    .describe('Where the gateway listens: `:8080` on every address, `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`.'),
  mode: mode().prefault('block'),
  sites: z.array(site).max(1000).prefault([]).describe('Sites by host name, each with an origin of its own.'),
  unknownHost: z
    .enum(['default', 'reject'])
    .prefault('default')
    .describe(
      'A Host that no site claims: `default` passes it to `origin`; `reject` answers 421, as does a missing `origin`.',
    ),
};

export const clientOptions = z
  .strictObject({
    trustedProxies: z
      .array(trustedProxy())
      .max(10_000)
      .prefault([])
      .describe(
        'Proxies whose word on the client address is taken: networks, or the presets `loopback`, `private` and `cloudflare`. Nobody by default: the address of the connection counts.',
      ),
    header: headerName()
      .prefault('auto')
      .describe(
        'Which header of a trusted proxy names the client: `x-forwarded-for`, `forwarded`, `cf-connecting-ip` or another. `auto` reads CF-Connecting-IP from Cloudflare, else X-Forwarded-For, else Forwarded.',
      ),
    ipv6Prefix: count({ min: 32, max: 128 })
      .prefault(64)
      .describe('IPv6 clients that share this many leading bits are one source: most of them own a /64.'),
  })
  .prefault({})
  .describe('Who is asking.');

export const limitsOptions = z
  .strictObject({
    headerBytes: bytes({ min: 1024, max: 1024 ** 2 })
      .prefault('16KiB')
      .describe('All headers of a request; larger ones are answered 431.'),
    headerCount: count({ min: 10, max: 2000 })
      .prefault(100)
      .describe('Header lines of a request; more are answered 431.'),
    targetBytes: bytes({ min: 256, max: 1024 ** 2 })
      .prefault('8KiB')
      .describe('The request target; longer ones are answered 414.'),
    headersTimeout: duration({ min: '1s', max: '10m' })
      .prefault('10s')
      .describe('How long a client may take to send all headers.'),
    bodyBytes: bytes().prefault('1GiB').describe('The largest request body; larger ones are answered 413.'),
    minBodyRate: bytes()
      .prefault(500)
      .describe('Bytes per second that a request body must reach on average; slower ones are answered 408.'),
    bodyGrace: duration({ min: '1s', max: '10m' })
      .prefault('10s')
      .describe('How long a body may be slower than `minBodyRate` or `minResponseRate`.'),
    minResponseRate: bytes()
      .prefault(500)
      .describe(
        'Bytes per second at which a client must take the response while it has some to take; slower ones are cut off.',
      ),
    keepAliveTimeout: duration({ max: '1h' }).prefault('65s').describe('How long an idle connection stays open.'),
    connections: count({ min: 1 }).prefault(10_000).describe('Client connections at a time; further ones are closed.'),
    requestsPerConnection: count()
      .prefault(0)
      .describe('Requests on one connection before it is closed; 0 for no limit.'),
    drainTimeout: duration({ max: '1h' })
      .prefault('30s')
      .describe('On stop: how long requests in flight may take to finish.'),
    upgradeIdleTimeout: duration({ min: '1s' })
      .prefault('1h')
      .describe('A WebSocket without traffic for this long is closed.'),
  })
  .prefault({})
  .describe('What the listener accepts.');

export const upstreamOptions = z
  .strictObject({
    connections: count({ min: 1, max: 65_535 }).prefault(256).describe('Connections to the origin of one site.'),
    queue: count()
      .prefault(1024)
      .describe(
        'Requests of one site that may be with its origin or wait for a connection; further ones are answered 503.',
      ),
    connectTimeout: duration({ min: '10ms', max: '10m' })
      .prefault('5s')
      .describe('Connecting to the origin; 502 after that.'),
    headersTimeout: duration({ min: '10ms', max: '24h' })
      .prefault('60s')
      .describe('From the request to the headers of the response; 504 after that.'),
    bodyTimeout: duration({ min: '10ms', max: '24h' })
      .prefault('60s')
      .describe('How long the origin may pause within a response body. Event streams are exempt.'),
    keepAliveTimeout: duration({ max: '1h' })
      .prefault('4s')
      .describe(
        'How long an idle connection to the origin is kept: less than the origin keeps it (Node: 5 s, nginx: 75 s).',
      ),
    responseHeaderBytes: bytes({ min: 1024, max: 1024 ** 2 })
      .prefault('64KiB')
      .describe('All headers of a response.'),
    retries: count({ max: 5 })
      .prefault(1)
      .describe(
        'How often a GET, HEAD, OPTIONS or TRACE without a body is tried again when a kept connection turns out to be closed.',
      ),
    client: z
      .enum(['http1', 'undici'])
      .prefault('http1')
      .describe('What speaks to plain HTTP origins: our own client, or undici as for TLS origins. For comparisons.'),
  })
  .prefault({})
  .describe('The way to the origins.');

export const adminOptions = z
  .strictObject({
    listen: listenAddressOrOff()
      .prefault('127.0.0.1:9180')
      .describe('Health, metrics and console; `off` closes them. Keep it away from the public.'),
    socket: path()
      .nullable()
      .prefault(null)
      .describe('The socket that the command line talks to, mode 0600. Without it: `admin.sock` in `dataDir`.'),
  })
  .prefault({})
  .describe('For operators.');

export const dataDirOption = path()
  .nullable()
  .prefault(null)
  .describe(
    'Where the gateway keeps what outlives it. Without it: `data` in a checkout, `/var/lib/portcullis` when installed.',
  );

export const accessLogOptions = z
  .strictObject({
    format: z
      .enum(['combined', 'json', 'off'])
      .prefault('combined')
      .describe('`combined` is the format of Apache and nginx.'),
    path: path().prefault('-').describe('A file, opened anew on SIGHUP; `-` is the standard output.'),
  })
  .prefault({})
  .describe('One line for each request.');

export const logOptions = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .prefault('info')
      .describe('The least severe lines that are written.'),
  })
  .prefault({})
  .describe('The operational log: JSON lines on the standard error.');
