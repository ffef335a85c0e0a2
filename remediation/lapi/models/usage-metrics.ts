/** Wire shape of usage metrics, and what must be there. Specification: CrowdSec `pkg/models/all_metrics.go` and its like. */
import { type Decoding, flag, integer, list, type Reader, struct, text } from './go-decoder.ts';

export interface UsageItem {
  name?: string;
  value?: number;
  unit?: string;
  labels?: Readonly<Record<string, string>>;
}

export interface UsageMetrics {
  meta?: Partial<{ window_size_seconds: number; utc_now_timestamp: number }>;
  items?: (UsageItem | null)[];
}

/** An element of either side; agents have more of it. */
export interface UsageElement {
  name?: string;
  type?: string;
  version?: string;
  last_pull?: number;
  last_push?: number;
  last_update?: number;
  utc_startup_timestamp?: number;
  os?: Partial<{ name: string; version: string; family: string }>;
  feature_flags?: (string | null)[];
  metrics?: (Partial<UsageMetrics> | null)[];
  hub_items?: Readonly<Record<string, unknown>>;
  datasources?: Readonly<Record<string, number>>;
  console_options?: (string | null)[];
  enabled?: boolean;
}

/** A floating-point number, as Go's `float64`. */
const float64: Reader<number> = (value, decoding) => {
  if (value === null || value === undefined) return undefined;
  const number = typeof value === 'object' && 'source' in value ? Number(value.source) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : decoding.refuse(value, 'float64');
};

/** Lua writes an empty table as an empty list, or an empty list as an empty object. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function map<T>(type: string, element: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, decoding) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || 'source' in value) return decoding.refuse(value, type);
    if (isEmpty(value)) return {};
    if (Array.isArray(value)) return decoding.refuse(value, type);
    const found: [string, T][] = [];
    for (const [key, one] of Object.entries(value)) {
      const read = element(one, decoding);
      if (read !== undefined) found.push([key, read]);
    }
    // Made from entries, so that no key of a client's means anything to JavaScript.
    return Object.fromEntries(found);
  };
}

function lenientList<T>(type: string, element: Reader<T>, allowsOne: boolean): Reader<(T | null)[]> {
  const strict = list(type, element);
  return (value, decoding) => {
    if (isEmpty(value)) return [];
    const isOne = allowsOne && typeof value === 'object' && value !== null && !Array.isArray(value);
    return strict(isOne ? [value] : value, decoding);
  };
}

/** Whatever it is: hub items are kept as they come. */
const anything: Reader<unknown> = (value: unknown, _decoding: Decoding) => value ?? undefined;

const item = struct<UsageItem>('MetricsDetailItem', {
  name: text,
  value: float64,
  unit: text,
  labels: map('models.MetricsLabels', text),
});

const metrics = struct<UsageMetrics>('DetailedMetrics', {
  meta: struct('MetricsMeta', { window_size_seconds: integer('int64'), utc_now_timestamp: integer('int64') }),
  items: lenientList('[]*models.MetricsDetailItem', item, false),
});

const element = (name: string) =>
  struct<UsageElement>(name, {
    name: text,
    type: text,
    version: text,
    last_pull: integer('int64'),
    last_push: integer('int64'),
    last_update: integer('int64'),
    utc_startup_timestamp: integer('int64'),
    os: struct('OSversion', { name: text, version: text, family: text }),
    feature_flags: lenientList('[]string', text, false),
    metrics: lenientList('[]*models.DetailedMetrics', metrics, true),
    hub_items: map('models.HubItems', anything),
    datasources: map('map[string]int64', integer('int64')),
    console_options: lenientList('models.ConsoleOptions', text, false),
    enabled: flag,
  });

export interface PostedUsage {
  remediation_components?: (UsageElement | null)[];
  log_processors?: (UsageElement | null)[];
}

export const usageReader = struct<PostedUsage>('AllMetrics', {
  remediation_components: lenientList(
    '[]*models.RemediationComponentsMetrics',
    element('RemediationComponentsMetrics'),
    false,
  ),
  log_processors: lenientList('[]*models.LogProcessorsMetrics', element('LogProcessorsMetrics'), false),
});

/** What is missing of an element, in the words of CrowdSec's validation. */
export function faultsOf(element: UsageElement | null, path: string, isAgent: boolean): readonly string[] {
  if (element === null) return [];
  const faults: string[] = [];
  const need = (where: string, value: unknown): void => {
    if (value === undefined) faults.push(`${where} in body is required`);
  };
  need(`${path}.version`, element.version);
  need(`${path}.utc_startup_timestamp`, element.utc_startup_timestamp);
  if (isAgent) {
    need(`${path}.hub_items`, element.hub_items);
    need(`${path}.datasources`, element.datasources);
  }
  if (element.os !== undefined) {
    need(`${path}.os.name`, element.os.name);
    need(`${path}.os.version`, element.os.version);
  }
  for (const [at, one] of (element.metrics ?? []).entries()) {
    if (one === null) continue;
    need(`${path}.metrics.${at}.meta`, one.meta);
    need(`${path}.metrics.${at}.meta.window_size_seconds`, one.meta?.window_size_seconds ?? (one.meta ? undefined : 0));
    need(`${path}.metrics.${at}.meta.utc_now_timestamp`, one.meta?.utc_now_timestamp ?? (one.meta ? undefined : 0));
    for (const [index, detail] of (one.items ?? []).entries()) {
      if (detail === null) continue;
      need(`${path}.metrics.${at}.items.${index}.name`, detail.name);
      need(`${path}.metrics.${at}.items.${index}.value`, detail.value);
      need(`${path}.metrics.${at}.items.${index}.unit`, detail.unit);
    }
  }
  return faults;
}
