/** Many at a time, but not too many. */

/** `run` over `values`, at most `atOnce` at a time, results in order. The first failure is thrown once all that began has ended. */
export async function mapBounded<T, R>(
  values: readonly T[],
  atOnce: number,
  run: (value: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const entries = values.entries();
  let failure: { readonly thrown: unknown } | null = null;
  const worker = async (): Promise<void> => {
    for (const [index, value] of entries) {
      if (failure !== null) return;
      try {
        results[index] = await run(value);
      } catch (thrown) {
        failure ??= { thrown };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failure !== null) throw (failure as { readonly thrown: unknown }).thrown;
  return results;
}
