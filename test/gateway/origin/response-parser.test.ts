import fc from 'fast-check';
import t from 'tap';
import { InvalidResponse } from '../../../gateway/origin/response-head.ts';
import { ResponseParser } from '../../../gateway/origin/response-parser.ts';

interface Parsed {
  readonly interim: readonly number[];
  readonly status: number | null;
  readonly headers: readonly string[];
  readonly last: boolean;
  readonly keepAliveMs: number | null;
  readonly body: string;
  readonly ended: boolean;
  /** What the parser raised. */
  readonly invalid: string | null;
}

interface ParseOptions {
  readonly method?: string;
  readonly headBytes?: number;
  /** The origin ended its side behind the bytes. */
  readonly closed?: boolean;
}

/** Feeds the pieces in turn, as reads bring them: each in a buffer that is overwritten behind the parser's back. */
function parse(pieces: readonly Buffer[], options: ParseOptions = {}): Parsed {
  const { method = 'GET', headBytes = 65_536, closed = false } = options;
  const interim: number[] = [];
  let head: { status: number; headers: readonly string[]; last: boolean; keepAliveMs: number | null } | null = null;
  let body = '';
  let ended = false;
  let invalid: string | null = null;
  const parser = new ResponseParser(
    {
      onHead(given) {
        if (ended) throw new Error('a head behind the end');
        if (given.status < 200) interim.push(given.status);
        else if (head === null) head = given;
        else throw new Error('a second head');
      },
      onBody(view) {
        if (head === null || ended) throw new Error('a body outside of its response');
        body += view.toString('latin1');
      },
      onEnd() {
        if (head === null || ended) throw new Error('an end that ends nothing');
        ended = true;
      },
    },
    { headBytes },
  );
  parser.expect(method);
  try {
    for (const piece of pieces) {
      const shared = Buffer.from(piece);
      parser.feed(shared);
      shared.fill(0x21);
    }
    if (closed) parser.close();
  } catch (thrown) {
    if (!(thrown instanceof InvalidResponse)) throw thrown;
    invalid = thrown.message;
  }
  const { status, headers, last, keepAliveMs } = head ?? { status: null, headers: [], last: false, keepAliveMs: null };
  return { interim, status, headers, last, keepAliveMs, body, ended, invalid };
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const parseText = (text: string, options: ParseOptions = {}): Parsed => parse([latin1(text)], options);

interface Case extends ParseOptions {
  readonly name: string;
  readonly text: string;
  readonly expected: Partial<Parsed>;
}

const whole = { ended: true, invalid: null };

const valid: readonly Case[] = [
  {
    name: 'a length',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    expected: { ...whole, status: 200, headers: ['Content-Length', '5'], body: 'hello', last: false },
  },
  { name: 'no reason', text: 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', expected: { ...whole, status: 200 } },
  { name: 'an empty reason', text: 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', expected: { ...whole, status: 200 } },
  {
    name: 'a reason in latin1',
    text: 'HTTP/1.1 404 Pas trouv\xe9\r\nContent-Length: 0\r\n\r\n',
    expected: { ...whole, status: 404 },
  },
  {
    name: 'blanks around values, and latin1 in them',
    text: 'HTTP/1.1 200 OK\r\nX: \t caf\xe9 \t\r\nY:\r\nContent-Length:0\r\n\r\n',
    expected: { ...whole, headers: ['X', 'caf\xe9', 'Y', '', 'Content-Length', '0'] },
  },
  {
    name: 'repeated headers stay apart',
    text: 'HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n',
    expected: { ...whole, headers: ['Set-Cookie', 'a', 'Set-Cookie', 'b', 'Content-Length', '0'] },
  },
  {
    name: 'chunks',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n, world...\r\n0\r\n\r\n',
    expected: { ...whole, body: 'hello, world...' },
  },
  {
    name: 'the coding in other letters',
    text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    expected: { ...whole, body: 'x' },
  },
  {
    name: 'chunk extensions and blanks behind a size',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 ;a="b c"\r\nx\r\n1 \t\r\ny\r\n0;last\r\n\r\n',
    expected: { ...whole, body: 'xy' },
  },
  {
    name: 'a chunk of line ends',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n',
    expected: { ...whole, body: '\r\n\r\n' },
  },
  {
    name: 'trailers, which are dropped',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n',
    expected: { ...whole, body: 'x', headers: ['Transfer-Encoding', 'chunked'] },
  },
  {
    name: 'a body that ends with the connection',
    text: 'HTTP/1.1 200 OK\r\n\r\nhello',
    closed: true,
    expected: { ...whole, body: 'hello', last: true },
  },
  {
    name: 'a body that ends with the connection is open until then',
    text: 'HTTP/1.1 200 OK\r\n\r\nhello',
    expected: { ended: false, invalid: null, body: 'hello' },
  },
  {
    name: 'HTTP/1.0 ends its connection',
    text: 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    expected: { ...whole, last: true },
  },
  {
    name: 'HTTP/1.0 that keeps its connection',
    text: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n',
    expected: { ...whole, last: false },
  },
  {
    name: 'Connection: close',
    text: 'HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n',
    expected: { ...whole, last: true },
  },
  {
    name: 'close wins over keep-alive',
    text: 'HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
    expected: { ...whole, last: true },
  },
  {
    name: 'how long the connection is kept',
    text: 'HTTP/1.1 200 OK\r\nKeep-Alive: max=3, timeout=7\r\nContent-Length: 0\r\n\r\n',
    expected: { ...whole, keepAliveMs: 7_000 },
  },
  {
    name: '204 has no body',
    text: 'HTTP/1.1 204 No Content\r\n\r\n',
    expected: { ...whole, status: 204, last: false },
  },
  {
    name: '204 with a length has no body',
    text: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
    expected: { ...whole, body: '' },
  },
  {
    name: '304 with a length has no body',
    text: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    expected: { ...whole, body: '' },
  },
  {
    name: 'the answer to HEAD has no body',
    method: 'HEAD',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    expected: { ...whole, headers: ['Content-Length', '5'] },
  },
  {
    name: 'the answer to HEAD has no chunks',
    method: 'HEAD',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    expected: whole,
  },
  {
    name: 'interim answers',
    text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    expected: { ...whole, interim: [100, 103], status: 200, body: 'x' },
  },
  {
    name: 'a length on an interim answer means nothing',
    text: 'HTTP/1.1 102 Processing\r\nContent-Length: 4\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    expected: { ...whole, interim: [102], body: 'x' },
  },
  {
    name: 'a length with leading zeros',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 0005\r\n\r\nhello',
    expected: { ...whole, body: 'hello' },
  },
  { name: 'nothing yet', text: '', expected: { ended: false, invalid: null, status: null } },
  { name: 'half a head', text: 'HTTP/1.1 200 OK\r\nX: y\r', expected: { ended: false, invalid: null, status: null } },
  {
    name: 'a body cut short has not ended',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
    closed: true,
    expected: { ended: false, invalid: null, body: 'hell' },
  },
  {
    name: 'chunks without the last have not ended',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n',
    closed: true,
    expected: { ended: false, invalid: null, body: 'x' },
  },
];

const refused = (name: string, text: string, options: ParseOptions = {}): Case => ({
  name,
  text,
  ...options,
  expected: {},
});
const head = (line: string, rest = 'Content-Length: 0\r\n\r\n'): string => `HTTP/1.1 200 OK\r\n${line}\r\n${rest}`;
const chunked = (rest: string): string => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${rest}`;

const invalid: readonly Case[] = [
  refused('another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'),
  refused('HTTP/0.9', '<html></html>\r\n\r\n'),
  refused('HTTP/2', 'HTTP/2 200\r\n\r\n'),
  refused('HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'),
  refused('no blank behind the version', 'HTTP/1.1  200 OK\r\n\r\n'),
  refused('a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'),
  refused('a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'),
  refused('a status below 100', 'HTTP/1.1 099 Odd\r\n\r\n'),
  refused('a status above 599', 'HTTP/1.1 600 Odd\r\n\r\n'),
  refused('a status with a sign', 'HTTP/1.1 +20 OK\r\n\r\n'),
  refused('a control character in the reason', 'HTTP/1.1 200 O\x01K\r\n\r\n'),
  refused('CR in the reason', 'HTTP/1.1 200 OK\rX: y\r\n\r\n'),
  refused('an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n'),
  refused('LF ends the lines', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
  refused('LF ends one line', 'HTTP/1.1 200 OK\r\nX: y\nContent-Length: 0\r\n\r\n'),
  refused('CR within a value', head('X: a\rb')),
  refused('NUL within a value', head('X: a\x00b')),
  refused('DEL within a value', head('X: a\x7fb')),
  refused('a folded line', head('X: a\r\n b')),
  refused('a line folded with a tab', head('X: a\r\n\tb')),
  refused('a line without a colon', head('nothing')),
  refused('a line without a name', head(': x')),
  refused('a blank in a name', head('X Y: z')),
  refused('a blank behind a name', head('Content-Length : 5', '\r\nhello')),
  refused('a name that is no token', head('X(Y): z')),
  refused('a signed length', head('Content-Length: +5', '\r\nhello')),
  refused('a negative length', head('Content-Length: -5', '\r\nhello')),
  refused('a list of lengths', head('Content-Length: 5, 5', '\r\nhello')),
  refused('an empty length', head('Content-Length:', '\r\nhello')),
  refused('a length in hexadecimal', head('Content-Length: 0x5', '\r\nhello')),
  refused('a length beyond what a number holds', head('Content-Length: 9007199254740993', '\r\nhello')),
  refused('the same length twice', head('Content-Length: 0')),
  refused('two lengths', head('Content-Length: 5')),
  refused(
    'two lengths on an answer without a body',
    'HTTP/1.1 304 x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  ),
  refused('length and coding', head('Transfer-Encoding: chunked')),
  refused('coding and length', head('Content-Length: 5', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n')),
  refused('length and coding in answer to HEAD', head('Transfer-Encoding: chunked'), { method: 'HEAD' }),
  refused('another coding', head('Transfer-Encoding: gzip', '\r\nx')),
  refused('two codings', head('Transfer-Encoding: gzip, chunked', '\r\n0\r\n\r\n')),
  refused('chunked twice', head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '\r\n0\r\n\r\n')),
  refused(
    'an underscored coding is none, an unclear one no better',
    head('Transfer-Encoding: chunked;q=1', '\r\n0\r\n\r\n'),
  ),
  refused('a chunk size with a sign', chunked('+1\r\nx\r\n0\r\n\r\n')),
  refused('a chunk size with a prefix', chunked('0x1\r\nx\r\n0\r\n\r\n')),
  refused('a chunk size behind a blank', chunked(' 1\r\nx\r\n0\r\n\r\n')),
  refused('no chunk size', chunked('\r\nx\r\n0\r\n\r\n')),
  refused('a chunk size that is only an extension', chunked(';a\r\nx\r\n0\r\n\r\n')),
  refused('a chunk size beyond what a number holds', chunked('ffffffffffffffff\r\nx\r\n0\r\n\r\n')),
  refused('LF behind a chunk size', chunked('1\nx\r\n0\r\n\r\n')),
  refused('LF within a chunk extension', chunked('1;a\nb\r\nx\r\n0\r\n\r\n')),
  refused('CR within a chunk extension', chunked('1;a\rb\r\nx\r\n0\r\n\r\n')),
  refused('an endless chunk extension', chunked(`1;${'a'.repeat(300)}`)),
  refused('a chunk longer than its size', chunked('1\r\nxy\r\n0\r\n\r\n')),
  refused('LF behind a chunk', chunked('1\r\nx\n0\r\n\r\n')),
  refused('endless trailers', chunked(`0\r\n${'X: y\r\n'.repeat(3_000)}`)),
  refused('one endless trailer', chunked(`0\r\nX: ${'y'.repeat(10_000)}`)),
  refused('bytes behind a length', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n'),
  refused('bytes behind the last chunk', chunked('0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
  refused('a body behind 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx'),
  refused('a body behind 304', 'HTTP/1.1 304 Not Modified\r\n\r\nx'),
  refused('a body behind the answer to HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx', { method: 'HEAD' }),
  refused('a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
  refused('a head that is too large', head(`X: ${'y'.repeat(2_000)}`), { headBytes: 1_024 }),
  refused('a head that is too large before it ends', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(2_000)}`, {
    headBytes: 1_024,
  }),
  refused('a flood of interim answers', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000), { headBytes: 1_024 }),
];

t.equal(valid.length, 30, 'the table of good responses is whole');
t.equal(invalid.length, 64, 'the table of bad responses is whole');

t.test('good responses', async (t) => {
  for (const { name, text, expected, ...options } of valid) t.match(parseText(text, options), expected, name);
});

t.test('bad responses', async (t) => {
  for (const { name, text, ...options } of invalid) {
    t.type(parseText(text, options).invalid, 'string', name);
    t.type(parse(bytewise(text), options).invalid, 'string', `${name}, byte by byte`);
  }
});

t.test('a good response read byte by byte is the same', async (t) => {
  for (const { name, text, expected: _, ...options } of valid) {
    t.strictSame(parse(bytewise(text), options), parseText(text, options), name);
  }
});

t.test('a good response split anywhere is the same', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(generatedResponse, fc.array(fc.nat({ max: 4_000 }), { maxLength: 12 }), ({ text, body }, cuts) => {
        const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((left, right) => left - right);
        const pieces = [0, ...at].map((start, index) => latin1(text.slice(start, at[index] ?? text.length)));
        const split = parse(pieces);
        return split.body === body && split.ended && JSON.stringify(split) === JSON.stringify(parseText(text));
      }),
      { seed: 20_261_121, numRuns: 2_000 },
    ),
  );
});

t.test('a mutated response is read, refused or waited for, however it is split', async (t) => {
  const corpus = [...valid, ...invalid].map(({ text }) => text);
  const mutation = fc.record({
    text: fc.constantFrom(...corpus),
    edits: fc.array(fc.record({ at: fc.nat(), with: fc.constantFrom(...fragments), drop: fc.nat({ max: 3 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    method: fc.constantFrom('GET', 'HEAD'),
    cut: fc.nat(),
  });
  let read = 0;
  fc.assert(
    fc.property(mutation, ({ text, edits, method, cut }) => {
      let mutated = text.slice(0, 3_000);
      for (const edit of edits) {
        const at = edit.at % (mutated.length + 1);
        mutated = mutated.slice(0, at) + edit.with + mutated.slice(at + edit.drop);
      }
      const at = cut % (mutated.length + 1);
      const once = parseText(mutated, { method });
      const twice = parse([latin1(mutated.slice(0, at)), latin1(mutated.slice(at))], { method });
      if (once.ended) read += 1;
      // What is delivered before a fault is noticed may differ with the reads; that there is one may not.
      return (once.invalid === null) === (twice.invalid === null) && once.ended === twice.ended;
    }),
    { seed: 20_261_121, numRuns: 5_000 },
  );
  t.ok(read > 300, `${read} mutations were good responses`);
});

function bytewise(text: string): Buffer[] {
  return Array.from(text, (character) => latin1(character));
}

const fragments = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '5',
  'f',
  '+',
  '\x00',
  '\xff',
  'chunked',
];

const bodyText = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', '\xe9', ' '), maxLength: 300 });
const headerLine = fc.tuple(
  fc.stringMatching(/^X-[a-z]{1,8}$/),
  fc.string({ unit: fc.constantFrom('a', ' ', ':', '\t', '\xe9', '"'), maxLength: 20 }),
);

/** A good response and the body that it carries. */
const generatedResponse = fc
  .record({
    interims: fc.array(fc.constantFrom(100, 102, 103), { maxLength: 3 }),
    status: fc.constantFrom(200, 206, 302, 404, 503),
    headers: fc.array(headerLine, { maxLength: 5 }),
    pieces: fc.array(bodyText, { maxLength: 5 }),
    chunked: fc.boolean(),
    extension: fc.constantFrom('', ';a=b', ' ; c="d"'),
    trailers: fc.array(headerLine, { maxLength: 2 }),
  })
  .map(({ interims, status, headers, pieces, chunked: inChunks, extension, trailers }) => {
    const body = pieces.join('');
    const lines = (list: readonly (readonly [string, string])[]): string =>
      list.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const before = interims.map((code) => `HTTP/1.1 ${code} x\r\nX-Hint: y\r\n\r\n`).join('');
    const start = `${before}HTTP/1.1 ${status} Reason\r\n${lines(headers)}`;
    const chunks = pieces
      .filter((piece) => piece !== '')
      .map((piece) => `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`)
      .join('');
    return {
      body,
      text: inChunks
        ? `${start}Transfer-Encoding: chunked\r\n\r\n${chunks}0${extension}\r\n${lines(trailers)}\r\n`
        : `${start}Content-Length: ${body.length}\r\n\r\n${body}`,
    };
  });
