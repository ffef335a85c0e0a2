import { type ChildProcess, spawn } from 'node:child_process';
import fc from 'fast-check';
import t from 'tap';
import type { JournalDocument } from '../../../detectors/acquisition/acquisition-document.ts';
import { readJournalEntry } from '../../../detectors/acquisition/journal-entry.ts';
import { createJournalSource } from '../../../detectors/acquisition/journal-source.ts';
import { openResumeStore } from '../../../detectors/acquisition/resume-store.ts';
import { journaldMissing, startJournald } from '../../support/servers/journald.ts';
import { createTestSink, fastRuntime, testParts } from './support.ts';
import { eventually } from '../../support/eventually.ts';

const now = Date.UTC(2026, 2, 4, 5, 6, 7);

function entry(fields: Readonly<Record<string, unknown>>): string {
  const micros = String(now * 1_000 + 7);
  return JSON.stringify({ __CURSOR: 'c', __REALTIME_TIMESTAMP: micros, _HOSTNAME: 'web', ...fields });
}

function journal(filters: readonly string[]): JournalDocument {
  return {
    source: 'journalctl',
    name: 'journal',
    labels: { type: 'syslog' },
    timeMachine: false,
    transform: '',
    file: 'acquis.yaml',
    line: 1,
    filters,
  };
}

t.test('an entry becomes the line that journalctl prints, in UTC', async (t) => {
  const cases: readonly (readonly [fields: Record<string, unknown>, lines: readonly string[]])[] = [
    [{ SYSLOG_IDENTIFIER: 'sshd', _PID: '7', MESSAGE: 'Failed' }, ['Mar 04 05:06:07 web sshd[7]: Failed']],
    [{ SYSLOG_IDENTIFIER: 'kernel', MESSAGE: 'eth0' }, ['Mar 04 05:06:07 web kernel: eth0']],
    [{ _COMM: 'cron', SYSLOG_PID: '9', MESSAGE: 'x ' }, ['Mar 04 05:06:07 web cron[9]: x']],
    [{ MESSAGE: 'x', _HOSTNAME: 'a b' }, ['Mar 04 05:06:07 a_b unknown: x']],
    [{ _COMM: 'x', MESSAGE: [0x61, 0xc3, 0xa9, 0xff] }, ['Mar 04 05:06:07 web x: aé\ufffd']],
    [{ _COMM: 'x', MESSAGE: null }, ['Mar 04 05:06:07 web x: ']],
    [{ _COMM: 'x' }, ['Mar 04 05:06:07 web x: ']],
    [{ _COMM: 'x', MESSAGE: ['first', 'second'] }, ['Mar 04 05:06:07 web x: first']],
    [{ _COMM: 'x', MESSAGE: [[0x61], 'second'] }, ['Mar 04 05:06:07 web x: a']],
    [
      { _COMM: 'x', MESSAGE: 'a\nb\n\nc' },
      ['Mar 04 05:06:07 web x: a', `${' '.repeat(23)}b`, '', `${' '.repeat(23)}c`],
    ],
    [{ _COMM: 'x', _SOURCE_REALTIME_TIMESTAMP: '1000000', MESSAGE: 'a' }, ['Jan 01 00:00:01 web x: a']],
    [{ _COMM: 'x\ny', __REALTIME_TIMESTAMP: 'never', MESSAGE: 'a' }, ['Mar 04 05:06:07 web x y: a']],
  ];
  for (const [fields, lines] of cases) t.same(readJournalEntry(entry(fields), now)?.lines, lines);
  t.equal(cases.length, 12);
});

t.test('what is too long is cut, what is no entry is none', async (t) => {
  const long = readJournalEntry(entry({ _COMM: 'x', MESSAGE: 'x'.repeat(100_000) }), now);
  t.equal(long?.truncated, true);
  t.equal(long?.lines[0]?.length, 65_536 + 'Mar 04 05:06:07 web x: '.length);
  const many = readJournalEntry(entry({ _COMM: 'x', MESSAGE: 'x\n'.repeat(1_000) }), now);
  t.match(many, { truncated: true, lines: { length: 65 } });
  for (const text of ['', 'null', '[]', '7', '{"MESSAGE":"x"}', '{"__CURSOR":7}', '{'])
    t.equal(readJournalEntry(text, now), null);
});

t.test('no JSON breaks the reader of entries', async (t) => {
  const field = fc.constantFrom(
    'MESSAGE',
    '__CURSOR',
    '_PID',
    '_HOSTNAME',
    'SYSLOG_IDENTIFIER',
    '__REALTIME_TIMESTAMP',
  );
  const fields = fc.dictionary(field, fc.oneof(fc.string(), fc.jsonValue(), fc.array(fc.integer())));
  fc.assert(
    fc.property(fields, (fields) => {
      const read = readJournalEntry(entry(fields), now);
      return read === null || read.lines.every((line) => !line.includes('\n'));
    }),
    { numRuns: 2_000, seed: 5 },
  );
  t.pass('2000 entries');
});

t.test(
  'a real journal: entries come, over the death of journalctl and restarts, each once',
  { skip: journaldMissing() },
  async (t) => {
    const journald = await startJournald(t);
    const resume = await openResumeStore(null, fastRuntime());
    const children: ChildProcess[] = [];
    const spawnJournal = (args: readonly string[]): ChildProcess => {
      const child = journald.journalctl(args);
      children.push(child);
      return child;
    };
    const parts = await testParts({ resume, spawnJournal });
    const sink = createTestSink();
    await journald.write({ MESSAGE: 'before', SYSLOG_IDENTIFIER: 'sshd' });
    const document = journal(['SYSLOG_IDENTIFIER=sshd']);
    const source = createJournalSource(document, parts);
    source.start(sink);
    await journald.write({ MESSAGE: 'another program', SYSLOG_IDENTIFIER: 'cron' });
    await journald.write({
      MESSAGE: 'Failed password for root from 192.0.2.1 port 22 ssh2',
      SYSLOG_IDENTIFIER: 'sshd',
    });
    await sink.until(1);
    t.match(
      sink.raws()[0],
      /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \S+ sshd\[\d+\]: Failed password for root from 192\.0\.2\.1 port 22 ssh2$/,
    );
    t.match(sink.lines[0], {
      Module: 'journalctl',
      Src: 'journalctl-SYSLOG_IDENTIFIER=sshd',
      Labels: { type: 'syslog' },
    });

    await journald.write({ MESSAGE: 'two\nlines', SYSLOG_IDENTIFIER: 'sshd' });
    await journald.write({ MESSAGE: new Uint8Array([0x62, 0x01, 0xff, 0x79]), SYSLOG_IDENTIFIER: 'sshd' });
    await journald.write({ MESSAGE: 'x'.repeat(10_000), SYSLOG_IDENTIFIER: 'sshd' });
    await sink.until(5);
    t.match(sink.raws()[2], /^ {10,}lines$/);
    t.match(sink.raws()[3], /: b\u0001\ufffdy$/);
    t.equal(sink.raws()[4]?.match(/x+$/)?.[0].length, 10_000);

    children[0]?.kill('SIGKILL');
    await eventually(() => source.status().state === 'failed');
    t.match(source.status().lastError, /journalctl ended with/);
    await journald.write({ MESSAGE: 'while it was dead', SYSLOG_IDENTIFIER: 'sshd' });
    await sink.until(6);
    t.match(sink.raws()[5], /while it was dead$/);
    t.equal(source.status().state, 'running');
    await source.close();
    t.same(
      children.map((child) => child.exitCode === null && child.signalCode === null),
      children.map(() => false),
      'no child is left',
    );

    await journald.write({ MESSAGE: 'while closed', SYSLOG_IDENTIFIER: 'sshd' });
    const again = createJournalSource(document, parts);
    again.start(sink);
    await sink.until(7);
    t.match(sink.raws()[6], /while closed$/);
    t.match(again.status(), { lines: 1, dropped: 0 });
    await again.close();
  },
);

t.test('without journalctl the source says so and is tried again', async (t) => {
  let attempts = 0;
  const spawnJournal = (): ChildProcess => {
    attempts++;
    return spawn('/nonexistent/journalctl', [], { stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const source = createJournalSource(journal(['-u', 'ssh']), await testParts({ spawnJournal }));
  source.start(createTestSink());
  await eventually(() => attempts >= 2);
  t.match(source.status().lastError, /ENOENT/);
  await source.close();
});

t.test('garbage from the child is counted, not believed', async (t) => {
  const text = `garbage\n{"__CURSOR":"1","MESSAGE":"good","_COMM":"x"}\n\n{"a":`;
  const spawnJournal = (): ChildProcess => spawn('printf', ['%s', text], { stdio: ['ignore', 'pipe', 'pipe'] });
  const sink = createTestSink();
  const source = createJournalSource(journal(['-u', 'ssh']), await testParts({ spawnJournal }));
  source.start(sink);
  await eventually(() => source.status().dropped >= 1 && sink.lines.length >= 1);
  await source.close();
  t.match(sink.raws()[0], /x: good$/);
});
