/** Settings for a screen or a support bundle: secrets are replaced, wherever in lists and sections they stand. */
import { isSecret, type JsonSchema, variantsOf } from './setting-keys.ts';

export interface Redacted {
  /** A copy. */
  readonly value: unknown;
  /** The secrets that were replaced, each once: whoever dumps other texts beside the settings looks for them there. */
  readonly secrets: readonly string[];
}

const replacement = '[redacted]';

/** `schema` is that of what people write; settings have the same keys. */
export function redact(settings: unknown, schema: JsonSchema): Redacted {
  const secrets = new Set<string>();
  return { value: redactedValue(settings, [schema], secrets), secrets: [...secrets] };
}

/** `schemas` are all that the value may be described by. */
function redactedValue(value: unknown, schemas: readonly JsonSchema[], secrets: Set<string>): unknown {
  if (value === null || value === undefined) return value;
  const variants = schemas.flatMap((schema) => [schema, ...variantsOf(schema)]);
  if (variants.some(isSecret)) {
    gather(value, secrets);
    return replacement;
  }
  if (Array.isArray(value)) {
    const items = variants.flatMap((variant) => variant.items ?? []);
    return value.map((one: unknown) => redactedValue(one, items, secrets));
  }
  if (typeof value !== 'object') return value;
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, redactedValue(child, schemasOf(variants, name), secrets)]),
  );
}

function schemasOf(variants: readonly JsonSchema[], name: string): readonly JsonSchema[] {
  return variants.flatMap(({ properties, additionalProperties }) => {
    if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name] ?? [];
    return typeof additionalProperties === 'object' ? additionalProperties : [];
  });
}

/** A secret may have become something else than the text that was written. */
function gather(value: unknown, secrets: Set<string>): void {
  if (typeof value === 'string' || typeof value === 'number') secrets.add(String(value));
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) gather(one, secrets);
}
