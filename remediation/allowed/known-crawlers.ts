/**
 * Crawlers that their operators say how to recognise: by the words of the User-Agent, and proven by the host name that the
 * address resolves to and back. Where an operator publishes ranges instead, the settings give them by `name`.
 */

import type { IpRange } from '../../core/ip.ts';

export interface Crawler {
  readonly name: string;
  /** Lower-case parts of the User-Agent, any of which claims to be this crawler. */
  readonly tokens: readonly string[];
  /** Domains whose hosts are the operator's. Empty: only ranges prove it. */
  readonly domains: readonly string[];
  /** Networks whose addresses need no other proof. */
  readonly ranges: readonly IpRange[];
}

const provenByName: readonly Omit<Crawler, 'ranges'>[] = [
  {
    name: 'googlebot',
    tokens: [
      'googlebot',
      'google-inspectiontool',
      'googleother',
      'adsbot-google',
      'mediapartners-google',
      'storebot-google',
    ],
    domains: ['googlebot.com', 'google.com'],
  },
  { name: 'bingbot', tokens: ['bingbot', 'bingpreview', 'msnbot', 'adidxbot'], domains: ['search.msn.com'] },
  { name: 'applebot', tokens: ['applebot'], domains: ['applebot.apple.com'] },
  { name: 'yandexbot', tokens: ['yandex.com/bots', 'yandexbot'], domains: ['yandex.ru', 'yandex.net', 'yandex.com'] },
  { name: 'baiduspider', tokens: ['baiduspider'], domains: ['baidu.com', 'baidu.jp'] },
  { name: 'petalbot', tokens: ['petalbot'], domains: ['petalsearch.com'] },
  { name: 'yahoo', tokens: ['yahoo! slurp'], domains: ['crawl.yahoo.net'] },
  { name: 'seznambot', tokens: ['seznambot'], domains: ['seznam.cz'] },
  { name: 'yeti', tokens: ['yeti/', 'naver.me/spd'], domains: ['naver.com'] },
  { name: 'qwantbot', tokens: ['qwantbot', 'qwantify'], domains: ['qwant.com'] },
  { name: 'sogou', tokens: ['sogou web spider'], domains: ['sogou.com'] },
  { name: 'mojeekbot', tokens: ['mojeekbot'], domains: ['mojeek.com'] },
  { name: 'duckduckbot', tokens: ['duckduckbot'], domains: [] },
];

export const knownCrawlers: readonly Crawler[] = provenByName.map((crawler) => ({ ...crawler, ranges: [] }));
