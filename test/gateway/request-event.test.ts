/** The fields that scenarios read, as the hub's web parsers would have made them of the log line. */
import t from 'tap';
import { completeEvent, createRequestEvent } from '../../gateway/request-event.ts';

const facts = {
  requestId: '0011223344556677',
  clientIp: '192.0.2.7',
  method: 'GET',
  target: '/',
  httpVersion: '1.1',
  host: 'example.com',
  userAgent: 'curl/8',
  referer: undefined,
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  timestamp: '2026-01-02T03:04:05.000Z',
};

interface Expected {
  readonly request?: string;
  readonly args?: string;
  readonly argsLength?: string;
  readonly dir?: string;
  readonly frag?: string;
  readonly ext?: string;
  readonly name?: string;
  readonly isStatic?: string;
}

const targets: Readonly<Record<string, Expected>> = {
  '/': { request: '/', argsLength: '0', dir: '/', frag: '', ext: '', isStatic: 'false' },
  '/a/b.php': {
    request: '/a/b.php',
    argsLength: '0',
    dir: '/a/',
    frag: 'b',
    ext: '.php',
    name: 'b.php',
    isStatic: 'false',
  },
  '/.env': { request: '/.env', argsLength: '0', dir: '/', frag: '.env', ext: '', name: '.env', isStatic: 'false' },
  '/x/.git.JS': {
    request: '/x/.git.JS',
    argsLength: '0',
    dir: '/x/',
    frag: '.git',
    ext: '.JS',
    name: '.git.JS',
    isStatic: 'true',
  },
  '/a.png?v=1': {
    request: '/a.png',
    args: 'v=1',
    argsLength: '3',
    dir: '/',
    frag: 'a',
    ext: '.png',
    name: 'a.png',
    isStatic: 'true',
  },
  '/a?b?c': {
    request: '/a?b',
    args: 'c',
    argsLength: '1',
    dir: '/',
    frag: 'a?b',
    ext: '',
    name: 'a?b',
    isStatic: 'false',
  },
  '/a?': { request: '/a', args: '', argsLength: '0', dir: '/', frag: 'a', ext: '', name: 'a', isStatic: 'false' },
  '*': { request: '*', isStatic: 'false' },
  'host:443': { request: 'host:443', isStatic: 'false' },
};

t.test('the fields of each target', async (t) => {
  for (const [target, expected] of Object.entries(targets)) {
    const { Parsed, Meta } = createRequestEvent({ ...facts, target });
    t.match(
      {
        request: Parsed.request,
        args: Parsed.http_args,
        argsLength: Meta.http_args_len,
        dir: Parsed.file_dir,
        frag: Parsed.file_frag,
        ext: Parsed.file_ext,
        name: Parsed.file_name,
        isStatic: Parsed.static_ressource,
      },
      {
        args: undefined,
        argsLength: undefined,
        dir: undefined,
        frag: undefined,
        ext: undefined,
        name: undefined,
        ...expected,
      },
      target,
    );
    t.equal(Meta.http_path, target);
  }
  t.equal(Object.keys(targets).length, 9);
});

t.test('the response adds its fields', async (t) => {
  const event = createRequestEvent(facts);
  t.equal(event.Meta.http_status, undefined);
  completeEvent(event, 404, null);
  t.equal(event.Meta.http_status, '404');
  t.equal(event.Parsed.impact_completion, 'false');
  t.equal(event.Meta.sub_type, undefined);
  completeEvent(event, 401, 'admin');
  t.match(event.Meta, { http_status: '401', sub_type: 'auth_fail', username: 'admin' });
});

t.test('no inherited name is a field', async (t) => {
  const { Parsed, Meta } = createRequestEvent(facts);
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    t.equal(Parsed[name], undefined);
    t.equal(Meta[name], undefined);
  }
});
