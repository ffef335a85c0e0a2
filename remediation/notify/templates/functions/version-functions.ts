/** Sprig's `semver` and `semverCompare`: versions by semver.org, with the usual ranges (`^1.2`, `~1.2.3`, `>=1 <3 || 5.x`). */
import { ValueFault } from '../template-error.ts';
import { define, type StructField, TemplateStruct, type TemplateFunction, type TemplateValue } from '../values.ts';

interface Version {
  readonly parts: readonly [number, number, number];
  readonly prerelease: string;
  readonly metadata: string;
  readonly original: string;
}

export const versionFunctions: Readonly<Record<string, TemplateFunction>> = {
  semver: define(['text'], ([text]) => versionStruct(parseVersion(text))),
  semverCompare: define(['text', 'text'], ([constraint, text], context) => {
    context.charge(50 + constraint.length);
    return satisfies(parseVersion(text), constraint);
  }),
};

const versionPattern =
  /^v?([0-9]{1,15})(?:\.([0-9]{1,15}))?(?:\.([0-9]{1,15}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

function parseVersion(text: string): Version {
  const match = versionPattern.exec(text);
  if (!match) throw new ValueFault('Invalid Semantic Version');
  const [, major = '0', minor = '0', patch = '0', prerelease = '', metadata = ''] = match;
  return { parts: [Number(major), Number(minor), Number(patch)], prerelease, metadata, original: text };
}

function versionText({ parts, prerelease, metadata }: Version): string {
  return parts.join('.') + (prerelease === '' ? '' : `-${prerelease}`) + (metadata === '' ? '' : `+${metadata}`);
}

/** In Go these are methods; they read the same in a template. */
function versionStruct(version: Version): TemplateStruct {
  const [major, minor, patch] = version.parts.map(BigInt);
  const values: readonly (readonly [string, TemplateValue])[] = [
    ['Major', major ?? 0n],
    ['Minor', minor ?? 0n],
    ['Patch', patch ?? 0n],
    ['Prerelease', version.prerelease],
    ['Metadata', version.metadata],
    ['Original', version.original],
    ['String', versionText(version)],
  ];
  const fields = new Map<string, StructField>(
    values.map(([name, value]) => [name, { value, json: name, whenEmpty: 'keep' }]),
  );
  const methods = new Map([
    [
      'Compare',
      define(['any'], ([other]) => {
        const text = other instanceof TemplateStruct ? other.fields.get('Original')?.value : null;
        if (typeof text !== 'string') throw new ValueFault('wrong type for value; expected *semver.Version');
        return BigInt(compare(version, parseVersion(text)));
      }),
    ],
  ]);
  return new TemplateStruct('*semver.Version', fields, methods, versionText(version));
}

/** −1, 0 or 1. Metadata does not count (semver.org, 11). */
function compare(left: Version, right: Version): number {
  for (const [index, part] of left.parts.entries()) {
    const difference = part - (right.parts[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  if (left.prerelease === right.prerelease) return 0;
  if (left.prerelease === '') return 1;
  return right.prerelease === '' ? -1 : comparePrerelease(left.prerelease.split('.'), right.prerelease.split('.'));
}

function comparePrerelease(left: readonly string[], right: readonly string[]): number {
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const numbers = [/^[0-9]+$/.test(one), /^[0-9]+$/.test(other)];
    if (numbers[0] && numbers[1] && Number(one) !== Number(other)) return Math.sign(Number(one) - Number(other));
    if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
    if (!numbers[0] && one !== other) return one < other ? -1 : 1;
  }
  return left.length < right.length ? -1 : 0;
}

interface Bound {
  readonly operator: string;
  readonly version: Version;
  /** How many of the three parts were written. */
  readonly written: number;
}

function satisfies(version: Version, constraint: string): boolean {
  return constraint.split('||').some((range) => boundsOf(range).every((bound) => holds(version, bound)));
}

function boundsOf(range: string): Bound[] {
  const dashed = range.replace(/^\s*(\S+)\s+-\s+(\S+)\s*$/, '>=$1 <=$2');
  const words = dashed.match(/(?:!=|=>|=<|>=|<=|[=<>^~]|~>)?\s*v?[0-9xX*][^\s,]*/g) ?? [];
  if (words.join('').replaceAll(/[\s,]/g, '') !== dashed.replaceAll(/[\s,]/g, '') || words.length === 0) {
    throw new ValueFault(`improper constraint: ${range.trim()}`);
  }
  return words.map((word) => {
    const [, operator = '', text = ''] = /^(\W*?)\s*(v?[0-9xX*].*)$/.exec(word) ?? [];
    const core = /^v?([^-+]*)/.exec(text)?.[1] ?? '';
    const parts = core.split('.').filter((part) => !/^[xX*]$/.test(part));
    const filled = parts.length === 0 ? '0' : parts.join('.');
    const prerelease = parts.length === 3 ? text.slice(text.indexOf(core) + core.length) : '';
    return { operator, version: parseVersion(filled + prerelease), written: parts.length };
  });
}

/** The first version that no longer belongs to a range whose part `index` must stay. */
function next(version: Version, index: number): Version {
  const parts = version.parts.map((part, at) => (at < index ? part : at === index ? part + 1 : 0));
  const [major = 0, minor = 0, patch = 0] = parts;
  return { parts: [major, minor, patch], prerelease: '', metadata: '', original: '' };
}

function holds(version: Version, { operator, version: bound, written }: Bound): boolean {
  // A pre-release only belongs to ranges that name one.
  if (version.prerelease !== '' && bound.prerelease === '') return false;
  const within = (index: number): boolean =>
    compare(version, bound) >= 0 && (index < 0 || compare(version, next(bound, index)) < 0);
  switch (operator) {
    case '':
    case '=':
      return written === 3 ? compare(version, bound) === 0 : within(written - 1);
    case '!=':
      return written === 3 ? compare(version, bound) !== 0 : !within(written - 1);
    case '>':
      return written === 3 || written === 0
        ? compare(version, bound) > 0
        : compare(version, next(bound, written - 1)) >= 0;
    case '>=':
    case '=>':
      return compare(version, bound) >= 0;
    case '<':
      return compare(version, bound) < 0;
    case '<=':
    case '=<':
      return written === 3 ? compare(version, bound) <= 0 : compare(version, next(bound, written - 1)) < 0;
    case '~':
    case '~>':
      return within(Math.min(written - 1, 1));
    default:
      return within(Math.max(0, caretIndex(bound, written)));
  }
}

/** `^1.2.3` keeps the first part that is not zero; `^0.0` keeps what was written. */
function caretIndex(bound: Version, written: number): number {
  const first = bound.parts.findIndex((part) => part !== 0);
  return Math.min(first === -1 ? written - 1 : first, written - 1);
}
