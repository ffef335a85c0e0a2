import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { createManualClock } from '../../../support/manual-clock.ts';
import { channelOf, issuesOf, never } from '../support.ts';

const million = 'x'.repeat(1_000_000);

t.test('texts are appended, each ends its line, and only the owner reads them', async (t) => {
  const path = join(t.testdir({}), 'alerts.log');
  const channel = channelOf('file', { log_path: path });
  await channel.send('one\n', never);
  await Promise.all([channel.send('two', never), channel.send('three\nfour', never)]);
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\nthree\nfour\n');
  t.equal(statSync(path).mode & 0o777, 0o600);
});

t.test('as JSON a message is one line, whatever it holds', async (t) => {
  const path = join(t.testdir({}), 'alerts.json');
  await channelOf('file', { log_path: path, log_format: 'json' }).send('a\n"b"', never);
  t.equal(
    readFileSync(path, 'utf8'),
    '{"time":"2026-01-01T00:00:00.000Z","notification":"test","message":"a\\n\\"b\\""}\n',
  );
});

t.test('a full file is rotated, the oldest go', async (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'a.log');
  const channel = channelOf('file', { log_path: path, rotate: { max_size: '1', max_files: '2' } });
  for (const letter of ['a', 'b', 'c', 'd']) await channel.send(letter.repeat(600_000), never);
  t.strictSame(readdirSync(folder).sort(), ['a.log', 'a.log.1', 'a.log.2']);
  t.strictSame(
    ['a.log', 'a.log.1', 'a.log.2'].map((file) => readFileSync(join(folder, file), 'utf8')[0]),
    ['d', 'c', 'b'],
  );
});

t.test('rotated files are compressed, and removed when they are old', async (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'a.log');
  const clock = createManualClock();
  const rotate = { max_size: '1', max_files: '9', max_age: '3', compress: 'yes' };
  const channel = channelOf('file', { log_path: path, rotate }, { clock });
  for (const letter of ['a', 'b', 'c']) await channel.send(letter.repeat(600_000), never);
  t.strictSame(readdirSync(folder).sort(), ['a.log', 'a.log.1.gz', 'a.log.2.gz']);
  t.equal(gunzipSync(readFileSync(join(folder, 'a.log.2.gz'))).toString()[0], 'a');
  utimesSync(join(folder, 'a.log.2.gz'), new Date(clock.now()), new Date(clock.now() - 4 * 86_400_000));
  utimesSync(join(folder, 'a.log.1.gz'), new Date(clock.now()), new Date(clock.now()));
  await channel.send('d'.repeat(600_000), never);
  t.strictSame(readdirSync(folder).sort(), ['a.log', 'a.log.1.gz', 'a.log.2.gz']);
  t.equal(gunzipSync(readFileSync(join(folder, 'a.log.2.gz'))).toString()[0], 'b');
});

t.test('other files beside it stay; without rotation it grows; with none kept it starts over', async (t) => {
  const folder = t.testdir({ 'a.log.old': 'mine', 'a.log.1x': 'mine', 'b.log.1': 'mine' });
  const path = join(folder, 'a.log');
  writeFileSync(path, million);
  await channelOf('file', { log_path: path, rotate: { enabled: 'false', max_size: '1' } }).send('more', never);
  t.equal(statSync(path).size, 1_000_005);
  await channelOf('file', { log_path: path, rotate: { max_size: '1', max_files: '0' } }).send('new', never);
  t.equal(readFileSync(path, 'utf8'), 'new\n');
  t.strictSame(readdirSync(folder).sort(), ['a.log', 'a.log.1x', 'a.log.old', 'b.log.1']);
});

t.test('what cannot be written is said, and the next is tried', async (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'deep', 'a.log');
  const channel = channelOf('file', { log_path: path });
  await t.rejects(channel.send('x', never), {
    code: 'NOTIFICATION_FAILED',
    message: /cannot write .*ENOENT/,
    remedy: /folder exists/,
  });
  t.strictSame(issuesOf('file', { rotate: 'yes', log_format: 'xml' }), [
    'log_path: is missing',
    'log_format: expected text or json',
    'rotate: expected a map of enabled, max_size, max_files, max_age and compress',
  ]);
});
