import fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../../core/errors.ts';
import {
  createDecisionStreamReader,
  type StreamList,
} from '../../../../remediation/lapi/client/decision-stream-reader.ts';

interface ReadStream {
  readonly new: unknown[];
  readonly deleted: unknown[];
}

/** What the reader makes of some bytes in chunks that end at these places. */
function readIn(bytes: Uint8Array, ends: readonly number[], maxValueBytes?: number): ReadStream {
  const read: ReadStream = { new: [], deleted: [] };
  const reader = createDecisionStreamReader({
    onElements: (list: StreamList, elements) => void read[list].push(...elements),
    ...(maxValueBytes !== undefined && { maxValueBytes }),
  });
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    // A copy that is spoiled afterwards: nothing may be kept of a chunk.
    const chunk = Uint8Array.from(bytes.subarray(from, end));
    reader.push(chunk);
    chunk.fill(0x7d);
    from = end;
  }
  reader.end();
  return read;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const v146 =
  '{"deleted":[{"duration":"-2m34.608954043s","id":22,"origin":"cscli","scenario":"test/probe","scope":"Ip","type":"ban","value":"203.0.113.3"}],"new":[{"duration":"59m59.680882596s","id":41,"origin":"cscli","scenario":"manual \'ban\' from \'m1\'","scope":"Range","type":"ban","value":"198.51.100.0/28"}]}';
const newer =
  '{"new": [{"duration":"1h0m0s","id":41,"uuid":"8a1c","value":"198.51.100.0/28"},{"id":42}], "deleted": []}';

t.test('both generations of the answer are read, split at every byte', async (t) => {
  for (const text of [
    v146,
    newer,
    '{"deleted":null,"new":null}',
    ' { "new" : [ ] , "x" : {"new":[1]} , "deleted":null } \n',
  ]) {
    const { new: added, deleted } = JSON.parse(text) as { new: unknown[] | null; deleted: unknown[] | null };
    const expected = { new: added ?? [], deleted: deleted ?? [] };
    const bytes = bytesOf(text);
    for (let at = 0; at <= bytes.length; at++) {
      const read = readIn(bytes, [at]);
      if (JSON.stringify(read) !== JSON.stringify(expected)) t.fail(`split at ${at}: ${JSON.stringify(read)}`);
    }
    t.strictSame(readIn(bytes, Array.from(bytes.keys())), expected, 'and into single bytes');
  }
});

t.test('an answer that is cut off at any byte is refused', async (t) => {
  for (const text of [v146, newer]) {
    const bytes = bytesOf(text);
    for (let end = 0; end < bytes.length; end++) {
      try {
        readIn(bytes.subarray(0, end), []);
        t.fail(`the first ${end} bytes were taken for the whole`);
      } catch (thrown) {
        if (!(thrown instanceof GatewayError) || thrown.code !== 'LAPI_ANSWER_INVALID') t.fail(String(thrown));
      }
    }
  }
  t.pass('none was taken for the whole');
});

t.test('what is no decision stream is refused, however it is split', async (t) => {
  const cases = [
    '',
    'null',
    '[]',
    '{}',
    '"new"',
    '{"message":"access forbidden"}',
    '{"new":[]}',
    '{"deleted":[]}',
    '{"new":[],"new":[],"deleted":[]}',
    '{"new":{},"deleted":[]}',
    '{"new":"","deleted":[]}',
    '{"new":nul,"deleted":[]}',
    '{"new":[,],"deleted":[]}',
    '{"new":[1,],"deleted":[]}',
    '{"new":[1 2],"deleted":[]}',
    '{"new":[{]},"deleted":[]}',
    '{"new":[{}}],"deleted":[]}',
    '{"new":[tru],"deleted":[]}',
    '{"new":["\\x"],"deleted":[]}',
    '{"new":[],"deleted":[],}',
    '{,"new":[],"deleted":[]}',
    '{"new":[] "deleted":[]}',
    '{"new":,"deleted":[]}',
    '{"new" [],"deleted":[]}',
    '{new:[],"deleted":[]}',
    '{"new":[],"deleted":[]}}',
    '{"new":[],"deleted":[]} x',
    '{"new":[],"deleted":[],"x":}',
    '{"new":[],"deleted":[],"x":[1,]}',
    '{"new":[],"deleted":[],"x":01}',
    '\ufeff{"new":[],"deleted":[]}',
  ];
  for (const text of cases) {
    const bytes = bytesOf(text);
    const whole = { code: 'LAPI_ANSWER_INVALID' };
    t.throws(() => readIn(bytes, []), whole, text);
    t.throws(() => readIn(bytes, Array.from(bytes.keys())), whole, `${text}, byte by byte`);
  }
  t.equal(cases.length, 31);
});

t.test('after a mistake the reader stays with its refusal', async (t) => {
  const reader = createDecisionStreamReader({ onElements: () => undefined });
  t.throws(() => reader.push(bytesOf('{"new":[}')), { code: 'LAPI_ANSWER_INVALID' });
  t.throws(() => reader.push(bytesOf('{"new":[],"deleted":[]}')), { code: 'LAPI_ANSWER_INVALID' });
  t.throws(() => reader.end(), { code: 'LAPI_ANSWER_INVALID' });
});

t.test('an element, a key and an unknown value have a longest length', async (t) => {
  const long = 'x'.repeat(100);
  for (const text of [
    `{"new":["${long}"],"deleted":[]}`,
    `{"new":[],"deleted":[],"${long}":1}`,
    `{"new":[],"deleted":[],"y":["${long}"]}`,
    `{"new":[],"deleted":[],"y":${'1'.repeat(100)}}`,
  ]) {
    const bytes = bytesOf(text);
    t.doesNotThrow(() => readIn(bytes, [], 110), 'within the limit');
    t.throws(() => readIn(bytes, [], 90), { message: /longer than 90 bytes/ }, 'in one chunk');
    t.throws(() => readIn(bytes, [30, 60], 90), { message: /longer than 90 bytes/ }, 'in several chunks');
  }
});

/** White space of JSON, at most two characters. */
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 2 });

/** A list as a server could spell it: null, or elements with white space anywhere. */
const list = fc.oneof(
  fc.constant('null'),
  fc
    .array(fc.tuple(space, fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }), space), { maxLength: 5 })
    .map((elements) => `[${elements.map(([a, value, b]) => a + JSON.stringify(value) + b).join(',')} ]`),
);

const document = fc
  .tuple(list, list, fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }), fc.nat(), space)
  .map(([added, deleted, others, order, pad]) => {
    const members = Object.entries(others)
      .filter(([key]) => key !== 'new' && key !== 'deleted')
      .map(([key, value]) => `${JSON.stringify(key)}${pad}:${pad}${JSON.stringify(value)}`);
    members.splice(order % (members.length + 1), 0, `"new":${pad}${added}`);
    members.splice((order * 7) % (members.length + 1), 0, `${pad}"deleted"${pad}:${deleted}`);
    return `${pad}{${members.join(`${pad},${pad}`)}}${pad}`;
  });

const splits = fc.array(fc.nat(), { maxLength: 8 });
const endsOf = (bytes: Uint8Array, places: readonly number[]): number[] =>
  places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);

t.test('whatever the chunks, it reads what JSON.parse reads', async () => {
  fc.assert(
    fc.property(document, splits, (text, places) => {
      const parsed = JSON.parse(text) as { new: unknown[] | null; deleted: unknown[] | null };
      const bytes = bytesOf(text);
      const read = readIn(bytes, endsOf(bytes, places));
      return JSON.stringify(read) === JSON.stringify({ new: parsed.new ?? [], deleted: parsed.deleted ?? [] });
    }),
    { seed: 51, numRuns: 3_000 },
  );
});

t.test('whatever is damaged, it accepts nothing that JSON.parse refuses', async (t) => {
  let refused = 0;
  fc.assert(
    fc.property(
      document,
      splits,
      fc.nat(),
      fc.constantFrom('', ',', ']', '}', '{', '[', '"', ':', '\\', '1', 'n', ' '),
      fc.nat({ max: 2 }),
      (text, places, place, put, taken) => {
        const at = place % (text.length + 1);
        const bytes = bytesOf(text.slice(0, at) + put + text.slice(at + taken));
        let parsed: unknown;
        try {
          parsed = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
        } catch {
          parsed = undefined;
        }
        let read: ReadStream | null = null;
        try {
          read = readIn(bytes, endsOf(bytes, places));
        } catch {
          refused++;
        }
        if (read === null) return true;
        const { new: added, deleted } = parsed as { new: unknown[] | null; deleted: unknown[] | null };
        return JSON.stringify(read) === JSON.stringify({ new: added ?? [], deleted: deleted ?? [] });
      },
    ),
    { seed: 52, numRuns: 5_000 },
  );
  t.ok(refused > 1_000, `${refused} were refused`);
});
