/**
 * The ordinary clients of a generated log: people, who ask for a page and then for what belongs to it, and bots, who ask for
 * pages only. Their mistakes are in it too: dead links, expired sessions, old bookmarks.
 */
import type { LogRequest } from './log-request.ts';
import type { Sequence } from './sequence.ts';

/** `#` stands for a number of the visitor's own: nobody's log has eight user agents only. */
const browsers = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1#.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1#.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:1#.0) Gecko/20100101 Firefox/1#.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:1#.0) Gecko/20100101 Firefox/1#.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_# like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 14; SM-S9#B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1#.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1#.0.0.0 Safari/537.36 Edg/1#.0.2#.#',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_# like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/4#.0.0.#.86;FBDV/iPhone14,#]',
] as const;

const bots = [
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'Mozilla/5.0 (Applebot/0.1; +http://www.apple.com/go/applebot)',
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Feedly/1.0 (+http://www.feedly.com/fetcher.html; 312 subscribers)',
  'Uptime-Kuma/1.23.16',
] as const;

const site = 'https://shop.example';
const sections = ['garden', 'kitchen', 'lighting', 'books', 'tools', 'toys', 'outdoor', 'music'] as const;
const words = ['oak', 'lamp', 'green', 'small', 'copper', 'chair', 'summer', 'linen', 'classic', 'set', 'red', 'large'];
const referers = ['https://www.google.com/', 'https://duckduckgo.com/', 'https://www.bing.com/', 'https://t.co/'];
const assets = [
  '/static/app.4f2a91.js',
  '/static/vendor.88c0de.js',
  '/static/site.71bb3e.css',
  '/static/print.0a11ce.css',
  '/static/fonts/inter.woff2',
  '/img/logo.svg',
  '/favicon.ico',
] as const;

/** What asks for pages in the name of one address. */
export interface Visitor {
  readonly client: string;
  readonly userAgent: string;
  readonly bot: boolean;
}

export function createVisitor(client: string, random: Sequence): Visitor {
  const bot = random.chance(0.03);
  return { client, bot, userAgent: bot ? random.pick(bots) : browser(random) };
}

function browser(random: Sequence): string {
  return random.pick(browsers).replaceAll('#', () => String(10 + random.below(35)));
}

/** One page view: the page itself, and for people what the browser then loads, in order. */
export function pageView(visitor: Visitor, random: Sequence): readonly LogRequest[] {
  const { client, userAgent, bot } = visitor;
  if (bot && random.chance(0.05)) return [request(visitor, 'GET', '/robots.txt', 200, 118, '-')];
  if (!bot && random.chance(0.06)) return [action(visitor, random)];
  const path = pagePath(random);
  const status = pageStatus(random);
  const referer =
    bot || random.chance(0.35) ? '-' : random.chance(0.3) ? random.pick(referers) : `${site}${pagePath(random)}`;
  const verb = bot && random.chance(0.1) ? 'HEAD' : 'GET';
  const bytes = verb === 'HEAD' || status === 304 ? 0 : 2_000 + random.below(60_000);
  const page: LogRequest = {
    client,
    verb,
    target: path,
    version: bot ? '1.1' : '2.0',
    status,
    bytes,
    referer,
    userAgent,
  };
  if (bot || status !== 200) return [page];
  return [page, ...assetsOf(visitor, `${site}${path}`, random)];
}

function assetsOf(visitor: Visitor, referer: string, random: Sequence): LogRequest[] {
  const found: LogRequest[] = [];
  for (const asset of assets) {
    if (random.chance(0.45)) continue;
    const cached = random.chance(0.4);
    found.push(request(visitor, 'GET', asset, cached ? 304 : 200, cached ? 0 : 800 + random.below(180_000), referer));
  }
  for (let count = random.below(5); count > 0; count -= 1) {
    const image = `/img/products/${1 + random.below(4_000)}${random.pick(['.jpg', '.webp', '.png', '-2x.webp'])}`;
    const missing = random.chance(0.015);
    found.push(
      request(visitor, 'GET', image, missing ? 404 : 200, missing ? 153 : 4_000 + random.below(90_000), referer),
    );
  }
  if (random.chance(0.25)) {
    found.push(
      request(visitor, 'GET', `/api/stock?ids=${random.below(4_000)},${random.below(4_000)}`, 200, 96, referer),
    );
  }
  return found;
}

/** What is not a page view: carts, logins, searches as you type. */
function action(visitor: Visitor, random: Sequence): LogRequest {
  const drawn = random.fraction();
  if (drawn < 0.35) return request(visitor, 'POST', '/api/cart', 201, 412, `${site}/cart`);
  if (drawn < 0.5) return request(visitor, 'POST', '/login', random.chance(0.2) ? 401 : 302, 0, `${site}/login`);
  if (drawn < 0.55) return request(visitor, 'POST', '/api/session/refresh', random.chance(0.5) ? 403 : 204, 0, '-');
  return request(visitor, 'GET', `/api/suggest?q=${random.pick(words)}`, 200, 380 + random.below(900), `${site}/`);
}

function pagePath(random: Sequence): string {
  const drawn = random.fraction();
  if (drawn < 0.15) return '/';
  if (drawn < 0.4) return `/${random.pick(sections)}/${random.chance(0.3) ? `?page=${1 + random.below(20)}` : ''}`;
  if (drawn < 0.75) return `/${random.pick(sections)}/${slug(random)}-${random.below(4_000)}.html`;
  if (drawn < 0.85)
    return `/search?q=${random.pick(words)}+${random.pick(words)}&sort=${random.pick(['price', 'new'])}`;
  if (drawn < 0.93) return `/blog/${2019 + random.below(8)}/${1 + random.below(12)}/${slug(random)}`;
  return `/${slug(random)}?utm_source=newsletter&utm_medium=email&utm_campaign=${random.pick(words)}%20${random.below(52)}`;
}

function slug(random: Sequence): string {
  return `${random.pick(words)}-${random.pick(words)}`;
}

function pageStatus(random: Sequence): number {
  const drawn = random.fraction();
  if (drawn < 0.93) return 200;
  if (drawn < 0.955) return 301;
  if (drawn < 0.97) return 304;
  if (drawn < 0.997) return 404;
  return random.pick([500, 502, 499]);
}

function request(
  { client, userAgent, bot }: Visitor,
  verb: string,
  target: string,
  status: number,
  bytes: number,
  referer: string,
): LogRequest {
  return { client, verb, target, version: bot ? '1.1' : '2.0', status, bytes, referer, userAgent };
}
