/**
 * Buckets written plainly: of each key the list of counted events, gone through anew for every event. Slow, and with nothing
 * of the engine's in it.
 */

export interface Step {
  readonly client: string;
  readonly page: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export const cancelPage = '/cancel';
export const rarePage = '/rare';

export interface Parameters {
  readonly type: 'leaky' | 'trigger' | 'counter' | 'conditional' | 'bayesian';
  readonly capacity: number;
  /** Also the lifetime of conditional and bayesian buckets, and the duration of counters. */
  readonly leakMs: number;
  readonly cacheSize: number;
  readonly distinct: boolean;
  readonly cancel: boolean;
  readonly blackholeMs: number;
  /** Discards overflows of an odd count whose queue holds no `rarePage`. */
  readonly overflowFilter: boolean;
  /** How many events of the queue must be of the page of the last one, for the condition to hold. */
  readonly alike: number;
  readonly prior: number;
  readonly threshold: number;
  readonly guillotine: boolean;
}

export interface Outcome {
  readonly client: string;
  readonly count: number;
  readonly pages: readonly string[];
  readonly startAt: number;
  readonly stopAt: number;
}

/** One bucket from its first event on. */
interface Life {
  readonly client: string;
  readonly counted: Step[];
  readonly seen: string[];
  sawRare: boolean;
}

export function scenarioOf(parameters: Parameters): string {
  const { type, capacity, leakMs, cacheSize, distinct, cancel, blackholeMs, overflowFilter, alike } = parameters;
  const lines = [
    `type: ${type}`,
    'name: our/model',
    'description: d',
    'filter: "true"',
    'groupby: evt.Meta.source_ip',
    `capacity: ${type === 'leaky' ? capacity : type === 'trigger' ? 0 : -1}`,
    `cache_size: ${cacheSize}`,
    `blackhole: ${blackholeMs}ms`,
    type === 'counter' ? `duration: ${leakMs}ms` : type === 'trigger' ? '' : `leakspeed: ${leakMs}ms`,
    distinct ? 'distinct: evt.Meta.http_path' : '',
    cancel ? `cancel_on: evt.Meta.http_path == '${cancelPage}'` : '',
    overflowFilter
      ? `overflow_filter: leaky.Total_count % 2 == 0 || any(queue.Queue, {.Meta.http_path == '${rarePage}'})`
      : '',
    type === 'conditional' ? `condition: count(queue.Queue, {.Meta.http_path == evt.Meta.http_path}) >= ${alike}` : '',
  ];
  if (type === 'bayesian') {
    lines.push(
      `bayesian_prior: ${parameters.prior}`,
      `bayesian_threshold: ${parameters.threshold}`,
      'bayesian_conditions:',
      `- {condition: "evt.Meta.http_path == '${rarePage}'", prob_given_evil: 0.8, prob_given_benign: 0.1, guillotine: ${parameters.guillotine}}`,
      '- {condition: "len(queue.Queue) > 2", prob_given_evil: 0.7, prob_given_benign: 0.3}',
    );
  }
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

/** What overflows, in order. `end`: when the last counters end, null where they do not. */
export function outcomesOf(steps: readonly Step[], parameters: Parameters, end: number): readonly Outcome[] {
  const { type, leakMs, blackholeMs } = parameters;
  const outcomes: Outcome[] = [];
  const silentUntil = new Map<string, number>();
  /** In the order in which they began. */
  let lives: Life[] = [];

  const overflow = (life: Life, at: number): void => {
    lives = lives.filter((each) => each !== life);
    const pages = keptOf(life, parameters).map(({ page }) => page);
    if (parameters.overflowFilter && life.counted.length % 2 === 1 && !pages.includes(rarePage)) return;
    for (const [client, until] of silentUntil) if (until <= at) silentUntil.delete(client);
    if (silentUntil.has(life.client)) return;
    if (blackholeMs > 0) silentUntil.set(life.client, at + blackholeMs);
    const startAt = life.counted[0]?.at ?? 0;
    outcomes.push({ client: life.client, count: life.counted.length, pages, startAt, stopAt: at });
  };
  const endOf = (life: Life): number => (life.counted[0]?.at ?? 0) + leakMs;
  const endCounters = (now: number): void => {
    for (let [first] = lives; first !== undefined && endOf(first) <= now; [first] = lives)
      overflow(first, endOf(first));
  };

  for (const step of steps) {
    if (type === 'counter') endCounters(step.at);
    if (type === 'trigger') {
      overflow({ client: step.client, counted: [step], seen: [], sawRare: false }, step.at);
      continue;
    }
    let life = lives.find(({ client }) => client === step.client);
    if (life !== undefined && isOver(life, step.at, parameters)) {
      if (type === 'counter') overflow(life, endOf(life));
      lives = lives.filter((each) => each !== life);
      life = undefined;
    }
    if (life === undefined) lives.push((life = { client: step.client, counted: [], seen: [], sawRare: false }));
    if (parameters.distinct && life.seen.includes(step.page)) continue;
    life.seen.push(step.page);
    if (parameters.cancel && step.page === cancelPage) {
      const cancelled = life;
      lives = lives.filter((each) => each !== cancelled);
      continue;
    }
    life.counted.push(step);
    if (overflows(life, parameters)) overflow(life, step.at);
  }
  if (type === 'counter') endCounters(end);
  return outcomes;
}

function isOver({ counted }: Life, at: number, { type, capacity, leakMs }: Parameters): boolean {
  const [first, last] = [counted[0], counted.at(-1)];
  if (first === undefined || last === undefined) return false;
  if (type === 'counter') return at >= first.at + leakMs;
  return at > last.at + (type === 'leaky' ? (capacity + 1) * leakMs : leakMs);
}

function keptOf({ counted }: Life, { type, capacity, cacheSize }: Parameters): readonly Step[] {
  if (type === 'trigger') return counted;
  if (type === 'leaky') return counted.slice(-((cacheSize > 0 && cacheSize <= capacity ? cacheSize : capacity) + 1));
  return cacheSize > 0 ? counted.slice(-(cacheSize + 1)) : counted;
}

function overflows(life: Life, parameters: Parameters): boolean {
  const kept = keptOf(life, parameters);
  const page = life.counted.at(-1)?.page;
  switch (parameters.type) {
    case 'leaky':
      return level(life.counted, parameters.leakMs) > parameters.capacity * parameters.leakMs;
    case 'conditional':
      return kept.filter((step) => step.page === page).length >= parameters.alike;
    case 'bayesian': {
      const rare = page === rarePage || (parameters.guillotine && life.sawRare);
      if (page === rarePage) life.sawRare = true;
      const afterFirst = bayes(Math.fround(parameters.prior), rare, 0.8, 0.1);
      return bayes(afterFirst, kept.length > 2, 0.7, 0.3) > Math.fround(parameters.threshold);
    }
    case 'counter':
    case 'trigger':
      return false;
    default:
      return parameters.type satisfies never;
  }
}

/** How full the bucket is after these events, in milliseconds of leaking. */
function level(counted: readonly Step[], leakMs: number): number {
  let filled = 0;
  for (const [index, { at }] of counted.entries()) {
    const before = counted[index - 1]?.at ?? at;
    filled = Math.max(0, filled - Math.max(0, at - before)) + leakMs;
  }
  return filled;
}

/** Bayes' rule in single precision. */
function bayes(prior: number, holds: boolean, evil: number, benign: number): number {
  const single = Math.fround;
  const whenEvil = holds ? single(evil) : single(1 - single(evil));
  const whenBenign = holds ? single(benign) : single(1 - single(benign));
  const numerator = single(whenEvil * prior);
  return single(numerator / single(numerator + single(whenBenign * single(1 - prior))));
}
