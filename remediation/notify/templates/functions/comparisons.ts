/** `eq`, `ne`, `lt`, `le`, `gt`, `ge`, `not`: Go's rules, which never compare an integer with a float. */
import { ValueFault } from '../template-error.ts';
import { TemplateTime } from '../template-time.ts';
import {
  compareTexts,
  define,
  defineVariadic,
  isList,
  isMap,
  isTrue,
  type TemplateFunction,
  type TemplateValue,
  typeName,
} from '../values.ts';

export const comparisonFunctions: Readonly<Record<string, TemplateFunction>> = {
  eq: defineVariadic(['any'], 'any', ([first], others) => {
    if (others.length === 0) throw new ValueFault('missing argument for comparison');
    return others.some((other) => equal(first, other));
  }),
  ne: define(['any', 'any'], ([left, right]) => !equal(left, right)),
  lt: define(['any', 'any'], ([left, right]) => order(left, right) < 0),
  le: define(['any', 'any'], ([left, right]) => order(left, right) <= 0),
  gt: define(['any', 'any'], ([left, right]) => order(left, right) > 0),
  ge: define(['any', 'any'], ([left, right]) => order(left, right) >= 0),
  not: define(['any'], ([value]) => !isTrue(value)),
};

function equal(left: TemplateValue, right: TemplateValue): boolean {
  if (left === null || right === null) return left === right;
  for (const value of [left, right]) {
    if (isList(value) || isMap(value)) throw new ValueFault(`non-comparable type ${typeName(value)}`);
  }
  if (left instanceof TemplateTime && right instanceof TemplateTime) return left.nanoseconds === right.nanoseconds;
  if (typeof left !== typeof right) throw new ValueFault('incompatible types for comparison');
  return left === right;
}

/** Below, at or above 0. */
function order(left: TemplateValue, right: TemplateValue): number {
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(left, right);
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === 'number' && typeof right === 'number') {
    // With NaN every comparison is false but "less or equal" and "greater or equal", which Go makes of the others too.
    return left < right ? -1 : left > right ? 1 : left === right ? 0 : Number.NaN;
  }
  const basic = [left, right].every((value) => ['string', 'bigint', 'number', 'boolean'].includes(typeof value));
  if (!basic || typeof left === typeof right) throw new ValueFault('invalid type for comparison');
  throw new ValueFault('incompatible types for comparison');
}
