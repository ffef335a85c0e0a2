import fc from 'fast-check';
import t from 'tap';
import { BodyRoom, valuesIn } from '../../../../remediation/lapi/server/request-body.ts';

/** Openings and commas outside of texts, counted the slow way. */
function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  return 1 + Math.max(0, members.length - 1) + members.reduce((sum: number, member) => sum + valuesOf(member), 0);
}

t.test('the values of a text are counted, whatever stands in its strings', async (t) => {
  const table: readonly (readonly [string, number])[] = [
    ['', 0],
    ['null', 0],
    ['[]', 1],
    ['[1,2,3]', 3],
    ['{"a":[{}],"b":"[,{"}', 4],
    [String.raw`["\"[,","\\",[]]`, 4],
    [String.raw`["\\\"[[[["]`, 1],
    ['["no end [[[', 1],
    [String.raw`["\\\\\\"]`, 1],
  ];
  for (const [text, values] of table) t.equal(valuesIn(Buffer.from(text)), values, text);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => valuesIn(Buffer.from(JSON.stringify(value))) === valuesOf(value)),
    { seed: 7, numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => valuesIn(bytes) <= bytes.length),
    { seed: 7, numRuns: 2_000 },
  );
});

t.test('nesting is bounded', async (t) => {
  t.equal(valuesIn(Buffer.from('['.repeat(10_000))), 10_000);
  t.throws(() => valuesIn(Buffer.from('{'.repeat(10_001))), {
    status: 400,
    message: "invalid character '{' exceeded max depth",
  });
  t.equal(valuesIn(Buffer.from('[]'.repeat(20_000))), 20_000, 'one after the other is not nesting');
});

t.test('what does not fit into the room takes nothing', async (t) => {
  const room = new BodyRoom(100);
  room.take(60);
  t.throws(() => room.take(41), { status: 503, message: /too many large requests/ });
  t.equal(room.freeBytes, 40);
  room.take(40);
  room.free(100);
  t.equal(room.freeBytes, 100);
});
