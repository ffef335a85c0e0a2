/** The names that a template's requests know: where the target is, and the template's own variables. */
import type { Random } from '../../../core/random.ts';
import type { DslFunction } from './dsl-evaluate.ts';
import type { DslValue } from './dsl-value.ts';
import { type ExpandScope, expandText } from './expand-text.ts';
import type { PayloadSet } from './payload-sets.ts';

/** Where CrowdSec's own harness has its nginx. Nothing listens there: requests are judged, not sent. */
const target = { scheme: 'http', host: '127.0.0.1', port: '7822' } as const;

/** `randstr`, and those with a number behind it. */
const randomTexts = 10;
const randomLength = 27;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export type Names = Map<string, DslValue>;

/** The same for all requests of one run of a template. */
export function targetNames(random: Random): Names {
  const { scheme, host, port } = target;
  const hostname = `${host}:${port}`;
  const names: Names = new Map([
    ['BaseURL', `${scheme}://${hostname}`],
    ['RootURL', `${scheme}://${hostname}`],
    ['Input', `${scheme}://${hostname}`],
    ['Hostname', hostname],
    ['Host', host],
    ['FQDN', host],
    ['RDN', host],
    ['DN', host],
    ['TLD', ''],
    ['SD', ''],
    ['IP', host],
    ['ip', host],
    ['Port', port],
    ['Path', ''],
    ['File', ''],
    ['Scheme', scheme],
    // Out-of-band servers are other machines; the name is reserved for documentation.
    ['interactsh-url', `${randomText(random).toLowerCase()}.oast.example`],
    ['interactsh-server', 'oast.example'],
    ['randstr', randomText(random)],
  ]);
  for (let number = 1; number <= randomTexts; number++) names.set(`randstr_${number}`, randomText(random));
  return names;
}

function randomText(random: Random): string {
  return Array.from(
    { length: randomLength },
    () => alphabet[Math.floor(random.fraction() * alphabet.length)] ?? 'A',
  ).join('');
}

/** `base` with variables and payloads. A variable may use those before it, and payloads those too. */
export function requestScope(
  base: Names,
  variables: readonly (readonly [string, string])[],
  payloads: PayloadSet,
  functions: ReadonlyMap<string, DslFunction>,
): ExpandScope {
  const names: Names = new Map(base);
  for (const [name, value] of variables) names.set(name, expandText(value, { names, functions }));
  for (const [name, value] of payloads) names.set(name, expandText(value, { names, functions }));
  return { names, functions };
}
