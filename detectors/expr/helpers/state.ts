/** Helpers that ask other parts of the program: counts of decisions, stashes, lookups; each only where it is given. */
import { hostname } from 'node:os';
import { toDuration } from '../builtins/times.ts';
import { valueOf } from '../awaited-value.ts';
import type { HelperDependencies, HttpAnswer, HttpAsker, HttpQuestion } from '../dependencies.ts';
import { GoDuration } from '../go-time.ts';
import { type Helper, type HelperTable, unavailable } from '../helper.ts';
import {
  anyMap,
  anyType,
  boolType,
  durationType,
  floatType,
  intType,
  nilType,
  stringType,
  type Type,
} from '../types.ts';
import { mapEntries, ValueError } from '../values.ts';

export function stateHelpers(deps: HelperDependencies): HelperTable {
  return {
    ...decisionHelpers(deps),
    ...stashHelpers(deps),
    ...httpHelpers(deps),
    ...remoteHelpers(deps),
    ...smallHelpers(deps),
  };
}

/** Without a source of counts every count is 0, as in CrowdSec without a database. */
function decisionHelpers({ decisionCounts, clock }: HelperDependencies): HelperTable {
  return {
    GetDecisionsCount: {
      parameters: [stringType],
      returns: intType,
      run: (value: string) => BigInt(decisionCounts?.total(value) ?? 0),
    },
    GetDecisionsSinceCount: {
      parameters: [stringType, stringType],
      returns: intType,
      run: (value: string, since: string) => {
        const { ms } = toDuration(since);
        return BigInt(decisionCounts?.since(value, clock.now() - ms) ?? 0);
      },
    },
    GetActiveDecisionsCount: {
      parameters: [stringType],
      returns: intType,
      run: (value: string) => BigInt(decisionCounts?.active(value) ?? 0),
    },
    GetActiveDecisionsTimeLeft: {
      parameters: [stringType],
      returns: durationType,
      run: (value: string) => new GoDuration(decisionCounts?.activeTimeLeftMs(value) ?? 0),
    },
  };
}

function stashHelpers({ stash }: HelperDependencies): HelperTable {
  if (stash === undefined) {
    const missing = 'it needs the stashes that parsers fill';
    return {
      GetFromStash: unavailable([stringType, stringType], missing),
      SetInStash: unavailable([stringType, stringType, stringType, anyType], missing),
    };
  }
  return {
    GetFromStash: {
      parameters: [stringType, stringType],
      returns: stringType,
      run: (cache: string, key: string) => stash.get(cache, key) ?? '',
    },
    SetInStash: {
      parameters: [stringType, stringType, stringType, anyType],
      returns: nilType,
      run: (cache: string, key: string, value: string, ttl: unknown) => {
        if (ttl !== null && !(ttl instanceof GoDuration)) throw new ValueError('SetInStash wants a duration or nil');
        stash.set(cache, key, value, ttl === null ? null : ttl.ms);
        return null;
      },
    },
  };
}

function httpHelpers({ http }: HelperDependencies): HelperTable {
  const helper = (name: string, parameters: readonly Type[], question: (...args: never[]) => HttpQuestion): Helper =>
    http === undefined
      ? { ...unavailable(parameters, noHttp), waits: true }
      : { parameters, returns: anyType, waits: true, run: (...args) => answerTo(http, name, question(...args)) };
  return {
    HTTPGet: helper('HTTPGet', [stringType], (url: string) => ({ method: 'GET', url, headers: {}, body: '' })),
    HTTPHead: helper('HTTPHead', [stringType], (url: string) => ({ method: 'HEAD', url, headers: {}, body: '' })),
    HTTPPost: helper('HTTPPost', [stringType, stringType, stringType], (url: string, type: string, body: string) => ({
      method: 'POST',
      url,
      headers: { 'Content-Type': type },
      body,
    })),
    HTTPRequest: helper(
      'HTTPRequest',
      [stringType, stringType, anyMap, stringType],
      (method: string, url: string, headers: object, body: string) => ({
        method,
        url,
        headers: Object.fromEntries(mapEntries(headers).map(([name, value]) => [String(name), String(value)])),
        body,
      }),
    ),
  };
}

const noHttp =
  'it asks a web server, and `detection.httpHelpers` is `off`; set it to `public`, or `any` for private networks too';

/** @throws AwaitedValue, or ValueError when there is no answer */
function answerTo(http: HttpAsker, name: string, question: HttpQuestion): HttpAnswer {
  const answer = valueOf(http.ask(question));
  if ('failure' in answer) throw new ValueError(`${name}: ${answer.failure}`);
  return answer;
}

function remoteHelpers({ cti, injection, sendAlert }: HelperDependencies): HelperTable {
  const given = (dependency: unknown, missing: string, helper: Omit<Helper, 'missing'>): Helper =>
    dependency === undefined ? unavailable(helper.parameters, missing, helper.variadic) : helper;
  const texts = (count: number): Type[] => Array.from({ length: count }, () => stringType);
  return {
    CrowdsecCTI: given(cti, 'it needs a key for the CTI service', {
      parameters: texts(1),
      returns: anyType,
      run: (ip: string) => cti?.(ip),
    }),
    LibInjectionIsSQLI: given(injection, 'it needs the injection detector of the WAF', {
      parameters: texts(1),
      returns: boolType,
      run: (text: string) => injection?.isSqli(text),
    }),
    LibInjectionIsXSS: given(injection, 'it needs the injection detector of the WAF', {
      parameters: texts(1),
      returns: boolType,
      run: (text: string) => injection?.isXss(text),
    }),
    SendAlert: given(sendAlert, 'it belongs to the hooks of WAF configurations', {
      parameters: [],
      returns: boolType,
      run: () => sendAlert?.(),
    }),
  };
}

function smallHelpers(deps: HelperDependencies): HelperTable {
  return {
    FloatApproxEqual: {
      parameters: [floatType, floatType],
      returns: boolType,
      pure: true,
      run: (left: number | bigint, right: number | bigint) => Math.abs(Number(left) - Number(right)) < 1e-6,
    },
    Hostname: { parameters: [], returns: stringType, run: () => deps.hostname ?? hostname() },
    basename: { parameters: [stringType], returns: stringType, pure: true, run: baseName },
  };
}

/** Go's `filepath.Base`, which assertions of tests use. */
function baseName(path: string): string {
  if (path === '') return '.';
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return end === 0 ? '/' : path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}
