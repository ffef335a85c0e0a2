/**
 * `replay` finds what CrowdSec finds. `engine-crowdsec-alerts.csv` is what CrowdSec 1.4.6 (Debian 1.4.6-6~deb12u1+b1) found in
 * the generated log with the same items, read from its database: its alerts of the first 100,000 lines of seed 1. The bench
 * (`npm run bench -- engine`) runs CrowdSec itself.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { generateLog } from '../../bench/engine/generate-log.ts';
import { run } from '../cli/run.ts';
import { suitePath } from '../support/suites.ts';

t.test("the alerts of a hundred thousand lines are CrowdSec's", async (t) => {
  const items = suitePath(t, 'oracle-items');
  if (items === null) return;
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-oracle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const log = join(folder, 'access.log');
  await writeFile(log, `${[...generateLog({ seed: 1, lines: 100_000 })].join('\n')}\n`);
  const { status, stdout } = await run(['replay', '--type', 'nginx', '--items', items, '-o', 'raw', log]);
  t.equal(status, 0);
  const [heading, ...expected] = (await readFile(join(import.meta.dirname, 'engine-crowdsec-alerts.csv'), 'utf8'))
    .trim()
    .split('\n');
  const [ourHeading, ...found] = stdout.trim().split('\n');
  t.equal(ourHeading, heading);
  t.equal(expected.length, 127);
  t.same(found.toSorted(), expected.toSorted());
});
