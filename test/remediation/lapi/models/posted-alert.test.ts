import fc from 'fast-check';
import t from 'tap';
import { LapiError } from '../../../../remediation/lapi/lapi-context.ts';
import { readPostedAlerts } from '../../../../remediation/lapi/models/posted-alert.ts';
import { postedAlert, postedDecision } from '../routes/alert-world.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** The status and message that a body is refused with, or "". */
function faultOf(body: string | Uint8Array): string {
  try {
    readPostedAlerts(typeof body === 'string' ? bytes(body) : body);
    return '';
  } catch (thrown) {
    if (!(thrown instanceof LapiError)) throw thrown;
    return `${thrown.status} ${thrown.message}`;
  }
}

const head = 'validation failure list:';
const everything = [
  'capacity',
  'events',
  'events_count',
  'leakspeed',
  'message',
  'scenario',
  'scenario_hash',
  'scenario_version',
  'simulated',
  'source',
  'start_at',
  'stop_at',
];
const lacking = (names: readonly string[]): string[] => names.map((name) => `${name} in body is required`);
const lackingAll = (index: number): string =>
  `500 ${[head, ...lacking(everything.map((name) => `${index}.${name}`))].join('\n')}`;

/** Each as CrowdSec 1.4.6 answered it. */
const syntax: readonly (readonly [string, string])[] = [
  ['', 'EOF'],
  ['  \n', 'EOF'],
  ['x', "invalid character 'x' looking for beginning of value"],
  ['[{"a":\u0001}]', "invalid character '\\x01' looking for beginning of value"],
  ['[\u0000]', "invalid character '\\x00' looking for beginning of value"],
  ['[{"scenario":"a\nb"}]', "invalid character '\\n' in string literal"],
  ['[{"scenario":"a', 'unexpected EOF'],
  ['[{"scenario":tru}]', "invalid character '}' in literal true (expecting 'e')"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['[{,}]', "invalid character ',' looking for beginning of object key string"],
  ['[{"a" 1}]', "invalid character '1' after object key"],
  ['[{"a":01}]', "invalid character '1' after object key:value pair"],
  ["[{'a':1}]", "invalid character '\\'' looking for beginning of object key string"],
  ['[{"a":-}]', "invalid character '}' in numeric literal"],
  ['[{"a":1.}]', "invalid character '}' after decimal point in numeric literal"],
  ['[{"a":1e}]', "invalid character '}' in exponent of numeric literal"],
  ['[{"a":"\\x"}]', "invalid character 'x' in string escape code"],
  ['[{"a":"\\u12g4"}]', "invalid character 'g' in \\u hexadecimal character escape"],
  ['nul', 'unexpected EOF'],
  ['[{"a":1}', 'unexpected EOF'],
  ['[{"a":1]', "invalid character ']' after object key:value pair"],
  ['[1 2]', "invalid character '2' after array element"],
  ['\ufeff[]', "invalid character 'ï' looking for beginning of value"],
  ['[{"é":é}]', "invalid character 'Ã' looking for beginning of value"],
  ['['.repeat(10_001), "invalid character '[' exceeded max depth"],
  ['[{"capacity":"x"},}]', "invalid character '}' looking for beginning of value"],
];

t.test('what is not JSON is refused in the words of the decoder that clients know', async (t) => {
  for (const [body, message] of syntax) t.equal(faultOf(body), `400 ${message}`, body.slice(0, 40));
  t.equal(syntax.length, 26);
});

const of = (where: string, what: string): string => `json: cannot unmarshal ${what} into Go ${where}`;
const types: readonly (readonly [string, string])[] = [
  ['{}', of('value of type models.AddAlertsRequest', 'object')],
  ['"a"', of('value of type models.AddAlertsRequest', 'string')],
  ['true', of('value of type models.AddAlertsRequest', 'bool')],
  ['123', of('value of type models.AddAlertsRequest', 'number')],
  ['[[]]', of('value of type models.Alert', 'array')],
  ['[1]', of('value of type models.Alert', 'number')],
  ['[{"capacity":"1"}]', of('struct field Alert.capacity of type int32', 'string')],
  ['[{"capacity":1.5}]', of('struct field Alert.capacity of type int32', 'number 1.5')],
  ['[{"capacity":1e20}]', of('struct field Alert.capacity of type int32', 'number 1e20')],
  ['[{"events_count":2147483648}]', of('struct field Alert.events_count of type int32', 'number 2147483648')],
  ['[{"events":{}}]', of('struct field Alert.events of type []*models.Event', 'object')],
  ['[{"events":[1]}]', of('struct field Alert.events of type models.Event', 'number')],
  ['[{"events":[{"meta":{}}]}]', of('struct field Event.events.meta of type models.Meta', 'object')],
  ['[{"events":[{"meta":[{"key":1}]}]}]', of('struct field MetaItems0.events.meta.key of type string', 'number')],
  ['[{"simulated":"x"}]', of('struct field Alert.simulated of type bool', 'string')],
  ['[{"scenario":1}]', of('struct field Alert.scenario of type string', 'number')],
  ['[{"source":[]}]', of('struct field Alert.source of type models.Source', 'array')],
  ['[{"source":{"latitude":"x"}}]', of('struct field Source.source.latitude of type float32', 'string')],
  ['[{"source":{"latitude":1e39}}]', of('struct field Source.source.latitude of type float32', 'number 1e39')],
  ['[{"decisions":{}}]', of('struct field Alert.decisions of type []*models.Decision', 'object')],
  ['[{"decisions":[{"id":"x"}]}]', of('struct field Decision.decisions.id of type int64', 'string')],
  ['[{"decisions":[{"simulated":1}]}]', of('struct field Decision.decisions.simulated of type bool', 'number')],
  ['[{"labels":"x"}]', of('struct field Alert.labels of type []string', 'string')],
  ['[{"labels":[1]}]', of('struct field Alert.labels of type string', 'number')],
  ['[{"meta":[{"key":1}]}]', of('struct field MetaItems0.meta.key of type string', 'number')],
  ['[{"meta":{}}]', of('struct field Alert.meta of type models.Meta', 'object')],
  ['[{"id":1.5}]', of('struct field Alert.id of type int64', 'number 1.5')],
  ['[{"capacity":"x","events_count":"y"},{"scenario":1}]', of('struct field Alert.capacity of type int32', 'string')],
  ['[{"capacity":true}] garbage', of('struct field Alert.capacity of type int32', 'bool')],
];

t.test('the first value of a wrong type is named with its place', async (t) => {
  for (const [body, message] of types) t.equal(faultOf(body), `400 ${message}`, body);
  t.equal(types.length, 29);
});

t.test('what an alert lacks is listed in order, and only of the first alert that lacks something', async (t) => {
  const good = JSON.stringify(postedAlert());
  const alert = (over: object): string => JSON.stringify([postedAlert(over)]);
  const cases: readonly (readonly [string, string])[] = [
    ['[{}]', lackingAll(0)],
    ['[{}]x', lackingAll(0)],
    ['[{}, {}]', lackingAll(0)],
    [`[${good},{},{}]`, lackingAll(1)],
    ['[{"__proto__":{"capacity":1},"constructor":2}]', lackingAll(0)],
    [alert({ events: null }), `500 ${head}\n0.events in body is required`],
    [alert({ source: null }), `500 ${head}\n0.source in body is required`],
    [
      alert({ events: [{}, {}], decisions: [postedDecision(), {}], source: {} }),
      `500 ${[
        head,
        head,
        ...lacking(['duration', 'origin', 'scenario', 'scope', 'type', 'value'].map((name) => `0.decisions.1.${name}`)),
        head,
        ...lacking(['0.events.0.meta', '0.events.0.timestamp']),
        head,
        ...lacking(['0.source.scope', '0.source.value']),
      ].join('\n')}`,
    ],
    [alert({ events: [{ timestamp: '', meta: null }] }), `500 ${head}\n${head}\n0.events.0.meta in body is required`],
    ['[null]', `500 ${head}\n0 in body is required`],
    [alert({ decisions: [null] }), `500 ${head}\n0.decisions.0 in body is required`],
    [alert({ events: [null] }), `500 ${head}\n0.events.0 in body is required`],
    [alert({ events: [{ timestamp: '', meta: [null] }] }), `500 ${head}\n0.events.0.meta.0 in body is required`],
    [alert({ meta: [null] }), `500 ${head}\n0.meta.0 in body is required`],
  ];
  for (const [body, fault] of cases) t.equal(faultOf(body), fault, body.slice(0, 80));
  t.equal(cases.length, 14);
});

t.test('what CrowdSec lets pass passes', async (t) => {
  const good = JSON.stringify(postedAlert());
  const bodies = [
    'null',
    '[]',
    ' [ ] ',
    '[] []',
    `[${good}]`,
    JSON.stringify([postedAlert({ decisions: null, labels: [null], meta: [], events_count: -1, scenario: '' })]),
    JSON.stringify([postedAlert({ events: [{ timestamp: '', meta: [] }] })]),
    JSON.stringify([postedAlert({ source: { scope: '', value: '' } })]),
    JSON.stringify([postedAlert({ unknown: { deep: [[[]]] }, capacity: undefined, CAPACITY: 3 })]),
    `[${good.replace('"message":"m"', '"message":"\\ud800"')}]`,
    // Go refuses 10.0 for an integer; here it is one.
    `[${good.replace('"capacity":10', '"capacity":10.0')}]`,
  ];
  for (const body of bodies) t.equal(faultOf(body), '', body.slice(0, 80));
  t.equal(readPostedAlerts(bytes(bodies[8] ?? ''))[0]?.capacity, 3, 'letters of keys may differ in case');
});

t.test('deep nesting under an unknown key costs nothing, and a wrong value beside it is still named', async (t) => {
  const deep = `${'['.repeat(9_000)}${']'.repeat(9_000)}`;
  t.equal(faultOf(`[{"x":${deep}}]`), lackingAll(0));
  t.equal(faultOf(`[{"x":${deep},"capacity":[]}]`), `400 ${of('struct field Alert.capacity of type int32', 'array')}`);
});

/** A plain model of which fields must be there. */
function modelOf(alert: Record<string, unknown>): string {
  const faults: string[] = [];
  const check = (item: Record<string, unknown>, path: string, names: readonly string[]): string[] =>
    names
      .filter((name) => item[name] === undefined || item[name] === null)
      .map((name) => `${path}${name} in body is required`);
  const firstBad = (key: string, names: readonly string[]): void => {
    const items = (alert[key] ?? []) as Record<string, unknown>[];
    const bad = items.map((item, at) => check(item, `0.${key}.${at}.`, names)).find((lines) => lines.length > 0);
    if (bad !== undefined) faults.push(head, ...bad);
  };
  for (const key of ['capacity', 'decisions', ...everything.slice(1)]) {
    if (key === 'decisions') firstBad(key, ['duration', 'origin', 'scenario', 'scope', 'type', 'value']);
    else if (alert[key] === undefined || alert[key] === null) faults.push(`0.${key} in body is required`);
    else if (key === 'events') firstBad(key, ['meta', 'timestamp']);
    else if (key === 'source') {
      const lines = check(alert[key] as Record<string, unknown>, '0.source.', ['scope', 'value']);
      if (lines.length > 0) faults.push(head, ...lines);
    }
  }
  return faults.length === 0 ? '' : `500 ${[head, ...faults].join('\n')}`;
}

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: fc.constantFrom(null, undefined) });
const word = maybe(fc.string({ maxLength: 12 }));
const integer = maybe(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
const meta = maybe(fc.array(fc.record({ key: word, value: word }), { maxLength: 3 }));
const document = fc.record({
  capacity: integer,
  decisions: maybe(
    fc.array(
      fc.record({ duration: word, origin: word, scenario: word, scope: word, type: word, value: word, id: integer }),
      {
        maxLength: 3,
      },
    ),
  ),
  events: maybe(fc.array(fc.record({ timestamp: word, meta }), { maxLength: 3 })),
  events_count: integer,
  labels: maybe(fc.array(word, { maxLength: 2 })),
  leakspeed: word,
  message: word,
  meta,
  scenario: word,
  scenario_hash: word,
  scenario_version: word,
  simulated: maybe(fc.boolean()),
  source: maybe(fc.record({ scope: word, value: word, ip: word })),
  start_at: word,
  stop_at: word,
});

t.test('documents of the right types are judged as a plain model judges them', async (t) => {
  let passed = 0;
  fc.assert(
    fc.property(document, (alert) => {
      const fault = faultOf(JSON.stringify([alert]));
      if (fault === '') passed++;
      return fault === modelOf(alert);
    }),
    { seed: 51, numRuns: 3_000 },
  );
  t.ok(passed > 20, `${passed} passed`);
});

t.test('whatever is sent, it is read or refused with a status', async (t) => {
  const texts = fc.oneof(
    fc.json(),
    fc.string(),
    fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 })).map(([json, at, put]) => {
      const where = at % (json.length + 1);
      return json.slice(0, where) + put + json.slice(where);
    }),
    fc.object({ withNullPrototype: true }).map((value) => JSON.stringify([value])),
    fc.jsonValue().map((value) => JSON.stringify([postedAlert({ events: value, source: value, decisions: value })])),
  );
  fc.assert(
    fc.property(texts, (text) => /^(|400 .+|500 validation failure list:\n[^]+)$/.test(faultOf(text))),
    { seed: 52, numRuns: 4_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (body) => /^(|400 [^]+|500 [^]+)$/.test(faultOf(body))),
    { seed: 53, numRuns: 1_000 },
  );
  t.pass();
});

t.test('JSON is called faulty exactly when it is, up to what follows it', async (t) => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (json, at) => {
      const cut = json.slice(0, at % (json.length + 1));
      const fault = faultOf(cut);
      try {
        JSON.parse(cut);
        return !/EOF|invalid character/.test(fault);
      } catch {
        return /^400 (unexpected EOF|EOF|invalid character .*|json: .*)$/.test(fault);
      }
    }),
    { seed: 54, numRuns: 2_000 },
  );
  t.pass();
});
