/** RFC 3339 texts of epoch milliseconds, formatted once for all requests of the same millisecond. */
export function createTimestamps(): (epochMs: number) => string {
  let lastMs = Number.NaN;
  let lastText = '';
  return (epochMs) => {
    if (epochMs !== lastMs) {
      lastMs = epochMs;
      lastText = new Date(epochMs).toISOString();
    }
    return lastText;
  };
}
