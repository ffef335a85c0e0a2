/** The log that the engine is measured on: the same for one seed, and made up as the measurement says. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { generateLog, generateRequests, logShape } from '../../bench/engine/generate-log.ts';
import { combinedLine, logTime } from '../../bench/engine/log-request.ts';
import { createScanner, scannerKinds } from '../../bench/engine/scanners.ts';
import { createSequence } from '../../bench/engine/sequence.ts';
import { parseIp } from '../../core/ip.ts';

const combined =
  /^(\S+) - - \[(\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000)\] "((?:[^"\\]|\\x[0-9A-F]{2})*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"$/;

function digestOf(lines: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest('hex');
}

t.test('a seed gives the same log, another seed another', async (t) => {
  const lines = 20_000;
  const digest = digestOf(generateLog({ seed: 1, lines }));
  t.equal(digest, digestOf(generateLog({ seed: 1, lines })));
  t.not(digest, digestOf(generateLog({ seed: 2, lines })));
  // Published figures name this log: who changes it measures anew.
  t.equal(digest, 'd08f30dba9a5045ccd1d12d00e97357eadb04ee053e24671ff65bca0e65bb87c');
});

t.test('a shorter log is the beginning of a longer one', async (t) => {
  const short = [...generateLog({ seed: 7, lines: 3_000 })];
  t.same(short, [...generateLog({ seed: 7, lines: 5_000 })].slice(0, 3_000));
});

t.test('lines are in the combined format, 500 to a second', async (t) => {
  const lines = [...generateLog({ seed: 1, lines: 5_000 })];
  const perSecond = new Map<string, number>();
  for (const line of lines) {
    const [, client = '', time = ''] = combined.exec(line) ?? [];
    if (parseIp(client) === null) t.fail(line);
    perSecond.set(time, (perSecond.get(time) ?? 0) + 1);
  }
  t.same(
    [...perSecond.values()],
    Array.from({ length: 10 }, () => logShape.linesPerSecond),
  );
  t.equal(logTime(Date.UTC(2024, 1, 29, 23, 59, 58) / 1000), '29/Feb/2024:23:59:58 +0000');
});

t.test('one line in twenty is a scanner’s, and five thousand clients are about', async (t) => {
  const clients = new Set<string>();
  const statuses = new Map<number, number>();
  const scanners = /^(?:18[5-9]|19[0-3])\.|^2001:db8:bad:/;
  let scanned = 0;
  const total = 200_000;
  for (const { request } of generateRequests({ seed: 1, lines: total })) {
    clients.add(request.client);
    statuses.set(request.status, (statuses.get(request.status) ?? 0) + 1);
    if (scanners.test(request.client)) scanned += 1;
  }
  t.ok(Math.abs(scanned / total - logShape.scannerShare) < 0.002, `${scanned} lines of scanners`);
  t.ok(clients.size > 4_950 && clients.size <= logShape.clients, `${clients.size} clients`);
  t.equal([...clients].filter((client) => scanners.test(client)).length, logShape.scanners);
  const share = (status: number): number => (statuses.get(status) ?? 0) / total;
  t.ok(share(200) > 0.6 && share(304) > 0.1 && share(404) > 0.02 && share(404) < 0.1, 'statuses as sites have them');
});

t.test('every kind of scanner makes requests that can be logged', async (t) => {
  const random = createSequence(3);
  for (const kind of scannerKinds) {
    const scanner = createScanner(kind, '192.0.2.1', random);
    const lines = Array.from({ length: 200 }, () => combinedLine(scanner.next(), '21/Nov/2026:10:00:00 +0000'));
    t.same(
      lines.filter((line) => !combined.test(line)),
      [],
      kind,
    );
  }
  t.equal(scannerKinds.length, 11);
});
