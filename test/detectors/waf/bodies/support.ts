/** What the tests of body processors have in common. */
import { bodyProcessors } from '../../../../detectors/waf/bodies/body-processors.ts';
import type {
  BodyContents,
  BodyContext,
  BodyLimits,
  NamedValue,
} from '../../../../detectors/waf/bodies/body-processor.ts';

export const limits: BodyLimits = { arguments: 1_000, depth: 100, files: 100 };

export const formType = 'multipart/form-data; boundary=B';

export function process(name: string, body: string, context: Partial<BodyContext> = {}): BodyContents {
  const processor = bodyProcessors(name);
  if (processor === null) throw new Error(`no processor ${name}`);
  return processor.process(body, { contentType: formType, limits, truncated: false, separator: '&', ...context });
}

/** `name=value` for each, for comparing at a glance. */
export function pairs(values: readonly NamedValue[]): readonly string[] {
  return values.map(({ name, value }) => `${name}=${value}`);
}

/** The UTF-8 bytes of a text as a latin1 string: how it would arrive. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * What was read of a body that was cut: the same as of the whole, but for the last value, which may be cut or be a piece of what
 * was not there in full.
 */
export function isBeginning<Value>(cut: readonly Value[], whole: readonly Value[]): boolean {
  return cut.slice(0, -1).every((value, index) => JSON.stringify(value) === JSON.stringify(whole[index]));
}
