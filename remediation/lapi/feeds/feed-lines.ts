/** The text of a feed, in pieces of some kilobytes: as much work at a time as others can wait for. */
import type { LedgerEntry } from '../../ledger/decision-ledger.ts';
import { type FeedEntry, feedEntry, widestNetworks } from './feed-entry.ts';
import type { FeedFacts, FeedFormat } from './feed-format.ts';

/** Decisions looked at between two pieces: about a millisecond. */
const slice = 1_000;
/** Networks are kept until the end; more than these are left out, and the caller is told. */
export const mostNetworks = 200_000;

export interface FeedLinesOptions {
  readonly format: FeedFormat;
  readonly facts: FeedFacts;
  readonly onTooMany: () => void;
}

/** `decisions` may be long; they are read as the pieces are asked for. A piece may be empty. */
export function* feedLines(decisions: Iterable<LedgerEntry>, options: FeedLinesOptions): Generator<string, void, void> {
  const { format, facts, onTooMany } = options;
  const networks: FeedEntry[] = [];
  let head = format.head(facts);
  let entries: FeedEntry[] = [];
  let seen = 0;
  let tooMany = false;
  for (const decision of decisions) {
    const entry = feedEntry(decision);
    if (entry !== null && facts.versions.includes(entry.range.address.version)) {
      if (!format.disjoint || entry.isAddress) entries.push(entry);
      else if (networks.length < mostNetworks) networks.push(entry);
      else tooMany = true;
    }
    if (++seen % slice !== 0) continue;
    yield head + format.entries(entries, facts);
    head = '';
    entries = [];
  }
  yield head + format.entries(entries, facts);
  if (tooMany) onTooMany();
  const kept = widestNetworks(networks);
  for (let index = 0; index < kept.length; index += slice) {
    yield format.entries(kept.slice(index, index + slice), facts);
  }
  yield format.tail(facts);
}
