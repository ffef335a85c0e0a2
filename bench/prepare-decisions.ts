/** A data folder as a gateway leaves it that has pulled large blocklists: `count` bans in the embedded store. */
export async function prepareDecisions(_dataDir: string, _count: number): Promise<void> {
  throw new Error('pending');
}
