import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { defaultLimits } from '../../../../remediation/notify/templates/render-context.ts';
import { compileTemplate } from '../../../../remediation/notify/templates/template.ts';
import { TemplateError } from '../../../../remediation/notify/templates/template-error.ts';
import { createZones } from '../../../../remediation/notify/templates/time-zone.ts';
import { fromJson, render, testRuntime } from './support.ts';

interface Fact {
  readonly template: string;
  readonly output?: string;
  readonly error?: string;
  /** Where our reason is worded differently from Go's. */
  readonly inOurWords?: string;
}

/** What Go 1.19 with Sprig 3.2.3 made of these templates, in UTC. */
const { data, facts } = JSON.parse(readFileSync(new URL('go-facts.json', import.meta.url), 'utf8')) as {
  data: unknown;
  facts: readonly Fact[];
};

function faultOf(run: () => unknown): TemplateError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof TemplateError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

t.test('templates give what Go gives', async (t) => {
  t.equal(facts.length, 426);
  for (const { template, output, error, inOurWords } of facts) {
    if (output !== undefined) t.equal(render(template, data), output, JSON.stringify(template));
    else t.equal(faultOf(() => render(template, data)).reason, inOurWords ?? error, JSON.stringify(template));
  }
  t.equal(facts.filter(({ output }) => output !== undefined).length, 303);
  t.equal(facts.filter(({ inOurWords }) => inOurWords !== undefined).length, 28);
});

t.test('newer Go: integers are ranged over, else with', async (t) => {
  t.equal(render('{{range 3}}{{.}}{{end}}{{range 0}}x{{else}}none{{end}}'), '012none');
  t.equal(render('{{range $i := 2}}<{{$i}}>{{end}}'), '<0><1>');
  t.equal(render('{{with .a}}a{{else with .b}}b={{.}}{{else}}c{{end}}', { b: 1 }), 'b=1');
});

t.test('a fault names its place and the part', async (t) => {
  const parse = faultOf(() => compileTemplate('slack', 'one\n  {{ .a | nosuch }}'));
  t.equal(parse.message, 'template: slack:2:11: function "nosuch" not defined');
  t.strictSame([parse.code, parse.line, parse.column], ['TEMPLATE_INVALID', 2, 11]);
  const run = faultOf(() =>
    compileTemplate('slack', 'é\n{{ index .list 7 }}').render(fromJson({ list: [] }), testRuntime()),
  );
  t.equal(
    run.message,
    'template: slack:2:4: executing "slack" at <index .list 7>: error calling index: index out of range: 7',
  );
  const inside = faultOf(() =>
    compileTemplate('s', '{{define "x"}}{{.a.b}}{{end}}{{template "x" .}}').render(fromJson({ a: 'b' }), testRuntime()),
  );
  t.match(inside.message, /^template: s:1:17: executing "x" at <\.a\.b>: can't evaluate field b in type string$/);
});

t.test('functions that reach outside are refused by name, with the reason', async (t) => {
  const names = 'env expandenv getHostByName CrowdsecCTI genCA derivePassword bcrypt encryptAES'.split(' ');
  for (const name of names) {
    t.match(faultOf(() => compileTemplate('x', `{{${name} "HOME"}}`)).reason, `function "${name}" is not offered: `);
  }
  t.equal(names.length, 8);
});

t.test('time, host and randomness come from the runtime', async (t) => {
  t.equal(
    render('{{now | date "2006-01-02 15:04:05"}} {{now.Year}}'.replace('now.Year', '(now).Year')),
    '2026-01-01 00:00:00 2026',
  );
  t.equal(
    render('{{ago (now | dateModify "-90m")}} {{htmlDate now}} {{unixEpoch now}}'),
    '1h30m0s 2026-01-01 1767225600',
  );
  t.equal(render('{{Hostname}} {{uuidv4}}'), 'gw.example 00000000-0000-4000-8000-000000000001');
  t.equal(
    render('{{randNumeric 4}} {{randAlpha 3}} {{randAlphaNum 2}} {{len (randAscii 5)}} {{randBytes 3}}'),
    '0123 EFG HI 5 Dg8Q',
  );
  t.equal(render('{{randInt 10 20}} {{len (shuffle "abc")}}'), '15 3');
  const paris = compileTemplate(
    'x',
    '{{dateInZone "15:04 MST" now "Local"}} {{(now).Local.Format "MST"}} {{(now).UTC.Hour}}',
  );
  t.equal(paris.render(null, testRuntime({ zones: createZones('Europe/Paris') })), '01:00 CET CET 0');
});

t.test('a run is bounded in output, steps, depth and in what functions make', async (t) => {
  const hostile: readonly (readonly [string, RegExp])[] = [
    ['{{range until 1000000}}x{{end}}', /more than 500000 steps/],
    ['{{range until 3000}}{{range until 3000}}{{end}}{{end}}', /steps/],
    ['{{repeat 2000000 "x"}}', /beyond 1048576 bytes/],
    ['{{repeat 1000000000000 "xyz"}}', /beyond 1048576 bytes/],
    ['{{define "r"}}{{template "r"}}{{end}}{{template "r"}}', /nested more than 100 deep/],
    ['{{$s := "xxxxxxxx"}}{{range until 40}}{{$s = print $s $s}}{{end}}', /beyond 1048576 bytes/],
    ['{{$l := list 1}}{{range until 40}}{{$l = concat $l $l}}{{end}}', /steps/],
    ['{{printf "%1000000d%1000000d" 1 1}}', /beyond 1048576 bytes/],
    ['{{indent 1000000 "a\nb"}}', /unterminated/],
    ['{{indent 1000000 "a\\nb"}}', /beyond 1048576 bytes/],
    ['{{$d := dict}}{{$_ := set $d "me" $d}}{{$d}}', /nested more than 100 deep/],
    ['{{$d := dict}}{{$_ := set $d "me" $d}}{{toJson $d}}', /nested more than 100 deep/],
    ['{{$d := dict}}{{$_ := set $d "me" $d}}{{deepCopy $d}}', /nested more than 100 deep/],
    ['{{replace "" "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" (repeat 100000 "a")}}', /beyond 1048576 bytes/],
    ['{{regexReplaceAll "" (repeat 10000 "a") (repeat 10000 "b")}}', /steps/],
    ['{{seq 0 1 100000000}}', /steps/],
    [`{{${'('.repeat(200)}1${')'.repeat(200)}}}`, /nested more than 100 deep/],
    [`${'{{if 1}}'.repeat(300)}x`, /nested more than 100 deep/],
    [`{{fromJson "${'['.repeat(500)}${']'.repeat(500)}"}}`, /nested more than 100 deep/],
    ['{{wrapWith 1 (repeat 1000 "-") (repeat 10000 "a ")}}', /beyond 1048576 bytes/],
  ];
  for (const [source, reason] of hostile)
    t.match(faultOf(() => render(source, {})).reason, reason, source.slice(0, 60));
  t.equal(hostile.length, 20);
  t.match(
    faultOf(() => render('12345678901', null, { ...defaultLimits, textBytes: 10 })).reason,
    /output grows beyond 10 bytes/,
  );
  t.throws(() => compileTemplate('x', 'x'.repeat(262_145)), TemplateError);
});

t.test('values are printed, never read as template text', async (t) => {
  const evil = '{{.secret}} {{env "HOME"}} {{ range until 99 }} }} {{/*';
  const out = render(
    '<{{.v}}|{{printf "%s" .v}}|{{.v | upper}}|{{range .l}}{{.}}{{end}}|{{template "t" .v}}>{{define "t"}}{{.}}{{end}}',
    {
      v: evil,
      l: [evil],
      secret: 'hush',
    },
  );
  t.equal(out, `<${evil}|${evil}|${evil.toUpperCase()}|${evil}|${evil}>`);
  t.equal(
    render('{{index . "__proto__"}} {{.constructor}} {{hasKey . "toString"}}', {}),
    '<no value> <no value> false',
  );
});

t.test('property: literal text without braces comes out as it went in', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((each) => !each.includes('{{'));
  fc.assert(
    fc.property(text, (source) => render(source) === source),
    { seed: 5, numRuns: 500 },
  );
});

t.test('property: a quoted text is the text again, whatever it holds', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((each) => each.toWellFormed());
  fc.assert(
    fc.property(text, (value) => {
      const literal = render('{{quote .}}', value);
      return render(`{{${literal}}}`) === value;
    }),
    { seed: 6, numRuns: 500 },
  );
  fc.assert(
    fc.property(
      text,
      (value) =>
        render('{{. | b64enc | b64dec}}', value) === value && render('{{. | b32enc | b32dec}}', value) === value,
    ),
    { seed: 7, numRuns: 300 },
  );
});

t.test('property: JSON that was written reads back as the same value', async () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      const written = compileTemplate('x', '{{. | toJson}}').render(fromJson(plain), testRuntime());
      const pretty = compileTemplate('x', '{{. | toPrettyJson}}').render(fromJson(plain), testRuntime());
      const again = (text: string): string => JSON.stringify(sorted(JSON.parse(text)));
      return again(written) === JSON.stringify(sorted(plain)) && again(pretty) === again(written);
    }),
    { seed: 8, numRuns: 300 },
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

t.test('property: reading and running raise nothing but template errors', async () => {
  const scraps = facts.flatMap(({ template }) => template.match(/\{\{|\}\}|"[^"]*"|[\w$.]+|\s+|[^\s\w]/g) ?? []);
  const soup = fc
    .array(fc.constantFrom(...new Set(scraps), '{{', '}}', '(', ')', '|', ' '), { maxLength: 25 })
    .map((each) => each.join(''));
  const broken = fc
    .tuple(fc.constantFrom(...facts.map(({ template }) => template)), fc.nat(), fc.nat(8))
    .map(([text, at, cut]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + text.slice(from + cut);
    });
  const limits = { ...defaultLimits, steps: 20_000 };
  let ran = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        soup,
        broken,
        soup.map((each) => `{{${each}}}`),
      ),
      (source) => {
        try {
          compileTemplate('x', source).render(fromJson(data), testRuntime(), limits);
          ran++;
        } catch (thrown) {
          if (!(thrown instanceof TemplateError)) throw thrown;
        }
      },
    ),
    { seed: 9, numRuns: 4_000 },
  );
  t.ok(ran > 400, `${ran} ran to the end`);
});
