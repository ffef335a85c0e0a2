/**
 * What the schema says about each key, read from its JSON Schema: types, defaults, descriptions and the name of the
 * environment variable. Loader, editors' schema and reference page all see the settings through this one description.
 */
import * as z from 'zod';

/** The part of JSON Schema (2020-12) that zod writes for our settings. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly writeOnly?: boolean;
}

export interface SettingKey {
  readonly path: readonly string[];
  /** `PORTCULLIS_UPSTREAM_CONNECT_TIMEOUT` */
  readonly variable: string;
  readonly schema: JsonSchema;
}

/** The JSON Schema of what people write, before it is read into code. */
export function inputSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
}

/** Every key that can be set on its own, in the order of the schema: whatever is not itself a section. */
export function settingKeys(schema: JsonSchema, path: readonly string[] = []): readonly SettingKey[] {
  const sections = propertiesOf(schema);
  if (!sections) return [{ path, variable: variableOf(path), schema }];
  return Object.entries(sections).flatMap(([name, child]) => settingKeys(child, [...path, name]));
}

/** The keys of a section, or null when `schema` is a plain value. The variants of a section are taken together. */
export function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> | null {
  const variants = variantsOf(schema);
  if (variants.length === 1) return variants[0]?.properties ?? null;
  const merged: Record<string, JsonSchema> = {};
  for (const variant of variants) {
    if (!variant.properties) return null;
    for (const [name, child] of Object.entries(variant.properties)) merged[name] ??= child;
  }
  return merged;
}

/** The alternatives of a value; itself when it has none. */
export function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  const variants = schema.anyOf ?? schema.oneOf;
  return variants ? variants.flatMap(variantsOf) : [schema];
}

/** The schema at `path`, or null. Steps into lists are numbers. */
export function schemaAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | null {
  const [step, ...rest] = path;
  if (step === undefined) return schema;
  for (const variant of variantsOf(schema)) {
    const child = typeof step === 'number' ? variant.items : ownProperty(variant.properties, String(step));
    const found = child && schemaAt(child, rest);
    if (found) return found;
  }
  return null;
}

function ownProperty<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Whether a value of this JSON type (`string`, `number`, `boolean`, `array`, `object`) can be right. */
export function accepts(schema: JsonSchema, type: string): boolean {
  return variantsOf(schema).some((variant) => {
    if (variant.type === undefined)
      return variant.enum?.some((value) => typeof value === type) ?? typeof variant.const === type;
    const types = typeof variant.type === 'string' ? [variant.type] : variant.type;
    return types.includes(type) || (type === 'number' && types.includes('integer'));
  });
}

/** Whether a value may be a secret: no dump shows it, and a file may hold it. */
export function isSecret(schema: JsonSchema): boolean {
  return [schema, ...variantsOf(schema)].some((variant) => variant.writeOnly === true);
}

/** Whether a value may be the path of a file or folder. */
export function isPath(schema: JsonSchema): boolean {
  return [schema, ...variantsOf(schema)].some((variant) => variant.format === 'path');
}

/** `['upstream', 'connectTimeout']` → `PORTCULLIS_UPSTREAM_CONNECT_TIMEOUT` */
export function variableOf(path: readonly string[]): string {
  return ['PORTCULLIS', ...path].map((name) => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()).join('_');
}
