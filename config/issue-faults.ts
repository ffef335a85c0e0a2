/** The issues of zod → faults with a place, plain words and a suggestion. */
import type * as z from 'zod';
import { closest } from './closest.ts';
import { type ConfigNode, findNode } from './config-node.ts';
import { type JsonSchema, propertiesOf, schemaAt, settingKeys } from './setting-keys.ts';
import { formatPath, type SettingsFault } from './settings-error.ts';

type Issue = z.core.$ZodIssue;

/** The words for everything that a schema does not word itself. Handed to zod, so that its own English never shows. */
export function issueMessage(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is required'
        : `expected ${typeWords(issue.expected)}, got ${kindOf(issue.input)}`;
    case 'invalid_value':
      return `expected ${listed(issue.values)}`;
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return 'must not be empty';
      return `must be ${issue.minimum} or more`;
    case 'too_big':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `must be ${issue.maximum} or less`
        : `must not have more than ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    case 'unrecognized_keys':
      return 'unknown key';
    default:
      return 'has a value that is not understood';
  }
}

/** Where each issue stands in `root`. One issue about several keys becomes several faults. */
export function faultsOf(issue: Issue, root: ConfigNode | null, schema: JsonSchema): readonly SettingsFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      faultAt([...issue.path, key], 'unknown key', suggestKey(key, issue.path, schema), root, 'key'),
    );
  }
  const inner = issue.code === 'invalid_union' ? fittingVariant(issue) : null;
  if (inner) return inner.flatMap((each) => faultsOf({ ...each, path: [...issue.path, ...each.path] }, root, schema));
  return [faultAt(issue.path, issue.message, suggestValue(issue, root), root, 'value')];
}

function faultAt(
  path: readonly PropertyKey[],
  message: string,
  suggestion: string | null,
  root: ConfigNode | null,
  at: 'key' | 'value',
): SettingsFault {
  const { node, found } = root ? findNode(root, path) : { node: null, found: false };
  // A key that is missing is blamed on the section that lacks it; the top of a file has no line of its own.
  const place = found && at === 'value' ? node?.place : found || node !== root ? node?.keyPlace : undefined;
  return {
    file: place?.source ?? (root && root.place.line !== null ? root.place.source : null),
    line: place?.line ?? null,
    column: place?.column ?? null,
    path: formatPath(path),
    message,
    suggestion,
  };
}

/**
 * A value that may have several shapes fits none. When it has the kind of one of them (a map where a map is allowed), that
 * one was meant, and its own faults say more than "expected this or that".
 */
function fittingVariant(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] | null {
  const meant = issue.errors.filter(
    (issues) => !issues.some((each) => each.code === 'invalid_type' && each.path.length === 0),
  );
  return meant.length === 1 ? (meant[0] ?? null) : null;
}

/** A key beside it with a similar name; else the place where a key of that very name lives. */
function suggestKey(key: string, section: readonly PropertyKey[], schema: JsonSchema): string | null {
  const parent = schemaAt(schema, section);
  const siblings = Object.keys((parent && propertiesOf(parent)) ?? {});
  const near = closest(key, siblings);
  if (near !== null) return near;
  const paths = settingKeys(schema).map((each) => each.path);
  const name = closest(
    key,
    paths.map((path) => path.at(-1) ?? ''),
  );
  return paths.find((path) => path.at(-1) === name)?.join('.') ?? null;
}

function suggestValue(issue: Issue, root: ConfigNode | null): string | null {
  if (issue.code === 'custom') {
    const suggestion: unknown = issue.params?.suggestion;
    return typeof suggestion === 'string' ? suggestion : null;
  }
  const { node, found } = root ? findNode(root, issue.path) : { node: null, found: false };
  if (!found || node?.kind !== 'scalar') return null;
  if (issue.code === 'invalid_value') return closest(node.text, issue.values.map(String));
  if (issue.code !== 'invalid_type') return null;
  if (issue.expected === 'boolean') return booleanWord(node.text);
  if (issue.expected === 'array') return `[${node.text}]`;
  return null;
}

function booleanWord(text: string): string | null {
  if (/^(?:yes|on|y|1|true|enabled?)$/i.test(text)) return 'true';
  return /^(?:no|off|n|0|false|disabled?)$/i.test(text) ? 'false' : null;
}

function typeWords(expected: string): string {
  switch (expected) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'object':
    case 'record':
      return 'a section with keys';
    case 'int':
      return 'a whole number';
    default:
      return `a ${expected}`;
  }
}

function kindOf(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (input === null) return 'nothing';
  switch (typeof input) {
    case 'string':
      return 'text';
    case 'number':
    case 'bigint':
      return 'a number';
    case 'boolean':
      return 'true or false';
    default:
      return 'a section with keys';
  }
}

function listed(values: readonly unknown[]): string {
  const words = values.map(String);
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
