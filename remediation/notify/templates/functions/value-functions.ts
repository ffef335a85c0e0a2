/** Sprig's defaults, conditions and types of values. */
import { ValueFault } from '../template-error.ts';
import { define, defineVariadic, kindName, type TemplateFunction, typeName } from '../values.ts';
import { deepEqual, isEmpty } from './conversions.ts';

export const valueFunctions: Readonly<Record<string, TemplateFunction>> = {
  default: defineVariadic(['any'], 'any', ([otherwise], [given = null]) => (isEmpty(given) ? otherwise : given)),
  empty: define(['any'], ([value]) => isEmpty(value)),
  coalesce: defineVariadic([], 'any', (_, values) => values.find((each) => !isEmpty(each)) ?? null),
  all: defineVariadic([], 'any', (_, values) => values.every((each) => !isEmpty(each))),
  any: defineVariadic([], 'any', (_, values) => values.some((each) => !isEmpty(each))),
  ternary: define(['any', 'any', 'bool'], ([yes, no, condition]) => (condition ? yes : no)),
  typeOf: define(['any'], ([value]) => typeName(value)),
  typeIs: define(['text', 'any'], ([name, value]) => typeName(value) === name),
  typeIsLike: define(['text', 'any'], ([name, value]) => [name, `*${name}`].includes(typeName(value))),
  kindOf: define(['any'], ([value]) => kindName(value)),
  kindIs: define(['text', 'any'], ([name, value]) => kindName(value) === name),
  deepEqual: define(['any', 'any'], ([left, right], context) => deepEqual(left, right, context)),
  fail: define(['text'], ([message]) => {
    throw new ValueFault(message);
  }),
};
