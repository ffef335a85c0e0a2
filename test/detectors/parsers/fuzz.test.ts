import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../../core/clock.ts';
import { readParserDocuments } from '../../../detectors/parsers/parser-document.ts';
import { suitePath } from '../../support/suites.ts';
import { eventOf, parserFiles, readParserFolder, worldOf } from './support.ts';

/** The longest that reading a file or parsing a line may take; a machine that is busy otherwise gets a second chance. */
const longestMs = 100;

/** The shortest of a few runs. */
function milliseconds(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3 && least > longestMs; tries++) {
    const started = systemClock.monotonic();
    run();
    least = Math.min(least, systemClock.monotonic() - started);
  }
  return least;
}

const snippets = [
  '',
  ' ',
  '\n',
  '\t',
  ':',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '&a',
  '*a',
  '|',
  '>',
  '#',
  '---\n',
  '%',
  '\0',
  '😀',
];
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  take: fc.nat(30),
  put: fc.oneof(fc.constantFrom(...snippets), fc.string({ maxLength: 8 })),
  /** Puts a piece of the same text instead. */
  from: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }),
});

t.test('damaged parser files never throw, and every fault has a place in the file', async (t) => {
  const root = suitePath(t, 'hub/parsers');
  if (root === null) return;
  const texts = parserFiles(root).map(({ path }) => readFileSync(path, 'utf8'));
  let faulty = 0;
  let good = 0;
  fc.assert(
    fc.property(fc.nat(texts.length - 1), fc.array(damage, { minLength: 1, maxLength: 4 }), (which, changes) => {
      const text = changes.reduce((damaged, { at, take, put, from }) => {
        const start = Math.floor(at * damaged.length);
        const piece = from === null ? put : damaged.slice(Math.floor(from * damaged.length)).slice(0, take * 3);
        return damaged.slice(0, start) + piece + damaged.slice(start + take);
      }, texts[which] ?? '');
      const lines = text.split('\n');
      const check = (): boolean => {
        const read = readParserDocuments(text, 'f.yaml', 's01-parse');
        if (read.faults.length > 0) faulty++;
        else good++;
        return read.faults.every(({ line, column, error }) => {
          const source = lines[line - 1];
          return source !== undefined && column >= 1 && column <= source.length + 1 && error.code === 'ITEM_INVALID';
        });
      };
      return check() && milliseconds(() => void check()) < longestMs;
    }),
    { seed: 51, numRuns: 600 },
  );
  t.ok(faulty > 100 && good > 50, `${faulty} of ${faulty + good} readings had faults`);
});

t.test('what is left of damaged files compiles or has faults with places', async (t) => {
  const root = suitePath(t, 'hub/parsers/s01-parse/crowdsecurity');
  if (root === null) return;
  const names = ['nginx-logs', 'sshd-logs', 'postfix-logs', 'auditd-logs'];
  const texts = names.map((name) => readFileSync(`${root}/${name}.yaml`, 'utf8'));
  fc.assert(
    fc.property(fc.nat(texts.length - 1), fc.array(damage, { minLength: 1, maxLength: 2 }), (which, changes) => {
      const text = changes.reduce((damaged, { at, take, put }) => {
        const start = Math.floor(at * damaged.length);
        return damaged.slice(0, start) + put + damaged.slice(start + Math.min(take, 4));
      }, texts[which] ?? '');
      const { set } = worldOf(readParserDocuments(text, 'f.yaml', 's01-parse').documents);
      return set.faults.every(({ line, column }) => line >= 1 && column >= 1);
    }),
    { seed: 52, numRuns: 25 },
  );
  t.pass('none threw');
});

/** Lines that look like something some parser knows. */
const words = [
  'nginx',
  'sshd[12]:',
  'Failed password for',
  'invalid user',
  'root',
  'from',
  '192.0.2.1',
  '2001:db8::1',
  'port',
  '22',
  '"GET /a?b=c HTTP/1.1"',
  '404',
  '[28/Aug/2026:10:11:12 +0200]',
  'Aug 28 10:11:12',
  '2026-08-28T10:11:12Z',
  '{"a":{"b":1}}',
  'type=SYSCALL msg=audit(1:2):',
  'a="b c"',
  '<34>1',
  'postfix/smtpd',
  '-',
  '- -',
  '"-"',
  '\\',
  '"',
  '[',
  ']',
  'x'.repeat(500),
  '<Event><System><EventID>4625</EventID></System></Event>',
  '='.repeat(200),
  ' '.repeat(100),
  '0'.repeat(100),
  '😀',
  '\u0000',
]; // prettier-ignore
const raw = fc.oneof(
  fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 14 }).map((parts) => parts.join(' ')),
  fc.string({ maxLength: 300 }),
  fc.constantFrom(...words).map((word) => word.repeat(Math.ceil(4_000 / word.length))),
);

t.test('no line makes the parsers of the hub throw or take long', async (t) => {
  const root = suitePath(t, 'hub/parsers');
  if (root === null) return;
  const { set } = worldOf(readParserFolder(root));
  const programs = [...new Set(JSON.stringify(readParserFolder(root)).match(/(?<=program == ')[a-zA-Z0-9_-]+(?=')/g))];
  const type = fc.constantFrom('syslog', 'nginx', 'docker', 'containerd', 'cef', 'aws-alb', ...programs);
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(raw, type, fc.constantFrom('file', 'wineventlog'), (text, labelled, module) => {
      const make = (): ReturnType<typeof eventOf> => {
        const event = eventOf(text, { ExpectMode: 1 }, { type: labelled });
        event.Line.Module = module;
        return event;
      };
      outcomes.add(set.parse(make(), null).kind);
      return milliseconds(() => void set.parse(make(), null)) < longestMs;
    }),
    { seed: 53, numRuns: 2_500 },
  );
  t.ok(programs.length > 60, `${programs.length} programs`);
  t.ok(outcomes.has('passed') && outcomes.has('discarded'));
  const reached = set.nodes.filter(({ hits }) => hits > 0).length;
  t.ok(reached > 100, `${reached} of ${set.nodes.length} parsers saw a line`);
});
