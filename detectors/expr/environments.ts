/** The former name of `environment.ts`, for callers that were written against it. */
export {
  assertionEnvironment,
  type Environment,
  eventEnvironment,
  overflowEnvironment,
  profileEnvironment,
} from './environment.ts';
