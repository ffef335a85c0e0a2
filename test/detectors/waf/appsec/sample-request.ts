/** Requests made of the conditions of rules: each condition gets a value that meets it, where it is looked for. */
import fc from 'fast-check';
import type { RuleGroup } from '../../../../detectors/waf/appsec/rule-groups.ts';
import type { RuleNode } from '../../../../detectors/waf/appsec/rule-document.ts';
import type { Asked } from './world.ts';

interface Parts {
  method: string;
  path: string;
  /** Of the query, as it is. */
  tail: string;
  query: [string, string][];
  form: [string, string][];
  json: [string, string][];
  raw: string;
  headers: string[];
  cookies: string[];
  file: string;
}

/** A request that meets all conditions of the group; null where a condition is beyond this. */
export function sampleRequest(group: RuleGroup, seed: number): Asked | null {
  const parts: Parts = {
    method: '',
    path: '',
    tail: '',
    query: [],
    form: [],
    json: [],
    raw: '',
    headers: [],
    cookies: [],
    file: '',
  };
  for (const node of group) if (!place(node, parts, seed)) return null;
  return assembled(parts);
}

function place(node: RuleNode, parts: Parts, seed: number): boolean {
  const value = encoded(node, sampleValue(node, seed));
  const [zone = ''] = node.zones;
  const [variable = zone.endsWith('NAMES') ? '' : 'p'] = node.variables;
  const name = variable.startsWith('/') ? sampleOf(variable.slice(1, -1), seed) : variable;
  const times = node.transforms.includes('count') ? Number(node.match?.value) : 1;
  switch (zone) {
    case 'METHOD':
      parts.method = methodOf(node) ?? value;
      return true;
    case 'URI':
      parts.path = merged(parts.path, value.replaceAll(/[%?#]/g, encodeURIComponent), node.match?.type ?? '');
      return true;
    case 'URI_FULL':
      if (parts.path === '' || value.includes(parts.path)) parts.path = value;
      else if (!parts.path.includes(value)) parts.tail += value;
      return true;
    case 'ARGS':
      for (let count = 0; count < times; count++) parts.query.push([name, value]);
      return true;
    case 'ARGS_NAMES':
      parts.query.push([value, '1']);
      return true;
    case 'BODY_ARGS':
      if (name.startsWith('json.')) addJson(parts.json, name.slice(5), value, node);
      else for (let count = 0; count < times; count++) parts.form.push([name, value]);
      return true;
    case 'BODY_ARGS_NAMES':
      parts.form.push([value, '1']);
      return true;
    case 'HEADERS':
      if (times === 0) return true;
      parts.headers.push(name === 'p' ? 'X-P' : name, value);
      return true;
    case 'HEADERS_NAMES':
      parts.headers.push(value, '1');
      return true;
    case 'COOKIES':
      parts.cookies.push(`${name}=${value}`);
      return true;
    case 'RAW_BODY':
      parts.raw += `${value}\n`;
      return true;
    case 'FILENAMES':
      parts.file = value;
      return true;
    default:
      return false;
  }
}

/** Several conditions may look at one field. */
function addJson(json: Parts['json'], path: string, value: string, node: RuleNode): void {
  const known = json.find(([one]) => one === path);
  if (known === undefined) json.push([path, value]);
  else if (!node.transforms.includes('b64decode')) known[1] += value;
  else known[1] = Buffer.concat([known[1], value].map((part) => Buffer.from(part, 'base64'))).toString('base64');
}

function methodOf({ match }: RuleNode): string | null {
  if (match?.type !== 'regex') return null;
  return ['POST', 'GET', 'PUT'].find((method) => new RegExp(match.value).test(method)) ?? null;
}

/** Conditions on one address: a beginning, something in it, an end. */
function merged(path: string, value: string, type: string): string {
  if (path.includes(value)) return path;
  if (path === '' || value.includes(path)) return value;
  return type === 'startsWith' || type === 'equals' ? value + path : path + value;
}

function sampleValue({ match, transforms }: RuleNode, seed: number): string {
  const value = match?.value ?? '';
  if (transforms.includes('length')) return 'x'.repeat(Number(value));
  if (transforms.includes('count')) return '1';
  switch (match?.type) {
    case 'regex':
      return sampleOf(value, seed);
    case 'libinjectionSQL':
      return "1' OR '1'='1";
    case 'libinjectionXSS':
      return '<script>alert(1)</script>';
    default:
      return value;
  }
}

/** The first of some samples that is printable; anchors and classes are those that JavaScript shares with RE2. */
function sampleOf(source: string, seed: number): string {
  const pattern = new RegExp(source.replace(/^\(\?i\)/, ''), 's');
  const samples = fc.sample(fc.stringMatching(pattern, { maxLength: 40 }), { seed, numRuns: 50 });
  return samples.find((sample) => /^[!-~]+$/.test(sample)) ?? samples.find((sample) => sample !== '') ?? '';
}

/** Undoes the transformations, the last one first. */
function encoded({ transforms }: RuleNode, value: string): string {
  return transforms.includes('b64decode') ? Buffer.from(value).toString('base64') : value;
}

function assembled(parts: Parts): Asked {
  const { path, tail, query, form, json, raw, headers, cookies, file } = parts;
  const target = `${path.startsWith('/') ? '' : '/'}${path}`.replaceAll(/[^!-~]/g, encodeURIComponent);
  const search = [...query.map(pair), ...(tail === '' ? [] : [tail])].join('&');
  const all = [...headers, ...(cookies.length === 0 ? [] : ['Cookie', cookies.join('; ')])];
  const body = bodyOf(form, json, raw, file);
  const method = parts.method === '' ? (body === null ? 'GET' : 'POST') : parts.method;
  return {
    method,
    target: search === '' ? target : `${target}${target.includes('?') ? '&' : '?'}${search}`,
    headers: body === null ? all : [...all, 'Content-Type', body.type],
    ...(body === null ? {} : { body: body.text }),
  };
}

function pair([name, value]: [string, string]): string {
  return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}

function bodyOf(
  form: Parts['form'],
  json: Parts['json'],
  raw: string,
  file: string,
): { readonly type: string; readonly text: string } | null {
  if (file !== '') {
    const fields = form.map(([name, value]) => part(`name="${name}"`, value)).join('');
    return {
      type: 'multipart/form-data; boundary=b',
      text: `${fields}${part(`name="f"; filename="${file}"`, 'x')}--b--\r\n`,
    };
  }
  if (json.length > 0) return { type: 'application/json', text: JSON.stringify(tree(json)) };
  if (form.length > 0) return { type: 'application/x-www-form-urlencoded', text: form.map(pair).join('&') };
  return raw === '' ? null : { type: 'text/plain', text: raw };
}

function part(disposition: string, content: string): string {
  return `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
}

/** `a.b` with its value as an object in an object. */
function tree(pairs: Parts['json']): object {
  const root: Record<string, unknown> = {};
  for (const [path, value] of pairs) {
    const names = path.split('.');
    let node = root;
    for (const name of names.slice(0, -1)) node = (node[name] ??= {}) as Record<string, unknown>;
    node[names.at(-1) ?? ''] = value;
  }
  return root;
}
