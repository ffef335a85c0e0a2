import fc from 'fast-check';
import t from 'tap';
import type { BodyContents, MultipartFlags } from '../../../../detectors/waf/bodies/body-processor.ts';
import { readMultipart } from './multipart-model.ts';
import { formType, isBeginning, limits, pairs, process } from './support.ts';

const field = 'Content-Disposition: form-data; name="a"\r\n\r\n';
const file = 'Content-Disposition: form-data; name="f"; filename="x.txt"\r\nContent-Type: text/plain\r\n\r\n';

function read(body: string, contentType = formType): BodyContents {
  return process('MULTIPART', body, { contentType });
}

function flagsOf(contents: BodyContents): readonly string[] {
  return Object.entries(contents.multipart ?? {}).flatMap(([name, on]) => (on ? [name] : []));
}

t.test('fields become arguments, files become files, and every header is kept', async (t) => {
  const contents = read(`--B\r\n${field}v1\r\n--B\r\n${file}line\nline\r\n\r\n--B\r\n${field}\r\n--B--\r\n`);
  t.same(pairs(contents.args), ['a=v1', 'a=']);
  t.same(contents.files, [{ field: 'f', name: 'x.txt', size: 11, content: 'line\nline\r\n' }]);
  t.same(pairs(contents.partHeaders), [
    'a=Content-Disposition: form-data; name="a"',
    'f=Content-Disposition: form-data; name="f"; filename="x.txt"',
    'f=Content-Type: text/plain',
    'a=Content-Disposition: form-data; name="a"',
  ]);
  t.same(flagsOf(contents), []);
  t.equal(contents.error, '');
  t.equal(contents.fillsRequestBody, false);
});

/** Body, flags, a piece of the error ("" for none), arguments. Flags and errors are ModSecurity 3's unless said otherwise. */
const oddBodies: readonly (readonly [string, readonly (keyof MultipartFlags)[], string, readonly string[]])[] = [
  [`--B--\r\n`, [], '', []],
  [`--B\r\n${field}x\r\n--B--`, [], '', ['a=x']],
  [`--B\r\n${field}--foo\r\n--\r\n-- x\r\n--B--\r\n`, [], '', ['a=--foo\r\n--\r\n-- x']],
  [`--B\r\n${field}x --B y\r\n--B--\r\n`, [], '', ['a=x --B y']],
  [`pre\r\n--B\r\n${field}x\r\n--B--\r\n`, ['dataBefore'], '', ['a=x']],
  [`\r\n--B\r\n${field}x\r\n--B--\r\n`, ['dataBefore'], '', ['a=x']],
  [`--B\r\n${field}x\r\n--B--\r\n\r\n`, ['dataAfter'], '', ['a=x']],
  [`--B\r\n${field}x\r\n--B--\r\nmore`, ['dataAfter'], '', ['a=x']],
  // PHP goes on behind the final boundary.
  [`--B\r\n${field}x\r\n--B--\r\n--B\r\n${field}y\r\n--B--`, ['dataAfter'], 'final duplicate', ['a=x', 'a=y']],
  [`--B\n${field}x\r\n--B--\r\n`, ['lfLine', 'crlfLfLines'], '', ['a=x']],
  [`--B\n${field.replaceAll('\r', '')}x\n--B--\n`, ['lfLine'], '', ['a=x']],
  [`--B\r\n${field}x\n--B--\r\n`, ['lfLine', 'crlfLfLines'], '', ['a=x']],
  // Werkzeug takes the carriage return alone for the end of a line.
  [`--B\r\n${field}x\r--B--\r\n`, [], 'carriage return', ['a=x']],
  [`--B\r\n${field}x\r\n--BC\r\n${field}y\r\n--B--\r\n`, ['unmatchedBoundary'], 'Invalid boundary', ['a=x', 'a=y']],
  [`--B\r\n${field}x\r\n--B \t\r\n${field}y\r\n--B--\r\n`, ['boundaryWhitespace'], '', ['a=x', 'a=y']],
  [`--B\r\n${field}x\r\n-- \tB\r\ny\r\n--B--`, [], '(whitespace)', ['a=x\r\n-- \tB\r\ny']],
  [`--B\r\n${field}x`, [], 'Final boundary missing', ['a=x']],
  [`--B\r\n${field}x\r\n--B`, [], 'Final boundary missing', ['a=x']],
  ['--A\r\nx', ['dataBefore', 'unmatchedBoundary'], 'No boundaries found', ['=--A\r\nx']],
  ['a=1', ['dataBefore'], 'No boundaries found', ['=a=1']],
  // PHP does not see the boundary behind the empty line.
  [`--B\r\n${field}--B--\r\n`, ['invalidPart'], 'Part without content', ['a=']],
  ['--B\r\ntest\r\n--B--\r\n', ['invalidPart'], 'colon missing', ['=test']],
  ['--B\r\n--B--\r\n', ['invalidPart'], 'without their end', ['=']],
];

t.test('bodies that two origins could read differently are flagged, and read on', async (t) => {
  for (const [body, flags, error, args] of oddBodies) {
    const contents = read(body);
    t.same(flagsOf(contents).toSorted(), flags.toSorted(), `flags of ${JSON.stringify(body)}`);
    t.ok(
      error === '' ? contents.error === '' : contents.error.includes(error),
      `${contents.error}: ${JSON.stringify(body)}`,
    );
    t.same(pairs(contents.args), args, JSON.stringify(body));
  }
  t.equal(oddBodies.length, 23);
});

/** The headers of a part; flags, error, fields and files. Its content is "x". */
const oddHeaders: readonly (readonly [string, readonly (keyof MultipartFlags)[], string, readonly string[]])[] = [
  ['Content-Disposition: form-data; name=a', [], '', ['a']],
  ['content-disposition:form-data;name="a"', [], '', ['a']],
  ['Content-Disposition: form-data; name="a\\"b\\\\c"', [], '', ['a"b\\c']],
  ['Content-Disposition: form-data; name="a;b=c"', [], '', ['a;b=c']],
  ['Content-Disposition: form-data; name="it\'s"', [], '', ["it's"]],
  ['Content-Disposition: form-data; name="a"; filename="C:\\dir\\x"', [], '', ['a:C:\\dir\\x']],
  ['Content-Disposition: form-data; name="a"; size=12', [], '', ['a']],
  ["Content-Disposition: form-data; name='a'", ['invalidQuoting'], '', ['a']],
  // Go takes an empty file name for a field, PHP what has only the extended name.
  ['Content-Disposition: form-data; name="a"; filename=""', [], '', ['a']],
  ['Content-Disposition: form-data; name="a"; filename*=UTF-8\'\'%C3%A9%20b', [], '', ['a', 'a:\xc3\xa9 b']],
  ['Content-Disposition: form-data; name="a"; filename="?"; filename*=UTF-8\'\'%C3%A9', [], '', ['a:?', 'a:\xc3\xa9']],
  [
    'Content-Disposition: form-data; name="a"; filename="b"; filename*=UTF-8\'\'c.php',
    ['invalidPart'],
    'differ',
    ['a:b', 'a:c.php'],
  ],
  ['Content-Disposition: form-data; name="a"; filename*=c', ['invalidPart'], 'cannot be read', ['a', 'a:c']],
  ['Content-Disposition: form-data; name="a"; filename*0="c"', ['invalidPart'], 'cannot be read', ['a', 'a:c']],
  ["Content-Disposition: form-data; name*=UTF-8''a%41", ['invalidPart'], 'not allowed', ['aA']],
  ['Content-Disposition: form-data; name="a"; name="b"', ['invalidPart'], 'duplicate name', ['a', 'b']],
  [
    'Content-Disposition: form-data; name="a"; filename="b"; filename="c"',
    ['invalidPart'],
    'duplicate filename',
    ['a:b', 'a:c'],
  ],
  [
    'Content-Disposition: form-data; name="a"\r\ncontent-disposition: form-data; name="b"',
    ['invalidPart'],
    'Duplicate part header',
    ['a', 'b'],
  ],
  ['Content-Disposition: form-data; name="a"; file:name="b"', ['invalidPart'], 'no token', ['a']],
  ['Content-Disposition: form-data; name="a"; filename-="b"', ['invalidPart'], 'not known', ['a']],
  ['Content-Disposition: form-data; name = "a"', ['invalidPart'], 'white space', ['a']],
  ['Content-Disposition: form-data; name="a"x; filename="b"', ['invalidPart'], 'text after', ['a:b']],
  ['Content-Disposition: form-data; name="a', ['invalidPart'], 'without its end', ['a']],
  ['Content-Disposition: form-data; name=a b', ['invalidPart'], 'needs quotes', ['a b']],
  ['Content-Disposition: attachment; name="a"', ['invalidPart'], 'not form-data', ['a']],
  ['Content-Disposition: form-data', ['invalidPart'], 'missing name field', ['']],
  ['Content-Type: text/plain', ['invalidPart'], 'missing Content-Disposition', ['']],
  ['Content-Disposition : form-data; name="a"', ['invalidPart'], 'invalid character', ['a']],
  [
    '\x0eContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"',
    ['invalidPart'],
    'contains invalid character',
    ['b'],
  ],
  ['Content-Disposition: form-data; name="a"\r\nX\0: 1', ['invalidPart'], 'Nul byte', ['a']],
  ['Content-Disposition: form-data; name="a\0b"', ['invalidPart'], 'Nul byte', ['a\0b']],
  ['Content-Disposition: form-data; name="a"\r\nX: 1\rY: 2', ['invalidPart'], 'invalid character', ['a']],
  ['Content-Disposition: form-data; name="a"\r\nnonsense', ['invalidPart'], 'colon missing', ['a']],
  ['Content-Disposition: form-data; name="a"\r\n: x', ['invalidPart'], 'header name missing', ['a']],
  ['Content-Disposition: form-data;\r\n name="a"', ['headerFolding'], '', ['a']],
  ['Content-Disposition: form-data;\r\n\vname="a"', ['headerFolding', 'invalidHeaderFolding'], '', ['a']],
  [
    ' Content-Disposition: form-data; name="a"',
    ['headerFolding', 'invalidHeaderFolding', 'invalidPart'],
    'folding error',
    ['a'],
  ],
];

t.test('part headers that two origins could read differently are flagged, with all that they may name', async (t) => {
  for (const [headers, flags, error, named] of oddHeaders) {
    const contents = read(`--B\r\n${headers}\r\n\r\nx\r\n--B--\r\n`);
    t.same(flagsOf(contents).toSorted(), flags.toSorted(), `flags of ${JSON.stringify(headers)}`);
    t.ok(error === '' ? contents.error === '' : contents.error.includes(error), `${contents.error}: ${headers}`);
    const found = [
      ...contents.args.map(({ name }) => name),
      ...contents.files.map((file) => `${file.field}:${file.name}`),
    ];
    t.same(found, named, JSON.stringify(headers));
    t.ok(
      [...contents.args.map(({ value }) => value), ...contents.files.map(({ content }) => content)].every(
        (x) => x === 'x',
      ),
    );
  }
  t.equal(oddHeaders.length, 37);
});

const contentTypes: readonly (readonly [string, readonly (keyof MultipartFlags)[], string])[] = [
  ['multipart/form-data; boundary=B', [], ''],
  ['multipart/form-data;boundary=B', [], ''],
  ['multipart/form-data; Boundary=B', [], ''],
  ['multipart/form-data; boundary=B; charset=utf-8', [], ''],
  ['multipart/form-data; charset=utf-8; boundary=B', [], ''],
  ['multipart/form-data; boundary="B"', ['boundaryQuoted'], ''],
  ['multipart/form-data; boundary = B', ['boundaryWhitespace'], ''],
  ['multipart/form-data; boundary=B ', ['boundaryWhitespace'], ''],
  ["multipart/form-data; boundary='B'", [], '(quote)'],
  ['multipart/form-data; boundary="B', ['boundaryQuoted'], 'malformed'],
  ['multipart/form-data boundary=B', ['missingSemicolon'], 'parameter name'],
  ['multipart/form-data, boundary=B', ['missingSemicolon'], 'parameter name'],
  ['multipart/form-data; boundary=B; boundary=C', [], 'Multiple boundary'],
  ['multipart/form-data; boundary=B; xboundary=C', [], 'Multiple boundary'],
  ['multipart/form-data; boundary=B; boundary*0=C', [], 'Multiple boundary'],
  ['multipart/form-data;; boundary=B', [], 'empty parameter'],
  ['multipart/form-data; boundary=B;', [], ''],
  ['multipart/form-data"C"; boundary=B', [], 'media type'],
  // PHP would take "A".
  ['multipart/form-data; x="boundary"; y=A; boundary=B', [], 'malformed'],
  ['multipart/form-data; boundary; x=A; boundary=B', [], 'malformed'],
];

t.test('a Content-Type that two origins could read differently is flagged', async (t) => {
  for (const [contentType, flags, error] of contentTypes) {
    const contents = read(`--B\r\n${field}x\r\n--B--\r\n`, contentType);
    t.same(flagsOf(contents).toSorted(), flags.toSorted(), contentType);
    t.ok(error === '' ? contents.error === '' : contents.error.includes(error), `${contents.error}: ${contentType}`);
    t.same(pairs(contents.args), ['a=x'], contentType);
  }
  t.equal(contentTypes.length, 20);
});

t.test('without a boundary the body is looked at as it is', async (t) => {
  const body = `--B\r\n${field}x\r\n--B--\r\n`;
  for (const [contentType, error] of [
    ['multipart/form-data', 'Boundary not found'],
    ['multipart/form-data; boundary=', '(empty)'],
    ['multipart/form-data; boundary=B,C', '(characters)'],
    [`multipart/form-data; boundary=${'B'.repeat(71)}`, '(length)'],
    ['multipart/form-data; boundary=B<', '(characters)'],
    ['multipart/form-data; boundary*0=B', '(parameter name)'],
  ] as const) {
    const contents = read(body, contentType);
    t.ok(contents.error.includes(error), `${contents.error}: ${contentType}`);
    t.same(pairs(contents.args), [`=${body}`]);
  }
});

t.test('arguments and files beyond their limits are dropped, and that is said', async (t) => {
  const two = { limits: { ...limits, arguments: 2, files: 1 } };
  const fields = process('MULTIPART', `--B\r\n${`${field}x\r\n--B\r\n`.repeat(2)}${field}x\r\n--B--`, two);
  t.equal(fields.args.length, 2);
  t.equal(fields.argumentsDropped, true);
  const files = process('MULTIPART', `--B\r\n${file}x\r\n--B\r\n${file}y\r\n--B--`, two);
  t.same(
    files.files.map(({ content }) => content),
    ['x'],
  );
  t.same(flagsOf(files), ['fileLimitExceeded']);
  t.equal(files.argumentsDropped, false);
});

const byteText = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
const nameText = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 12,
});
const parts = fc.array(
  fc.record({ name: nameText, file: fc.option(nameText.filter((name) => name !== '')), content: byteText }),
  {
    minLength: 1,
    maxLength: 6,
  },
);
const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW';

function render(list: readonly { name: string; file: string | null; content: string }[]): string {
  const escape = (text: string): string => text.replace(/["\\]/g, String.raw`\$&`);
  const rendered = list.map(({ name, file, content }) => {
    const disposition = `form-data; name="${escape(name)}"${file === null ? '' : `; filename="${escape(file)}"`}`;
    return `--${boundary}\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;
  });
  return `${rendered.join('')}--${boundary}--\r\n`;
}

t.test('what was encoded is what comes out', async () => {
  fc.assert(
    fc.property(parts, (list) => {
      const contents = read(render(list), `multipart/form-data; boundary=${boundary}`);
      const fields = list.filter(({ file }) => file === null).map(({ name, content }) => ({ name, value: content }));
      const files = list.flatMap(({ name, file, content }) =>
        file === null ? [] : [{ field: name, name: file, size: content.length, content }],
      );
      return (
        contents.error === '' &&
        flagsOf(contents).length === 0 &&
        JSON.stringify([contents.args, contents.files]) === JSON.stringify([fields, files])
      );
    }),
    { seed: 4_021, numRuns: 2_000 },
  );
});

t.test('a body that is cut anywhere keeps what came before, and the cut is no mistake', async () => {
  const contentType = `multipart/form-data; boundary=${boundary}`;
  fc.assert(
    fc.property(parts, (list) => {
      const body = render(list);
      const whole = read(body, contentType);
      for (let cut = 0; cut < body.length; cut += 1) {
        const contents = process('MULTIPART', body.slice(0, cut), { contentType, truncated: true });
        if (contents.error !== '' || flagsOf(contents).length > 0) return false;
        if (!isBeginning(contents.args, whole.args) || !isBeginning(contents.files, whole.files)) return false;
      }
      return true;
    }),
    { seed: 4_022, numRuns: 60 },
  );
});

t.test('the parts are those of a plain model, however the body is put together', async (t) => {
  const piece = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(field, file, `--B\r\n${field}`, `--B\r\n${file}`, '\r\n--B\r\n', '\r\n--B--\r\n'),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom('--B', '--', 'B', '-', '\r\n', '\n', '\r', ' ', 'x', 'X-Y: z\r\n', '\0', '\r\n '),
    },
  );
  let several = 0;
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 14 }), (pieces) => {
      const body = pieces.join('');
      const model = readMultipart(body, 'B');
      const contents = read(body);
      const expected = model.parts ?? [{ field: '', file: null, content: body }];
      if (expected.length > 1) several += 1;
      const fields = expected.filter((part) => part.file === null).map((part) => `${part.field}=${part.content}`);
      const files = expected.flatMap((part) =>
        part.file === null ? [] : [`${part.field}:${part.file}=${part.content}`],
      );
      return (
        JSON.stringify(pairs(contents.args)) === JSON.stringify(fields) &&
        JSON.stringify(contents.files.map((found) => `${found.field}:${found.name}=${found.content}`)) ===
          JSON.stringify(files) &&
        (model.finished || contents.error !== '')
      );
    }),
    { seed: 4_023, numRuns: 20_000 },
  );
  t.ok(several > 3_000, `${several} bodies had several parts`);
});
