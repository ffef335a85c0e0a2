import fc from 'fast-check';
import t from 'tap';
import type { ImportEntry, LineFault } from '../../../cli/import/import-entry.ts';
import { formatNamed, type ListFormat, readList } from '../../../cli/import/read-list.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface Read {
  readonly entries: readonly ImportEntry[];
  readonly faults: readonly LineFault[];
}

async function read(text: string | Uint8Array, format: ListFormat | null = null, size = 1 << 20): Promise<Read> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const entries: ImportEntry[] = [];
  const faults: LineFault[] = [];
  let counted = 0;
  for await (const part of readList(pieces(bytes, size), format)) {
    entries.push(...part.entries);
    faults.push(...part.faults);
    counted = part.bytes;
  }
  if (counted !== bytes.length) throw new Error(`${counted} of ${bytes.length} bytes were counted`);
  return { entries, faults };
}

t.test('plain values, with comments, empty lines and line ends of all kinds', async (t) => {
  const { entries, faults } = await read(
    '\ufeff# a feed\n192.0.2.1\r\n\n 192.0.2.0/24 # net\n; done\n2001:db8::1;x\nlast',
  );
  t.same(faults, []);
  t.same(entries, [
    { line: 2, value: '192.0.2.1' },
    { line: 4, value: '192.0.2.0/24' },
    { line: 6, value: '2001:db8::1;x' },
    { line: 7, value: 'last' },
  ]);
});

t.test('CSV as cscli takes it', async (t) => {
  const { entries, faults } = await read(
    'duration,scope,value,reason\n24h,ip,192.0.2.1,\n# no\n,range,192.0.2.0/24,"because, ""so""\nand so"\n4h,ip,192.0.2.2\n4h,ip,,x\n4h,ip,"192.0.2.3",x',
  );
  t.same(entries, [
    { line: 2, duration: '24h', scope: 'ip', value: '192.0.2.1' },
    { line: 4, scope: 'range', value: '192.0.2.0/24', reason: 'because, "so"\nand so' },
    { line: 8, duration: '4h', scope: 'ip', value: '192.0.2.3', reason: 'x' },
  ]);
  t.same(faults, [
    { line: 6, message: '3 fields under 4 columns' },
    { line: 7, message: 'there is no value' },
  ]);
});

t.test('CSV that is broken loses only the records that are', async (t) => {
  t.match(await read('scope,type\nip,ban\n', 'csv'), {
    entries: [],
    faults: [{ line: 1, message: /no column "value"/ }],
  });
  t.match(await read('Value , Type\n"a"b,ban\nc"d,ban\n192.0.2.1,ban\n"no end,ban\n'), {
    entries: [{ line: 4, value: '192.0.2.1', type: 'ban' }],
    faults: [
      { line: 2, message: /after a quoted field/ },
      { line: 3, message: /middle of a field/ },
      { line: 5, message: /no end/ },
    ],
  });
});

t.test('JSON as cscli takes it, and objects one after the other', async (t) => {
  const list = `[\n {"duration":"24h","origin":"my-list","reason":"x","scope":"ip","type":"ban","value":"192.0.2.1"},\n{"value":"192.0.2.2","more":{"a":["}"]}}\n]\n`;
  t.same(await read(list), {
    entries: [
      { line: 2, duration: '24h', origin: 'my-list', reason: 'x', scope: 'ip', type: 'ban', value: '192.0.2.1' },
      { line: 3, value: '192.0.2.2' },
    ],
    faults: [],
  });
  t.same((await read('{"value":"a"}\n{"value":"b","reason":"\\"}"}')).entries, [
    { line: 1, value: 'a' },
    { line: 2, value: 'b', reason: '"}' },
  ]);
  t.same((await read('[{"value":64496,"scope":"as"}]')).entries, [{ line: 1, value: '64496', scope: 'as' }]);
});

t.test('JSON that is broken loses only the objects that are', async (t) => {
  t.match(
    await read(
      '[{"value" "a"},\n{"value":"b"},\nnonsense, more\n{"value":["c"]},\n{"scope":"ip"},{"value":"d"}\n{"value":',
      'json',
    ),
    {
      entries: [
        { line: 2, value: 'b' },
        { line: 5, value: 'd' },
      ],
      faults: [
        { line: 1, message: /not valid JSON/ },
        { line: 3, message: /"nonsensemore"/ },
        { line: 4, message: /not a text/ },
        { line: 5, message: /no value/ },
        { line: 6, message: /no end/ },
      ],
    },
  );
});

t.test('the format is told by its name, the name of the file, or the beginning', async (t) => {
  t.equal(formatNamed('csv', '-'), 'csv');
  t.equal(formatNamed(undefined, 'list.json'), 'json');
  t.equal(formatNamed(undefined, 'list.csv'), 'csv');
  t.equal(formatNamed(undefined, '-'), null);
  t.throws(() => formatNamed('xml', 'list.json'), { code: 'USAGE' });
  t.equal((await read('# x\n\n  [{"value":"a"}]')).entries[0]?.line, 3);
  t.equal((await read('"value"\na\n')).entries[0]?.value, 'a');
  t.equal((await read('values\na\n')).entries.length, 2);
  t.same(await read(''), { entries: [], faults: [] });
  t.same(await read('# nothing but this'), { entries: [], faults: [] });
});

t.test('what is too long is a fault of its line, and the rest goes on', async (t) => {
  const long = 'x'.repeat(200_000);
  for (const size of [1 << 20, 4_096]) {
    t.match(await read(`a\n${long}\nb\n${long}`, 'values', size), {
      entries: [{ line: 1 }, { line: 3 }],
      faults: [
        { line: 2, message: /longer/ },
        { line: 4, message: /longer/ },
      ],
    });
    t.match(await read(`value\n${long}\n"${long}"\nb\n`, 'csv', size), {
      entries: [{ line: 4, value: 'b' }],
      faults: [
        { line: 2, message: /longer/ },
        { line: 3, message: /longer/ },
      ],
    });
    t.match(await read(`[{"value":"${long}"},\n{"value":"b"}]`, 'json', size), {
      entries: [{ line: 2, value: 'b' }],
      faults: [{ line: 1, message: /longer/ }],
    });
  }
});

t.test('any bytes in any pieces are read the same, and every line number is right', async () => {
  const alphabet = fc.constantFrom(
    '"',
    ',',
    '\n',
    '\r\n',
    '{',
    '}',
    '[',
    ']',
    '\\',
    ':',
    '#',
    ';',
    ' ',
    'value',
    '192.0.2.1',
    '\u00e9',
    '\0',
  );
  const text = fc
    .array(fc.oneof(alphabet, fc.string({ maxLength: 3 })), { maxLength: 60 })
    .map((parts) => parts.join(''));
  const bytes = fc.oneof(
    text.map((one) => Buffer.from(one)),
    fc.uint8Array({ maxLength: 200 }).map((one) => Buffer.from(one)),
  );
  const format = fc.constantFrom<ListFormat | null>('csv', 'json', 'values', null);
  await fc.assert(
    fc.asyncProperty(bytes, format, fc.integer({ min: 1, max: 9 }), async (input, named, size) => {
      const whole = await read(input, named);
      const pieced = await read(input, named, size);
      if (JSON.stringify(whole) !== JSON.stringify(pieced)) throw new Error('the pieces matter');
      const lines = new TextDecoder().decode(input).split('\n');
      for (const { line } of [...whole.entries, ...whole.faults])
        if (!Number.isInteger(line) || line < 1 || line > lines.length) throw new Error(`there is no line ${line}`);
      for (const { value } of whole.entries) if (value.trim() === '') throw new Error('an empty value');
    }),
    { seed: 5, numRuns: 2_000 },
  );
});

t.test('what is written is read, with its lines', async () => {
  const word = fc
    .string({ minLength: 1, maxLength: 12 })
    .filter((one) => one.trim() !== '' && one === one.trim() && !/^[#\uFEFF]/.test(one));
  const entry = fc.record({
    value: word,
    reason: fc.string({ maxLength: 12 }).map((one) => one.trim()),
    scope: fc.constantFrom('ip', ''),
  });
  const quoted = (one: string): string => `"${one.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 20 }), async (given) => {
      let line = 1;
      const expected = given.map(({ value, reason, scope }) => {
        line += 1;
        return { line, value, ...(reason === '' ? {} : { reason }), ...(scope === '' ? {} : { scope }) };
      });
      const csv = ['value,reason,scope', ...given.map((one) => [one.value, one.reason, one.scope].map(quoted).join())];
      const json = ['[', ...given.map((one, index) => `${index > 0 ? ',' : ''}${JSON.stringify(one)}`), ']'];
      for (const [name, lines] of [
        ['csv', csv],
        ['json', json],
      ] as const) {
        const { entries, faults } = await read(lines.join('\n'), name);
        const sorted = entries.map(({ line, value, reason, scope }) => ({ line, value, reason, scope }));
        const wanted = expected.map(({ line, value, reason, scope }) => ({ line, value, reason, scope }));
        if (JSON.stringify(sorted) !== JSON.stringify(wanted) || faults.length > 0)
          throw new Error(`${name}: ${JSON.stringify(faults)}`);
      }
    }),
    { seed: 6, numRuns: 300 },
  );
});
