/** Sprig's arithmetic: integers of 64 bits that wrap, floats added in decimals, so that 0.1 and 0.2 are 0.3. */
import { formatFloat } from '../format-number.ts';
import { ValueFault } from '../template-error.ts';
import type { RenderContext } from '../render-context.ts';
import { define, defineVariadic, type TemplateFunction, type TemplateValue, wrap64 } from '../values.ts';
import { toFloat64, toInt64, toText } from './conversions.ts';

export const numberFunctions: Readonly<Record<string, TemplateFunction>> = {
  atoi: define(['text'], ([text]) => (/^[+-]?[0-9]{1,18}$/.test(text) ? BigInt(text.replace('+', '')) : 0n)),
  int: define(['any'], ([value]) => toInt64(value)),
  int64: define(['any'], ([value]) => toInt64(value)),
  float64: define(['any'], ([value]) => toFloat64(value)),
  toDecimal: define(['any'], ([value], context) => fromOctal(toText(value, context))),
  add1: define(['any'], ([value]) => wrap64(toInt64(value) + 1n)),
  add: defineVariadic([], 'any', (_, values) => wrap64(values.reduce((sum: bigint, each) => sum + toInt64(each), 0n))),
  sub: define(['any', 'any'], ([left, right]) => wrap64(toInt64(left) - toInt64(right))),
  mul: defineVariadic(['any'], 'any', ([first], others) =>
    others.reduce((product: bigint, each) => wrap64(product * toInt64(each)), toInt64(first)),
  ),
  div: define(['any', 'any'], ([left, right]) => wrap64(toInt64(left) / divisor(right))),
  mod: define(['any', 'any'], ([left, right]) => toInt64(left) % divisor(right)),
  max: defineVariadic(['any'], 'any', ([first], others) => extreme(first, others, (left, right) => left > right)),
  biggest: defineVariadic(['any'], 'any', ([first], others) => extreme(first, others, (left, right) => left > right)),
  min: defineVariadic(['any'], 'any', ([first], others) => extreme(first, others, (left, right) => left < right)),
  maxf: defineVariadic(['any'], 'any', ([first], others) => Math.max(toFloat64(first), ...others.map(toFloat64))),
  minf: defineVariadic(['any'], 'any', ([first], others) => Math.min(toFloat64(first), ...others.map(toFloat64))),
  add1f: define(['any'], ([value]) => decimal(value, [1n], (left, right) => left + right)),
  addf: defineVariadic([], 'any', (_, values) => decimal(0n, values, (left, right) => left + right)),
  subf: defineVariadic(['any'], 'any', ([first], others) => decimal(first, others, (left, right) => left - right)),
  mulf: defineVariadic(['any'], 'any', ([first], others) =>
    others.reduce((product: number, each) => rounded(product * toFloat64(each)), toFloat64(first)),
  ),
  divf: defineVariadic(['any'], 'any', ([first], others) =>
    others.reduce((quotient: number, each) => rounded(quotient / floatDivisor(each)), toFloat64(first)),
  ),
  floor: define(['any'], ([value]) => Math.floor(toFloat64(value))),
  ceil: define(['any'], ([value]) => Math.ceil(toFloat64(value))),
  round: defineVariadic(['any', 'int'], 'float', ([value, places], [roundOn = 0.5]) =>
    roundedAt(toFloat64(value), Number(places), roundOn),
  ),
  until: define(['int'], ([count], context) => steps(0n, count, count < 0n ? -1n : 1n, context)),
  untilStep: define(['int', 'int', 'int'], ([start, stop, step], context) => steps(start, stop, step, context)),
  seq: defineVariadic([], 'int', (_, bounds, context) => sequence(bounds, context)),
  randInt: define(['int', 'int'], ([min, max], { runtime }) => {
    if (max <= min) throw new ValueFault('invalid argument to Intn');
    return min + BigInt(Math.floor(runtime.random.fraction() * Number(max - min)));
  }),
};

function divisor(value: TemplateValue): bigint {
  const by = toInt64(value);
  if (by === 0n) throw new ValueFault('runtime error: integer divide by zero');
  return by;
}

function floatDivisor(value: TemplateValue): number {
  const by = toFloat64(value);
  if (by === 0) throw new ValueFault('decimal division by 0');
  return by;
}

function extreme(
  first: TemplateValue,
  others: readonly TemplateValue[],
  better: (left: bigint, right: bigint) => boolean,
): bigint {
  return others.map(toInt64).reduce((best, each) => (better(each, best) ? each : best), toInt64(first));
}

function fromOctal(text: string): bigint {
  const match = /^([+-]?)([0-7]{1,21})$/.exec(text);
  if (!match) return 0n;
  const value = BigInt(`0o${match[2]}`);
  return match[1] === '-' ? -value : value;
}

/** Sums over the decimals that the numbers are written with. */
function decimal(
  first: TemplateValue,
  others: readonly TemplateValue[],
  combine: (left: bigint, right: bigint) => bigint,
): number {
  const values = [first, ...others].map(toFloat64);
  if (!values.every(Number.isFinite)) throw new ValueFault('Cannot create a Decimal from an infinite number');
  const written = values.map((value) => formatFloat(value, 'f', null));
  const places = Math.max(...written.map((each) => each.split('.')[1]?.length ?? 0));
  const scaled = written.map((each) => {
    const [whole = '', fraction = ''] = each.split('.');
    return BigInt(whole + fraction.padEnd(places, '0'));
  });
  const digits = scaled.slice(1).reduce(combine, scaled[0] ?? 0n);
  return Number(`${digits}e-${places}`);
}

/** Without the dust that binary multiplication leaves behind: 16 digits, as the decimal library divides. */
function rounded(value: number): number {
  return Number(value.toPrecision(16));
}

/** Half away from zero upwards only, as Sprig does. */
function roundedAt(value: number, places: number, roundOn: number): number {
  const power = 10 ** places;
  const scaled = power * value;
  const rounded = scaled - Math.trunc(scaled) >= roundOn ? Math.ceil(scaled) : Math.floor(scaled);
  return rounded / power;
}

function steps(start: bigint, stop: bigint, step: bigint, context: RenderContext): readonly bigint[] {
  const out: bigint[] = [];
  if (stop < start ? step >= 0n : step <= 0n) return out;
  for (let each = start; stop < start ? each > stop : each < stop; each += step) {
    context.charge(1);
    out.push(each);
  }
  return out;
}

/** Like the program `seq`: `last`, `first last` or `first step last`. */
function sequence(bounds: readonly bigint[], context: RenderContext): string {
  const [one = 0n, two = 0n, three = 0n] = bounds;
  const between = (first: bigint, last: bigint, step?: bigint): string => {
    const direction = last < first ? -1n : 1n;
    if (step !== undefined && direction === -1n && step > 0n) return '';
    return steps(first, last + direction, step ?? direction, context).join(' ');
  };
  if (bounds.length === 1) return between(1n, one);
  if (bounds.length === 2) return between(one, two);
  return bounds.length === 3 ? between(one, three, two) : '';
}
