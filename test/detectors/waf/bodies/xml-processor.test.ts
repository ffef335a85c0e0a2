import fc from 'fast-check';
import t from 'tap';
import { bytesOf, isBeginning, limits, process } from './support.ts';

/** A document, its texts, its attribute values. */
const wellFormed: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['<a/>', [], []],
  ['<a>t</a>', ['t'], []],
  ['<a> \n t \t</a>', ['t'], []],
  ['<a>\n<b>t</b>\n<c>u</c>\n</a>', ['t', 'u'], []],
  ['<a b="c" d=\'e\'>t<f g = "h"/></a>', ['t'], ['c', 'e', 'h']],
  ['<a b="">t</a>', ['t'], ['']],
  ['<a>&lt;b&gt; &amp;amp; &quot;&apos;</a>', ['<b> &amp; "\''], []],
  ['<a b="&lt;&#65;&#x42;"/>', [], ['<AB']],
  ['<a>&#233;&#x20AC;&#128512;</a>', [bytesOf('é€😀')], []],
  ['<a>&#x0000000000000000000000000000000000000000000041;</a>', ['A'], []],
  ['<a>&nbsp;&x;&;&#;&#x;&#xzz;&#1114112;& b</a>', ['&nbsp;&x;&;&#;&#x;&#xzz;&#1114112;& b'], []],
  ['<a><![CDATA[<b>&amp;]]></a>', ['<b>&amp;'], []],
  ['<a>uni<!-- x -->on sel<![CDATA[e]]>ct<?p i?> 1</a>', ['union select 1'], []],
  ['<?xml version="1.0" encoding="UTF-8"?><a>t</a>', ['t'], []],
  ['<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>', ['\xe9'], []],
  ['<!-- <a>x</a> --><a>t</a>', ['t'], []],
  ['<a xmlns="http://x.y/z" xmlns:p="urn:a:b" p:q="r"/>', [], ['r']],
  ['<a xmlns:p="\') or 1=1--" xmlnsx="s"/>', [], ["') or 1=1--", 's']],
  ['<!DOCTYPE html><a>t</a>', ['t'], []],
  ['<!DOCTYPE a PUBLIC "-//X" "http://evil/x.dtd"><a/>', ['-//X', 'http://evil/x.dtd'], []],
  ['<a b=">">t</a>', ['t'], ['>']],
  ['\xef\xbb\xbf<a>t</a>', ['t'], []],
  [bytesOf('<é ü="ö">ß</é>'), [bytesOf('ß')], [bytesOf('ö')]],
  ['<a>\xc2\xa0</a>', ['\xc2\xa0'], []],
  ['', [], []],
];

t.test('texts and attribute values of a document are read', async (t) => {
  for (const [body, texts, attributes] of wellFormed) {
    const contents = process('XML', body);
    t.same(contents.xmlTexts, texts, JSON.stringify(body));
    t.same(contents.xmlAttributes, attributes, JSON.stringify(body));
    t.equal(contents.error, '', JSON.stringify(body));
    t.same(contents.args, []);
    t.equal(contents.fillsRequestBody, false);
  }
  t.equal(wellFormed.length, 25);
});

t.test('elements need not be closed nor match', async (t) => {
  for (const body of ['<a>t<b>u', '<a>t<b>u</a></b>', '</x><a>t</y><b>u', '<br>t<br>u']) {
    const contents = process('XML', body);
    t.same(contents.xmlTexts, ['t', 'u'], body);
    t.equal(contents.error, '', body);
  }
});

/** A document, a piece of the error, texts, attribute values. */
const illFormed: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  ['text', 'no element', ['text'], []],
  ['a=1&b=<script>', '', ['a=1&b='], []],
  ['<a b=c d>t</a>', 'without quotes', ['t'], ['c', 'd']],
  ['<a b>t</a>', 'without a value', ['t'], ['b']],
  ['<a b="c', 'attribute value without its end', [], ['c']],
  ['<a b="<c>"/>', '"<" in an attribute value', [], ['<c>']],
  ['<a', 'tag without its end', [], []],
  ['<a b="c"<d>t</d>', 'tag without its end', ['t'], ['c']],
  ['<a>1 < 2</a>', 'begins nothing', ['1 < 2'], []],
  ['<a><!-- x <b>t</b>', 'comment without its end', ['x <b>t</b>'], []],
  ['<a><![CDATA[t', 'CDATA section without its end', ['t'], []],
  ['<a/><?p t', 'instruction without its end', ['p t'], []],
  ['<!DOCTYPE a [', 'declaration without its end', [], []],
  ['<?xml version="1.0" encoding="utf-7"?><a>+ADw-</a>', 'encoding utf-7', ['+ADw-'], []],
  ['<?xml version="1.0" encoding="utf-16"?><a>t</a>', 'encoding utf-16', ['t'], []],
  ["<?xml version='1.0' encoding='IBM037'?><a>t</a>", 'encoding IBM037', ['t'], []],
];

t.test('what is no markup is an error, and what follows is still seen', async (t) => {
  for (const [body, error, texts, attributes] of illFormed) {
    const contents = process('XML', body);
    t.same(contents.xmlTexts, texts, body);
    t.same(contents.xmlAttributes, attributes, body);
    t.ok(error === '' ? contents.error === '' : contents.error.includes(error), `${contents.error}: ${body}`);
  }
  t.equal(illFormed.length, 16);
});

t.test('entities that a document declares are shown, reported and never expanded', async (t) => {
  const external = process('XML', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>');
  t.same(external.xmlTexts, ['file:///etc/passwd', '&x;']);
  t.match(external.error, /declares entities/);
  const parameter = process('XML', "<!DOCTYPE a [ <!-- it's --> <!ENTITY % p '<!ENTITY y \"z\">'> %p; ]><a>&y;</a>");
  t.same(parameter.xmlTexts, ['<!ENTITY y "z">', '&y;']);
  t.match(parameter.error, /declares entities/);
  const laughs = Array.from({ length: 60 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`);
  const bomb = process('XML', `<!DOCTYPE a [<!ENTITY l0 "lol">${laughs.join('')}]><a>&l60;</a>`);
  t.match(bomb.error, /declares entities/);
  t.equal(bomb.xmlTexts?.length, 62);
  t.equal(bomb.xmlTexts?.at(-1), '&l60;');
});

t.test('UTF-16 is read, and its declaration is then right', async (t) => {
  const text = '<?xml version="1.0" encoding="UTF-16"?><a b="é">t</a>';
  for (const body of [Buffer.from(text, 'utf16le'), Buffer.from(`\ufeff${text}`, 'utf16le').swap16()]) {
    const contents = process('XML', body.toString('latin1'));
    t.same([contents.xmlTexts, contents.xmlAttributes, contents.error], [['t'], [bytesOf('é')], '']);
  }
});

t.test('nesting deeper than the limit is an error, and is read all the same', async (t) => {
  const nested = (depth: number): string => `${'<a>'.repeat(depth)}t${'</a>'.repeat(depth)}`;
  t.equal(process('XML', nested(limits.depth)).error, '');
  t.equal(process('XML', '<a><b/>t</a>'.repeat(1_000)).error, '');
  const deeper = process('XML', nested(limits.depth + 1));
  t.match(deeper.error, /deeper than 100/);
  t.same(deeper.xmlTexts, ['t']);
});

t.test('more texts than the limit are joined, so that none is lost', async (t) => {
  const three = { limits: { ...limits, arguments: 3 } };
  const body = (count: number): string =>
    Array.from({ length: count }, (_, index) => `<a b="v${index}">t${index}</a>`).join('');
  t.same(process('XML', body(3), three).xmlTexts, ['t0', 't1', 't2']);
  const more = process('XML', body(5), three);
  t.same(more.xmlTexts, ['t0', 't1', 't2 t3 t4']);
  t.same(more.xmlAttributes, ['v0', 'v1', 'v2 v3 v4']);
  const many = process('XML', body(20_000), three);
  t.equal(many.xmlTexts?.[2]?.split(' ').length, 19_998);
});

interface Sample {
  readonly source: string;
  /** Texts between tags, in order; "|" marks a tag. */
  readonly texts: string;
  readonly attributes: readonly string[];
}

const letter = fc.constantFrom('a', 'Z', '0', '<', '>', '&', '"', "'", '\xc3\xa9', ']', '-', '/', '=', '\x0b');
const value = fc.array(fc.tuple(letter, fc.nat(3)), { minLength: 1, maxLength: 8 });

function spell(list: readonly (readonly [string, number])[]): string {
  const names: Record<string, string> = { '<': 'lt', '>': 'gt', '&': 'amp', '"': 'quot', "'": 'apos' };
  return list
    .map(([character, choice]) => {
      const name = names[character];
      if (character.length > 1 || (choice === 0 && name === undefined)) return character;
      if (choice === 1) return `&#${character.charCodeAt(0)};`;
      if (choice === 2 || name === undefined) return `&#x00${character.charCodeAt(0).toString(16)};`;
      return `&${name};`;
    })
    .join('');
}

const plain = (list: readonly (readonly [string, number])[]): string => list.map(([character]) => character).join('');

const { element } = fc.letrec<{ element: Sample; node: Sample }>((tie) => ({
  element: fc
    .tuple(fc.array(value, { maxLength: 3 }), fc.array(tie('node'), { maxLength: 5 }), fc.constantFrom('"', "'"))
    .map(([attributes, children, quote]) => ({
      source: `<p:e${attributes.map((list, index) => ` a${index}=${quote}${spell(list)}${quote}`).join('')}>${children
        .map((child) => child.source)
        .join('')}</p:e >`,
      texts: `|${children.map((child) => child.texts).join('')}|`,
      attributes: [...attributes.map(plain), ...children.flatMap((child) => child.attributes)],
    })),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    value.map((list): Sample => ({ source: spell(list), texts: plain(list), attributes: [] })),
    value.map(
      (list): Sample => ({
        source: `<![CDATA[${plain(list).replaceAll(']]>', '')}]]>`,
        texts: plain(list).replaceAll(']]>', ''),
        attributes: [],
      }),
    ),
    fc.constant<Sample>({ source: '<!-- > <x y="z"> -->', texts: '', attributes: [] }),
    fc.constant<Sample>({ source: '<?p <x y="z">?>', texts: '', attributes: [] }),
    fc.constant<Sample>({ source: '<e/>', texts: '|', attributes: [] }),
    tie('element'),
  ),
}));

function textsOf(sample: Sample): readonly string[] {
  return sample.texts
    .split('|')
    .map((text) => text.replace(/^\x0b+|\x0b+$/g, ''))
    .filter((text) => text !== '');
}

t.test('what was written is what comes out', async () => {
  fc.assert(
    fc.property(element, (sample) => {
      const contents = process('XML', sample.source);
      return (
        contents.error === '' &&
        JSON.stringify(contents.xmlTexts) === JSON.stringify(textsOf(sample)) &&
        JSON.stringify(contents.xmlAttributes) === JSON.stringify(sample.attributes)
      );
    }),
    { seed: 4_031, numRuns: 2_000 },
  );
});

t.test('a document that is cut anywhere keeps what came before, and the cut is no mistake', async () => {
  fc.assert(
    fc.property(element, (sample) => {
      const whole = process('XML', sample.source);
      for (let cut = 0; cut < sample.source.length; cut += 1) {
        const contents = process('XML', sample.source.slice(0, cut), { truncated: true });
        if (contents.error !== '') return false;
        if (!isBeginning(contents.xmlTexts ?? [], whole.xmlTexts ?? [])) return false;
        if (!isBeginning(contents.xmlAttributes, whole.xmlAttributes)) return false;
      }
      return true;
    }),
    { seed: 4_032, numRuns: 200 },
  );
});
