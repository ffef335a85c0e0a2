/** Templates run over values written as JSON. */
import { createManualClock } from '../../../support/manual-clock.ts';
import type { Random } from '../../../../core/random.ts';
import type { TemplateLimits, TemplateRuntime } from '../../../../remediation/notify/templates/render-context.ts';
import { createZones } from '../../../../remediation/notify/templates/time-zone.ts';
import { compileTemplate } from '../../../../remediation/notify/templates/template.ts';
import type { TemplateValue } from '../../../../remediation/notify/templates/values.ts';

/** Bytes that count up, so that what is drawn can be foretold. */
export function countingRandom(): Random {
  let next = 0;
  return {
    uuid: () => '00000000-0000-4000-8000-000000000001',
    bytes: (length) => Uint8Array.from({ length }, () => next++ % 256),
    fraction: () => 0.5,
    requestId: () => '0000000000000001',
  };
}

export function testRuntime(over: Partial<TemplateRuntime> = {}): TemplateRuntime {
  return {
    clock: createManualClock(),
    random: countingRandom(),
    hostname: 'gw.example',
    zones: createZones('UTC'),
    ...over,
  };
}

/** A value as Go decodes it where whole numbers are integers. */
export function fromJson(value: unknown): TemplateValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(fromJson);
  return new Map(Object.entries(value).map(([key, each]) => [key, fromJson(each)]));
}

export function render(source: string, data: unknown = null, limits?: TemplateLimits): string {
  return compileTemplate('alerts', source).render(fromJson(data), testRuntime(), limits);
}
