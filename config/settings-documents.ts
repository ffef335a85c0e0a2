/**
 * The three documents that are made from the schema: `config/schema.json` for editors, `config/default.yaml` with every key
 * at its default, and `docs/configuration.md`. `npm run generate` writes them and a test compares them.
 */
import { stringify } from 'yaml';
import { isSecret, type JsonSchema, propertiesOf, variableOf, variantsOf } from './setting-keys.ts';

const lineWidth = 110;

/** JSON Schema of the settings file. */
export function renderSchema(schema: JsonSchema): string {
  return `${JSON.stringify({ title: 'Settings of Portcullis (portcullis.yaml)', ...withNullSections(schema) }, null, 2)}\n`;
}

/** A section whose keys are all commented out is null to YAML: the loader takes it, so editors should. */
function withNullSections(schema: JsonSchema): JsonSchema {
  if (!schema.properties) return schema;
  const sections = Object.entries(schema.properties).map(([name, child]): [string, JsonSchema] => {
    const section = withNullSections(child);
    return [name, child.properties ? { ...section, type: ['object', 'null'] } : section];
  });
  return { ...schema, properties: Object.fromEntries(sections) };
}

/** Every key with its default, as a file that could be used as it is. */
export function renderDefaults(schema: JsonSchema): string {
  const head = [
    '# yaml-language-server: $schema=./schema.json',
    '#',
    '# Every setting at its default. Write only what you change into portcullis.yaml; docs/configuration.md says more.',
    '# Made from the schema by `npm run generate`.',
  ];
  return `${[...head, ...defaultLines(schema, '')].join('\n')}\n`;
}

function defaultLines(schema: JsonSchema, indent: string): string[] {
  return Object.entries(propertiesOf(schema) ?? {}).flatMap(([name, child]) => {
    const comment = wrapped(child.description ?? '', lineWidth - indent.length - 2).map((line) => `${indent}# ${line}`);
    const gap = indent === '' ? [''] : [];
    if (propertiesOf(child)) return [...gap, ...comment, `${indent}${name}:`, ...defaultLines(child, `${indent}  `)];
    if (child.default === undefined) return [...gap, ...comment, `${indent}# ${name}:`];
    return [...gap, ...comment, `${indent}${name}: ${inYaml(child.default)}`];
  });
}

/** The reference page. */
export function renderReference(schema: JsonSchema): string {
  const keys = Object.entries(schema.properties ?? {});
  const plain = keys.filter(([, child]) => !propertiesOf(child));
  const sections = keys.filter(([, child]) => propertiesOf(child));
  const top: JsonSchema = { properties: Object.fromEntries(plain) };
  const parts = [
    introduction,
    '## Top of the file',
    ...sectionLines(top, []),
    ...sections.flatMap(([name, child]) => chapter(name, child)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function chapter(name: string, section: JsonSchema): string[] {
  return [`## \`${name}\``, ...(section.description ? [section.description] : []), ...sectionLines(section, [name])];
}

/** A table of the section's keys, those of sections within it included, and one for the entries of each list of sections. */
function sectionLines(section: JsonSchema, path: readonly string[]): string[] {
  const rows: string[] = [];
  const lists: string[] = [];
  const visit = (schema: JsonSchema, at: readonly string[]): void => {
    for (const [name, child] of Object.entries(propertiesOf(schema) ?? {})) {
      const here = [...at, name];
      if (propertiesOf(child)) {
        visit(child, here);
        continue;
      }
      const variable = variableOf(here);
      rows.push(row(here.join('.'), child, isSecret(child) ? `${variable}\`, \`${variable}_FILE` : variable));
      lists.push(...entryTable(here.join('.'), child));
    }
  };
  visit(section, path);
  return [[...tableHead, ...rows].join('\n'), ...lists];
}

function entryTable(key: string, list: JsonSchema): string[] {
  const entry = list.items && variantsOf(list.items).find((variant) => variant.properties);
  if (!entry?.properties) return [];
  const required = new Set(entry.required);
  const rows = Object.entries(entry.properties).map(([name, child]) => row(name, child, null, required.has(name)));
  return [[`Each entry of \`${key}\`:`, '', ...tableHead, ...rows].join('\n')];
}

const tableHead = ['| key | type | default | meaning |', '|---|---|---|---|'];

function row(key: string, schema: JsonSchema, variable: string | null, required = false): string {
  const fallback = required
    ? 'required'
    : schema.default === undefined || schema.default === null
      ? ''
      : `\`${inYaml(schema.default)}\``;
  const name = variable === null ? `\`${key}\`` : `\`${key}\`<br>\`${variable}\``;
  const cells = [name, typeOf(schema), fallback, `${schema.description ?? ''}${boundsOf(schema)}`];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function typeOf(schema: JsonSchema): string {
  if (schema.title) return schema.title;
  const names = variantsOf(schema).map((variant) => {
    if (variant.title) return variant.title;
    if (variant.enum) return variant.enum.map((value) => `\`${String(value)}\``).join(' or ');
    const type =
      typeof variant.type === 'string' ? variant.type : (variant.type?.find((name) => name !== 'null') ?? '');
    if (type === 'array') return variant.items ? `list: ${typeOf(variant.items)}` : 'list';
    return typeNames[type] ?? type;
  });
  return [...new Set(names.filter((name) => name !== ''))].join(' or ');
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: '`true` or `false`',
  integer: 'whole number',
  number: 'number',
  object: 'section',
  null: '',
};

/** The bounds of numbers; those that a schema always writes for safe integers say nothing. */
function boundsOf({ minimum, maximum }: JsonSchema): string {
  const far = 1_000_000_000;
  const low = minimum !== undefined && minimum > 0 ? `at least ${minimum}` : '';
  const high = maximum !== undefined && maximum < far ? `at most ${maximum}` : '';
  const bounds = [low, high].filter((text) => text !== '').join(', ');
  return bounds === '' ? '' : ` (${bounds})`;
}

function inYaml(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim();
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const introduction = `# Configuration

This page is made from the schema by \`npm run generate\`; do not edit it.

One YAML file holds the settings: \`portcullis.yaml\` in the working directory, or the one that \`--config\` or the variable
\`PORTCULLIS_CONFIG\` names. Everything has a default except where requests go, so the shortest file is one line:

\`\`\`yaml
origin: http://127.0.0.1:3000
\`\`\`

- **Layers.** Defaults, then the file, then \`portcullis.yaml.local\` beside it (keys replace keys, lists replace lists), then
  environment variables. An empty section says nothing; \`null\` takes a key back to its default.
- **Variables.** Every key has one: \`PORTCULLIS_\` and its path in capitals, as the tables show; \`ORIGIN\` is an alias of
  \`PORTCULLIS_ORIGIN\`. A list is written with commas (\`PORTCULLIS_CLIENT_TRUSTED_PROXIES=loopback,10.0.0.0/8\`), a list of
  sections as YAML (\`PORTCULLIS_SITES='[{hosts: [a.example], origin: "http://127.0.0.1:3000"}]'\`). An empty variable counts as
  not set. A secret can be read from a file with \`…_FILE\`.
- **Units.** Durations are written \`300ms\`, \`10s\`, \`1m30s\`, \`4h\`, \`7d\`. Sizes are written \`16KiB\`, \`1MB\`, or as a number
  of bytes.
- **Paths.** A relative path starts from the folder of the settings file.
- **Mistakes.** All of them are reported at once, with file, line and column, and the exit status is 78. Unknown keys and
  unknown \`PORTCULLIS_\` variables are mistakes. \`portcullis validate\` checks without starting.
- **Editors.** \`# yaml-language-server: $schema=./config/schema.json\` as the first line gives completion and checks;
  \`config/default.yaml\` shows every key at its default.`;
