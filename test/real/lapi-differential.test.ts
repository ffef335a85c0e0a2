/**
 * Our Local API and CrowdSec 1.4.6, asked the same: every route, filters, bad input. What ours answers is what the old server
 * answers, but for the differences that are named and justified in `lapi/lapi-differences.ts`; each of those is seen.
 */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { systemClock } from '../../core/clock.ts';
import { startOwnLapiOn } from '../support/own-lapi.ts';
import { startCrowdsecLapi } from '../support/servers/crowdsec-lapi.ts';
import { haveRealPrograms } from '../support/servers/real-programs.ts';
import { keyOf, passwordOf, sendExchange, type Correspondent, type Exchange } from './lapi/exchange.ts';
import { lapiDifferences } from './lapi/lapi-differences.ts';
import { callers, lapiExchanges } from './lapi/lapi-exchanges.ts';
import { normalAnswer, type NormalAnswer } from './lapi/normal-answer.ts';

t.test("our Local API answers as CrowdSec's does, but for what is named", async (t) => {
  if (!haveRealPrograms(t, ['crowdsec'])) return;
  const theirs = await startCrowdsecLapi(t);
  const ours = await startOwnLapiOn(t, systemClock);
  for (const name of callers.bouncers) await Promise.all([theirs.addBouncer(name, keyOf(name)), ours.addBouncer(name)]);
  for (const name of callers.machines)
    await Promise.all([theirs.addMachine(name, passwordOf(name)), ours.addMachine(name)]);
  const old: Correspondent = { url: theirs.url, kept: new Map(), tokens: new Map() };
  const now = Date.now();
  const exchanges = lapiExchanges(now);
  t.equal(new Set(exchanges.map(({ name }) => name)).size, exchanges.length, 'each name is there once');
  t.ok(exchanges.length > 330);
  const seen = new Set<string>();
  for (const exchange of exchanges) {
    const asked = exchange.old === undefined ? exchange : { ...exchange, path: exchange.old.path };
    const [before, after] = [await sendExchange(asked, old), await sendExchange(exchange, ours)];
    const expected = today(normalAnswer(before, exchange, now), exchange, seen);
    t.strictSame(normalAnswer(after, exchange, now), expected, `${exchange.name}: ${exchange.method} ${exchange.path}`);
  }
  const unseen = lapiDifferences.filter(({ name }) => !seen.has(name)).map(({ name }) => name);
  t.same(unseen, [], 'a difference that nobody sees is none');
});

/** What the old server's answer would be today; the names of the differences that mattered go into `seen`. */
function today(old: NormalAnswer, exchange: Exchange, seen: Set<string>): NormalAnswer {
  let answer = old;
  for (const difference of lapiDifferences) {
    if (!difference.concerns(exchange)) continue;
    const next = difference.today(answer, exchange);
    if (!isDeepStrictEqual(next, answer)) seen.add(difference.name);
    answer = next;
  }
  return answer;
}
