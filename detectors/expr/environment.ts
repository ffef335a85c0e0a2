/** Which names an expression may use, by who asks. The types themselves are in `environment/`. */
import { alertType } from './environment/alert-view.ts';
import { eventStruct, leakyType, overflowType, queueType } from './environment/event-types.ts';
import { requestType } from './environment/request-type.ts';
import { anyMap, arrayOf, boolType, intType, type MapType, type StructType, type Type } from './types.ts';

export interface Environment {
  readonly names: Readonly<Record<string, Type>>;
}

/**
 * Parsers, scenarios, conditions and contexts: `evt`, and where the caller has them `queue`, `leaky`, `signal`, `match`
 * and `req`.
 */
export const eventEnvironment: Environment = {
  names: {
    evt: eventStruct,
    queue: queueType,
    leaky: leakyType,
    signal: overflowType,
    match: anyMap,
    req: requestType,
  },
};

/** `overflow_filter`, which has no event. */
export const overflowEnvironment: Environment = {
  names: { queue: queueType, leaky: leakyType, signal: overflowType },
};

/** Filters and durations of profiles. */
export const profileEnvironment: Environment = { names: { Alert: alertType } };

const parserResult: StructType = {
  kind: 'struct',
  name: 'dumps.ParserResult',
  byValue: true,
  methods: {},
  fields: () => ({ Idx: intType, Evt: eventStruct, Success: boolType }),
};

const nodeResults: MapType = { kind: 'map', value: arrayOf(parserResult) };

/**
 * What tests assert. `parser`: of the parsers' dump, `results["s01-parse"]["crowdsecurity/nginx-logs"][0].Evt.Meta["x"]`.
 * `scenario`: of the overflows, `results[0].Overflow.GetSources()`.
 */
export const assertionEnvironment: { readonly parser: Environment; readonly scenario: Environment } = {
  parser: { names: { results: { kind: 'map', value: nodeResults } } },
  scenario: { names: { results: arrayOf(eventStruct) } },
};
