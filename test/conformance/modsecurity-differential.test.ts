/**
 * The rules that fire here and in ModSecurity, on the same requests with the same rules. Each difference belongs to a class that
 * says who is right, or why both are; none is left over.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../core/clock.ts';
import { createSystemRandom } from '../../core/random.ts';
import { startBackend } from '../../detectors/waf/ftw/backend-server.ts';
import { buildRequest } from '../../detectors/waf/ftw/build-request.ts';
import { createSuiteSender } from '../../detectors/waf/ftw/engine-sender.ts';
import { sendRaw } from '../../detectors/waf/ftw/http-sender.ts';
import { idsOf } from '../../detectors/waf/ftw/log-line.ts';
import { headerValues, parseRawRequest } from '../../detectors/waf/ftw/parse-raw-request.ts';
import { readFtwFile } from '../../detectors/waf/ftw/read-ftw-file.ts';
import { serverAnswer } from '../../detectors/waf/ftw/server-answer.ts';
import { loadSuiteProgram, suiteSources } from '../../detectors/waf/ftw/suite-program.ts';
import { startModSecurity } from '../support/servers/modsecurity.ts';
import { suitePath } from '../support/suites.ts';
import { hostileRequests, type LabelledRequest, ordinaryRequests } from '../support/waf-requests.ts';
import { seeded } from '../support/seeded.ts';

/** Files of the Core Rule Set's tests, some of each family, whose requests are compared. */
const testFiles =
  '920170 920180 920240 920260 920270 920340 920460 920640 921120 921190 922120 930120 931130 932160 932200 932235 932260 932330 932371 933150 933200 934130 934170 941160 941210 941380 942101 942131 942160 942190 942310 942362 942480 942522 943120 944110 944240 949110 953101 954100 956110 959100'.split(
    ' ',
  );

interface Compared extends LabelledRequest {
  readonly ours: ReadonlySet<number>;
  readonly theirs: ReadonlySet<number>;
}

function suiteRequests(folder: string): readonly LabelledRequest[] {
  const wanted = new Set(testFiles.map((name) => `${name}.yaml`));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(({ name }) => wanted.has(name));
  return files.flatMap(({ parentPath, name }) => {
    const { tests } = readFtwFile(readFileSync(join(parentPath, name), 'utf8'), name);
    return tests.flatMap(({ id, stages }) => stages.map(({ input }) => ({ name: id, raw: buildRequest(input) })));
  });
}

/** Every so many lines of the injection samples. */
function payloads(folder: string, every: number): readonly string[] {
  const lines = readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .toSorted()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split(/\r?\n/))
    .filter((line) => line !== '' && !line.startsWith('#') && line.length < 1_000);
  return lines.filter((_, index) => index % every === 0);
}

/** Those that both let through to their rules. */
async function compare(t: Test, crs: string, requests: readonly LabelledRequest[]): Promise<readonly Compared[]> {
  const backend = await startBackend('127.0.0.1', 0);
  t.teardown(() => backend.close());
  const modSecurity = await startModSecurity(t, suiteSources(crs), backend.port);
  const { sender } = createSuiteSender(loadSuiteProgram(crs), 'detection-only', {
    clock: systemClock,
    random: createSystemRandom(),
  });
  const connections: (string | undefined)[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < requests.length; index = next++) {
      const { response } = await sendRaw(modSecurity.url, requests[index]?.raw ?? '');
      connections[index] = response === null ? undefined : headerValues(response.headers, 'x-connection')[0];
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  const theirs = await modSecurity.finish();
  const compared: Compared[] = [];
  for (const [index, request] of requests.entries()) {
    const connection = connections[index];
    if (connection === undefined || serverAnswer(parseRawRequest(request.raw)) !== null) continue;
    const { lines } = await sender.send(request.raw);
    compared.push({ ...request, ours: new Set(idsOf(lines)), theirs: new Set(theirs.get(connection)) });
  }
  return compared;
}

interface Difference {
  /** Of the Core Rule Set. */
  readonly release: 3 | 4;
  readonly id: number;
  readonly side: 'ours' | 'theirs';
  readonly request: string;
  readonly raw: string;
  /** Lower case; "" when there is none. */
  readonly contentType: string;
  /** Null: it has none. */
  readonly body: string | null;
}

/** Why two engines with the same rules may differ on a request. The first class that fits takes a difference. */
interface DifferenceClass {
  readonly name: string;
  readonly why: string;
  readonly fits: (difference: Difference) => boolean;
}

const ids = (...wanted: readonly number[]): ReadonlySet<number> => new Set(wanted);
const formType = /^application\/x-www-form-urlencoded/;
const structured = /^(?:application\/(?:[a-z0-9.-]+\+)?(?:json|xml)|text\/xml|multipart\/form-data)/;
const injection = ids(942100, 942101, 941100, 941101);
const summaries = ids(980130, 980170);
const seesWholeBody = ids(920272, 920273, 944100, 944110, 944120, 944130, 944210, 944240, 944250);
const scores = ids(949110, 959100);
const multiLine = ids(932340, 932350, 942110, 942330);
const namedReferences = ids(941150, 941170, 941210);
const seesUri = ids(920220, 920272);
/** Of release 3.3.4; `crs.test.ts` says why each cannot be used. */
const unusable = ids(920120, 920600, 942130, 942260, 953120);

const classes: readonly DifferenceClass[] = [
  {
    name: 'injection',
    why: 'detectSQLi and detectXSS are detectors of our own (detectors/waf/injection)',
    fits: ({ id }) => injection.has(id),
  },
  {
    name: 'summaries',
    why: 'a rule with noauditlog is not logged by ModSecurity 3 at all; release 2 and Portcullis log it',
    fits: ({ id, side }) => summaries.has(id) && side === 'ours',
  },
  {
    name: 'unusable',
    why: 'patterns of release 3.3.4 that a linear engine cannot run',
    fits: ({ id, side, release }) => release === 3 && side === 'theirs' && unusable.has(id),
  },
  {
    name: 'whole body',
    why: 'ModSecurity 3 fills REQUEST_BODY with bodies of every type; release 2, Coraza and Portcullis only with forms and with what nobody reads',
    fits: ({ id, side, body, contentType }) =>
      side === 'theirs' && seesWholeBody.has(id) && body !== null && !formType.test(contentType),
  },
  {
    name: 'forced body',
    why: 'a body of a type that nobody reads is forced by rule 901340: Portcullis reads it as a form, as release 2 does, and ModSecurity 3 as nothing',
    fits: ({ side, body, contentType }) =>
      side === 'ours' && body !== null && !formType.test(contentType) && !structured.test(contentType),
  },
  {
    name: 'chain log',
    why: 'the first rule of a chain that does not match in whole is logged by ModSecurity 3 all the same',
    fits: ({ id, side }) => id === 942131 && side === 'theirs',
  },
  {
    name: 'decoded URI',
    why: 'REQUEST_URI is decoded in ModSecurity 3; in release 2, Coraza and Portcullis it is as it came',
    fits: ({ id, release, raw }) => release === 3 && seesUri.has(id) && /^\S+ \S*%25/.test(raw),
  },
  {
    name: 'line ends',
    why: '^ and $ hold at every line end in ModSecurity 3; in release 2, Coraza and Portcullis at the ends of the value',
    fits: ({ id, side, raw }) => side === 'theirs' && multiLine.has(id) && /%0a|\\n/i.test(raw),
  },
  {
    name: 'XML blanks',
    why: 'texts of XML are trimmed here and in Coraza: a comment that ends with its blank is none',
    fits: ({ id, side, raw }) => side === 'theirs' && id === 942440 && /-- <\//.test(raw),
  },
  {
    name: 'references',
    why: 'ModSecurity decodes five named references of HTML, Portcullis &Tab;, &colon; and what else attacks use',
    fits: ({ id, side, raw }) => side === 'ours' && namedReferences.has(id) && /%26(?:Tab|colon)%3B/.test(raw),
  },
  {
    name: 'damaged XML',
    why: 'what Portcullis has read of an XML body before its mistake is still looked at',
    fits: ({ side, contentType, body }) => side === 'ours' && contentType === 'text/xml' && /=\\"/.test(body ?? ''),
  },
  {
    name: 'sums',
    why: 'sums of scores differ where one of the rules above has counted, or not',
    fits: ({ id }) => scores.has(id),
  },
];

type ClassName = (typeof classes)[number]['name'];

/** How many differences there are of a class, or `most` where that is all that is promised. */
type Count = number | { readonly most: number };

/** Rules that fire on one side only. */
function differences({ name, raw, ours, theirs }: Compared, release: 3 | 4): readonly Difference[] {
  const { headers, body } = parseRawRequest(raw);
  const contentType = (headerValues(headers, 'content-type')[0] ?? '').toLowerCase();
  const about = { release, request: name, raw, contentType, body };
  return [
    ...[...ours].filter((id) => !theirs.has(id)).map((id) => ({ ...about, id, side: 'ours' as const })),
    ...[...theirs].filter((id) => !ours.has(id)).map((id) => ({ ...about, id, side: 'theirs' as const })),
  ];
}

/** Holds the differences to their classes, and the classes to their counts. */
function explain(
  t: Test,
  compared: readonly Compared[],
  release: 3 | 4,
  expected: ReadonlyMap<ClassName, Count>,
): void {
  const counts = new Map<ClassName, number>();
  const unexplained: string[] = [];
  for (const request of compared) {
    const found = differences(request, release);
    // A sum can differ only where something else does.
    const isOnlySum = found.every(({ id }) => scores.has(id) || summaries.has(id));
    for (const difference of found) {
      const { request: name, side, id } = difference;
      const fitting = isOnlySum && scores.has(id) ? undefined : classes.find(({ fits }) => fits(difference));
      if (fitting === undefined) unexplained.push(`${name}: ${side} ${id}`);
      else counts.set(fitting.name, (counts.get(fitting.name) ?? 0) + 1);
    }
  }
  t.strictSame(unexplained, []);
  for (const { name, why } of classes) {
    const count = counts.get(name) ?? 0;
    const promised = expected.get(name) ?? 0;
    if (typeof promised === 'number') t.equal(count, promised, why);
    else t.ok(count <= promised.most, `${why}: ${count}`);
  }
}

t.test('the rules that fire are those of ModSecurity, or it is known why not', async (t) => {
  const [crs, samples] = [suitePath(t, 'crs'), suitePath(t, 'injection-samples/samples')];
  if (crs === null || samples === null) return;
  const random = seeded(4);
  const suite = suiteRequests(join(crs, 'tests'));
  const ordinary = ordinaryRequests(random, 120);
  const hostile = hostileRequests(random, payloads(samples, 100));
  t.strictSame([suite.length, ordinary.length, hostile.length], [642, 120, 192]);

  const compared = await compare(t, crs, [...suite, ...ordinary, ...hostile]);
  t.equal(compared.length, 953, 'requests that both let through to their rules');
  const agreed = sum(compared, ({ ours, theirs }) => [...ours].filter((id) => theirs.has(id)).length);
  t.ok(agreed > 5_900, `${agreed} rules fire on both sides`);
  const expected = new Map<ClassName, Count>([
    ['injection', { most: 40 }],
    ['summaries', { most: 953 }],
    ['whole body', 144],
    ['forced body', 38],
    ['chain log', 4],
    ['line ends', 1],
    ['XML blanks', 5],
    ['references', 3],
    ['damaged XML', 3],
    ['sums', { most: 20 }],
  ]);
  explain(t, compared, 4, expected);
});

t.test("the same with the rules of Debian's package", async (t) => {
  const [crs, samples] = [suitePath(t, 'crs'), suitePath(t, 'injection-samples/samples')];
  if (crs === null || samples === null) return;
  const random = seeded(4);
  const suite = suiteRequests(join(crs, 'tests')).filter((_, index) => index % 2 === 0);
  const requests = [...suite, ...ordinaryRequests(random, 60), ...hostileRequests(random, payloads(samples, 200))];
  const compared = await compare(t, '/usr/share/modsecurity-crs', requests);
  t.equal(compared.length, 476, 'requests that both let through to their rules');
  const agreed = sum(compared, ({ ours, theirs }) => [...ours].filter((id) => theirs.has(id)).length);
  t.ok(agreed > 1_900, `${agreed} rules fire on both sides`);
  const expected = new Map<ClassName, Count>([
    ['injection', { most: 30 }],
    ['summaries', { most: 476 }],
    ['unusable', { most: 440 }],
    ['whole body', 74],
    ['forced body', { most: 40 }],
    ['decoded URI', 9],
    ['line ends', 2],
    ['XML blanks', 1],
    ['sums', { most: 40 }],
  ]);
  explain(t, compared, 3, expected);
});

function sum<One>(list: readonly One[], of: (one: One) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
