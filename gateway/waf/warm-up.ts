/**
 * Lets a set of rules judge some requests before the first visitor comes. V8 compiles patterns and functions when they are first
 * used, which takes some hundred times as long as the use itself: without this, the first ordinary requests after a start
 * would wait, or run into the time budget.
 */
import type { RuleSet } from '../../detectors/waf/engine/rule-set.ts';
import type { TransactionRequest } from '../../detectors/waf/engine/transaction-types.ts';
import { sampleAttacks } from '../../detectors/waf/exceptions/sample-attacks.ts';

/** A request that runs out of its budget goes further the next time. */
const rounds = 3;

const browserHeaders = [
  ['Host', 'www.example.com'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['Accept-Language', 'en-US,en;q=0.5'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['Referer', 'https://www.example.com/'],
  ['Connection', 'keep-alive'],
].flat();

const longText =
  `What people write: "quotes" & signs; it's 100% ordinary (mostly), e.g. select * from a list, or a\nnew line. `.repeat(
    16,
  );

export function warmUp(rules: Pick<RuleSet, 'begin'>): void {
  for (let round = 0; round < rounds; round++) {
    for (const { value } of sampleAttacks) judge(rules, value);
    judge(rules, `A comment (of some length) about "books" & films; it's no. ${round}, 100% ordinary.`);
    judge(rules, `ordinary-${round}`);
    // Long texts are read in another way, whose tables are made while the first of them are read.
    judge(rules, `${sampleAttacks.map(({ value }) => value).join(' and then ')} ${longText}`);
    judge(rules, longText);
  }
}

function judge(rules: Pick<RuleSet, 'begin'>, value: string): void {
  const form = Buffer.from(`name=warm&text=${encodeURIComponent(value)}`);
  const head: Omit<TransactionRequest, 'method' | 'target' | 'headers'> = {
    id: 'warm-up',
    clientAddress: '192.0.2.1',
    clientPort: 50_000,
    serverAddress: '192.0.2.2',
    serverPort: 80,
    protocol: 'HTTP/1.1',
    startedAt: 0,
  };
  const cookie = ['Cookie', 'session=4f2a99c1d0; theme=dark'];
  const target = `/warm/up?page=1&q=${encodeURIComponent(value)}`;
  const get = rules.begin({ ...head, method: 'GET', target, headers: [...browserHeaders, ...cookie] });
  if (get.processRequestHeaders() === null) get.processRequestBody(null, true);
  get.finish();
  const formHeaders = ['Content-Type', 'application/x-www-form-urlencoded', 'Content-Length', String(form.length)];
  const post = rules.begin({
    ...head,
    method: 'POST',
    target: '/warm/up',
    headers: [...browserHeaders, ...formHeaders],
  });
  if (post.processRequestHeaders() === null) post.processRequestBody(form, true);
  post.finish();
}
