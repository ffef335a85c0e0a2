import t from 'tap';
import { createLog } from '../../core/log.ts';
import { RecentLines } from '../../core/recent-lines.ts';

interface Line extends Record<string, unknown> {
  readonly headers?: Record<string, unknown>;
}

function collect(): { lines: Line[]; destination: { write(line: string): void } } {
  const lines: Line[] = [];
  return { lines, destination: { write: (line) => void lines.push(JSON.parse(line) as Line) } };
}

t.test('a line is JSON with a named level, an ISO time and the given fields', async (t) => {
  const { lines, destination } = collect();
  createLog('info', destination).warn({ clientIp: '192.0.2.1', scenario: 'a/b' }, 'alert raised');
  t.match(lines, [{ level: 'warn', name: 'portcullis', clientIp: '192.0.2.1', scenario: 'a/b', msg: 'alert raised' }]);
  t.match(lines[0]?.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

t.test('lines below the level are not written', async (t) => {
  const { lines, destination } = collect();
  const log = createLog('error', destination);
  log.info('no');
  log.warn('no');
  log.error('yes');
  t.same(
    lines.map((line) => line.msg),
    ['yes'],
  );
  const silent = collect();
  createLog('silent', silent.destination).fatal('no');
  t.same(silent.lines, []);
});

t.test('secrets are replaced at the top, one level down and among headers', async (t) => {
  const { lines, destination } = collect();
  const log = createLog('info', destination);
  for (const name of ['password', 'token', 'apiKey', 'secret', 'authorization', 'cookie']) {
    log.info({ [name]: 'hunter2', inner: { [name]: 'hunter2' }, headers: { [name]: 'hunter2', host: 'a' } }, 'x');
  }
  t.equal(lines.length, 6);
  for (const line of lines) {
    t.notMatch(JSON.stringify(line), /hunter2/);
    t.match(line.headers, { host: 'a' });
  }
});

t.test('the last lines are kept as they are written, without secrets', async (t) => {
  const written: string[] = [];
  const recent = new RecentLines();
  const log = createLog('warn', { write: (line) => void written.push(line) }, recent);
  log.info('no');
  log.warn({ token: 'hunter2' }, 'one');
  log.child({ part: 'a' }).error({ headers: { cookie: 'hunter2' } }, 'two');
  t.equal(recent.text(), written.join(''));
  t.match(recent.text(), /"one"[^]*"two"/);
  t.notMatch(recent.text(), /hunter2|"no"/);
});
