/**
 * Bucket keys of the event being poured: what groupby gives, with IPv6 clients named by their prefix. Scenarios that group
 * alike share one text, which is made and hashed once.
 */
import { formatRange, parseIp, rangeOf } from '../../core/ip.ts';
import { ownCopy } from '../documents/own-copy.ts';
import type { Event } from '../event.ts';
import type { Expression, Scope } from '../expr/compile.ts';
import { boundedText } from './bounded-text.ts';
import type { Scenario } from './scenario.ts';

/** Clients whose prefix is remembered: spelling one takes microseconds. */
const mostPrefixes = 4_096;

export class BucketKeys {
  private readonly ipv6Prefix: number;
  private readonly groupings: readonly string[];
  /** By place: the keys that are known for this event. */
  private readonly known: (string | null)[];
  /** The prefix of each IPv6 client seen lately, as text. */
  private readonly prefixes = new Map<string, string>();

  /** `written`: paths that filters write, whose groupings may change from one scenario to the next. */
  constructor(scenarios: readonly Scenario[], written: ReadonlySet<string>, ipv6Prefix: number) {
    this.ipv6Prefix = ipv6Prefix;
    this.groupings = sharedGroupings(scenarios, written);
    this.known = this.groupings.map(() => null);
  }

  /** The place of a scenario's key, for `keyOf`; -1 when it is the scenario's own. */
  placeOf({ groupby }: Scenario): number {
    return groupby === null ? -1 : this.groupings.indexOf(groupby.source);
  }

  /** Forgets the keys of the event before. */
  begin(): void {
    this.known.fill(null);
  }

  /** @throws ExpressionError where the groupby raises or gives no text. */
  keyOf(event: Event, groupby: Expression | null, place: number, scope: Scope): string {
    if (groupby === null) return '';
    if (place === -1) return this.evaluate(event, groupby, scope);
    return (this.known[place] ??= this.evaluate(event, groupby, scope));
  }

  private evaluate(event: Event, groupby: Expression, scope: Scope): string {
    const value = groupby.evaluate(scope);
    if (typeof value !== 'string') throw new TypeError(`groupby gave ${typeof value}; it must give a string`);
    const client = event.Meta.source_ip ?? '';
    if (this.ipv6Prefix < 128 && client.includes(':') && value.includes(client)) {
      return boundedText(value.replace(client, this.prefixOf(client)));
    }
    return boundedText(value);
  }

  private prefixOf(client: string): string {
    const known = this.prefixes.get(client);
    if (known !== undefined) return known;
    const address = parseIp(client);
    const prefix = address?.version === 6 ? formatRange(rangeOf(address, this.ipv6Prefix)) : client;
    if (this.prefixes.size >= mostPrefixes) this.prefixes.clear();
    this.prefixes.set(ownCopy(client), prefix);
    return prefix;
  }
}

/** The groupings that no filter can change between two scenarios of one event. */
function sharedGroupings(scenarios: readonly Scenario[], written: ReadonlySet<string>): readonly string[] {
  const stable = scenarios.flatMap(({ groupby }) =>
    groupby !== null && [...groupby.reads].every((path) => !written.has(path) && !path.endsWith('*'))
      ? [groupby.source]
      : [],
  );
  return [...new Set(stable)];
}
