import fc from 'fast-check';
import t from 'tap';
import { SyslogFramer } from '../../../detectors/acquisition/syslog-framing.ts';
import { parseSyslog, syslogLine } from '../../../detectors/acquisition/syslog-message.ts';

const now = Date.UTC(2026, 9, 11, 22, 14, 15);

/** What parsers get; null: not a syslog message. */
const messages: readonly (readonly [message: string, line: string | null])[] = [
  // RFC 3164 §5.4, and its relatives as programs send them.
  ["<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "Oct 11 22:14:15 mymachine su: 'su root' failed"],
  ['<38>Oct  1 22:14:15 host sshd[1234]: Failed password', 'Oct 01 22:14:15 host sshd[1234]: Failed password'],
  ['<38>Oct 1 22:14:15 host sshd[1234]: Failed password', 'Oct 01 22:14:15 host sshd[1234]: Failed password'],
  ['<38>Oct 11 22:14:15.123 host sshd[1]: x', 'Oct 11 22:14:15 host sshd[1]: x'],
  ['<38>Oct 11 22:14:15 sshd[1234]: no host', 'Oct 11 22:14:15 unknownhost sshd[1234]: no host'],
  ['<13>Oct 11 22:14:15 host no tag here', 'Oct 11 22:14:15 host no: tag here'],
  ['<13>Oct 11 22:14:15 host postfix/smtpd[7]: connect', 'Oct 11 22:14:15 host postfix/smtpd[7]: connect'],
  ['<13>Oct 11 22:14:15 2001:db8::1 app: x', 'Oct 11 22:14:15 2001:db8::1 app: x'],
  ['<13>Oct 11 22:14:15 host app:without a blank', 'Oct 11 22:14:15 host app: without a blank'],
  ['<13>Oct 11 22:14:15 host app[pid]: x', 'Oct 11 22:14:15 host app[pid]: x'],
  ['<13>Oct 11 22:14:15 host', 'Oct 11 22:14:15 host unknownapp: '],
  ['<13>2026-10-11T22:14:15.003Z host app[7]: x', 'Oct 11 22:14:15 host app[7]: x'],
  ['<13>2026-10-11T23:14:15+02:00 host app[7]: x', 'Oct 11 21:14:15 host app[7]: x'],
  // RFC 5424 §6.5.
  [
    "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed for lonvick on /dev/pts/8",
    "Oct 11 22:14:15 mymachine.example.com su: 'su root' failed for lonvick on /dev/pts/8",
  ],
  [
    '<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It is time to make the do-nuts.',
    'Aug 24 12:14:15 192.0.2.1 myproc[8710]: %% It is time to make the do-nuts.',
  ],
  [
    '<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="A\\"]\\\\"][e@1 c="high"] An event',
    'Oct 11 22:14:15 h evntslog: An event',
  ],
  ['<165>1 2003-10-11T22:14:15.003Z h app 1 - [x y="z"]', 'Oct 11 22:14:15 h app[1]: '],
  ['<165>1 - - - - - -', 'Oct 11 22:14:15 unknownhost unknownapp: '],
  ['<165>1 2003-10-11T22:14:15.003Z h app 1 - -', 'Oct 11 22:14:15 h app[1]: '],
  ['<165>1 2003-10-11T22:14:15.003Z h app 1 - [x y="z" no end', null],
  ['<165>1 2003-13-11T22:14:15.003Z h app 1 - - x', null],
  ['<165>2 2003-10-11T22:14:15.003Z h app 1 - - x', null],
  // Neither.
  ['Oct 11 22:14:15 mymachine su: no priority', null],
  ['<1234>Oct 11 22:14:15 mymachine su: x', null],
  ['<>Oct 11 22:14:15 mymachine su: x', null],
  ['<13>Oct 41 22:14:15 mymachine su: x', null],
  ['<13>Oct 11 25:14:15 mymachine su: x', null],
  ['<13>just text', null],
  ['<13>', null],
  ['', null],
];

t.test('messages become the lines that parsers know', async (t) => {
  for (const [message, line] of messages) {
    const parsed = parseSyslog(message);
    t.equal(parsed && syslogLine(parsed, now), line, message);
  }
  t.equal(messages.length, 30);
});

t.test('no message breaks the parser', async (t) => {
  const piece = fc.constantFrom(
    '<13>',
    '1 ',
    '- ',
    'Oct 11 ',
    '22:14:15 ',
    '2003-10-11T22:14:15Z ',
    '[',
    ']',
    '"',
    '\\',
    'host ',
    'app[1]: ',
    '\0',
    '\ufeff',
  );
  const text = fc.oneof(
    fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 20 }).map((pieces) => `<13>${pieces.join('')}`),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(text, (text) => {
      const parsed = parseSyslog(text);
      return parsed === null || /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d [^ ]+ [^ ]+: /.test(syslogLine(parsed, now));
    }),
    { numRuns: 5_000, seed: 9 },
  );
  t.pass('5000 messages');
});

t.test('a long hostile message costs little', async (t) => {
  for (const part of ['[', '"', '\\', ' ', '<13>', '[a b="', 'a:', '1 ']) {
    for (const head of ['<13>', '<13>Oct 11 22:14:15 ', '<13>1 - - - - - '])
      parseSyslog(head + part.repeat(60_000 / part.length));
  }
  t.pass('none takes more than linear time, or the test would not end');
});

function frame(limit: number, chunks: readonly string[]): readonly string[] {
  const framer = new SyslogFramer(limit);
  const framed = chunks.flatMap((chunk) => framer.feed(Buffer.from(chunk)));
  const last = framer.end();
  return [...framed, ...(last === null ? [] : [last])].map((each) =>
    each.kind === 'broken' ? 'broken' : each.bytes.toString() + (each.truncated ? '…' : ''),
  );
}

t.test('messages in a stream are counted in octets or end with a line feed', async (t) => {
  t.same(frame(100, ['5 hello6 world!']), ['hello', 'world!']);
  t.same(frame(100, ['<1>a\n<2>b\n<3>c']), ['<1>a', '<2>b', '<3>c']);
  t.same(frame(100, ['<1>a\n3 x\ny<2>b\n']), ['<1>a', 'x\ny', '<2>b'], 'both in one stream');
  t.same(frame(100, ['1', '1', ' hello', ' world<1>', 'a\n']), ['hello world', '<1>a']);
  t.same(frame(4, ['6 abcdef<1>abcdef\n2 xy']), ['abcd…', '<1>a…', 'xy'], 'what is too long keeps its first part');
  t.same(frame(100, ['123456789 x']), ['broken']);
  t.same(frame(100, ['10 abc']), [], 'a counted message that does not come to its end is none');
  t.same(frame(100, ['99999999999999']), ['broken']);
});

t.test('however a stream is cut, the same messages come out', async (t) => {
  const message = fc.string({ unit: fc.constantFrom('a', ' ', '<', '1', '0', 'é'), maxLength: 30 });
  const framed = fc.oneof(
    message.map((text) => [`${Buffer.byteLength(`<1>${text}`)} <1>${text}`, `<1>${text}`] as const),
    message.map((text) => [`<1>${text}\n`, `<1>${text}`] as const),
  );
  fc.assert(
    fc.property(
      fc.array(framed, { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (all, cuts) => {
        const bytes = Buffer.from(all.map(([wire]) => wire).join(''));
        const framer = new SyslogFramer(1_000);
        const found: string[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const length = cuts[cut % cuts.length] ?? 1;
          for (const each of framer.feed(bytes.subarray(at, at + length)))
            found.push(each.kind === 'message' ? each.bytes.toString() : 'broken');
          at += length;
        }
        t.same(
          found,
          all.map(([, text]) => text),
        );
      },
    ),
    { numRuns: 300, seed: 4 },
  );
});
