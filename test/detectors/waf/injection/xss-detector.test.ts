import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import t from 'tap';
import { benignTexts } from '../../../../detectors/waf/injection/learning/benign-texts.ts';
import { readInjectionSamples } from '../../../../detectors/waf/injection/learning/injection-samples.ts';
import { createXssDetector } from '../../../../detectors/waf/injection/xss-detector.ts';
import { suitePath } from '../../../support/suites.ts';

const detect = createXssDetector();

/** Attack samples that are let through, by their beginnings: no browser runs them. */
const arguable = [
  // Without a semicolon the letters after the number belong to it, or to no scheme that exists.
  '<a href="jav&#65ascript:javascript:alert(1)">',
  '<a href="jav&#97ascript:javascript:alert(1)">',
  // No colon.
  '<a href="javascript#alert(1);">',
  // White space ends a value that has no quotes.
  '<img src=&#0000106&#0000097&#0000118&#0000097 ',
  '<img src=&#106;&#97;&#118;&#97;&#115;&#99; ',
];

t.test('attacks are caught, but for the arguable ones that are named', async (t) => {
  const folder = suitePath(t, 'injection-samples/samples');
  if (folder === null) return;
  const samples = [...readInjectionSamples(folder, 'xss-'), ...readInjectionSamples(folder, 'tbd-xss-')];
  t.equal(samples.length, 1646);
  const missed = samples.map(({ text }) => text).filter((text) => !detect(text));
  t.ok(missed.length / samples.length < 0.01);
  t.same(
    missed.filter((text) => !arguable.some((start) => text.startsWith(start))),
    [],
  );
  t.same(
    arguable.filter((start) => !missed.some((text) => text.startsWith(start))),
    [],
  );
});

t.test('honest texts and markup are left alone', async (t) => {
  for (const text of benignTexts(10_000, 20_260_102)) if (detect(text)) t.fail(text);
  const texts = [
    'a < b and c > d',
    'i <3 you',
    '<b>bold</b> and <a href="https://example.com/?online=1">a link</a>',
    '<img src="data:image/png;base64,iVBORw0KGgo=" alt="dot">',
    'online=true&once=1&only = yes',
    '"once" only="yes"',
    "it's = 'fine'",
    '{"on": "load", "onward": 1}',
    'javascript: the good parts',
    '<!-- a comment -->',
    'on = 5',
  ];
  for (const text of texts) t.notOk(detect(text), text);
});

t.test('none of the false positives of the suite is taken for an attack', async (t) => {
  const folder = suitePath(t, 'injection-samples/samples');
  if (folder === null) return;
  const samples = readInjectionSamples(folder, 'false_positives');
  t.equal(samples.length, 421);
  for (const { text } of samples) t.notOk(detect(text), text);
});

t.test('the vectors of the operator give what they say', async (t) => {
  const file = suitePath(t, 'seclang-vectors/operators/detectXSS.json');
  if (file === null) return;
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as { input: string; ret: number }[];
  t.equal(vectors.length, 3);
  for (const { input, ret } of vectors) t.equal(detect(input), ret === 1, input);
});

t.test('values that the core rules refuse are caught', async (t) => {
  const values = [
    '<script xmlns="http://www.w3.org/1999/xhtml">setTimeout("1",1000)</script>',
    '<x:script xmlns:x="http://www.w3.org/1999/xhtml" src="data:,alert(1)" />',
    '<xss onbeforehellfreezes=alert(1)>',
    `/get/"onmouseover='prompt(document.cookie)'"`,
    '/get/index.php/<svg/onload=alert()',
  ];
  for (const value of values) t.ok(detect(value), value);
});

t.test('an event is found wherever the value stands in a page', async (t) => {
  const values = [
    '<p onclick=alert(1)>',
    'onclick=alert(1) x',
    'x onclick=alert(1)',
    "x' onclick=alert(1) '",
    'x" onclick=alert(1) "',
    'x` onclick=alert(1)',
    'x/onclick=alert(1) onclick=1',
    '<p/onclick=alert(1)>',
    '<p\0 oncl\0ick=alert(1)>',
    '<p\x0conclick\n=\r"alert(1)">',
    '<p ONCLICK=alert(1)>',
    '<a href=" java\tscr\nipt:alert(1)">',
    '<a href="&#x6a;avascript&colon;alert(1)">',
    '<set attributeName="onclick" to="alert(1)">',
  ];
  for (const value of values) t.ok(detect(value), value);
});

t.test('no byte string makes it throw', async (t) => {
  const pieces = [
    '<',
    '>',
    '</',
    '<!--',
    '-->',
    '<![CDATA[',
    '<?',
    '<%',
    '"',
    "'",
    '`',
    '=',
    '/',
    'a',
    'on',
    'href',
    '&#',
    '\0',
    ' ',
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((list) => list.join('')),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  fc.assert(
    fc.property(text, (value) => typeof detect(value) === 'boolean'),
    { seed: 941_100, numRuns: 3000 },
  );
  t.pass('an answer for each');
});
