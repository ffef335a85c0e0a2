/** Whom a node whitelists: addresses, networks, and whatever its expressions say. */
import { formatRange, type IpAddress, type IpRange, parseIp, rangeContains } from '../../core/ip.ts';
import type { FilterIndex } from '../documents/filter-index.ts';
import { type Event, eventType } from '../event.ts';
import type { Expression, Scope } from '../expr/compile.ts';

export interface WhitelistRules {
  readonly reason: string;
  readonly addresses: readonly IpAddress[];
  readonly networks: readonly IpRange[];
  readonly expressions: readonly Expression[];
  /** Which of the expressions may hold. */
  readonly index: FilterIndex;
}

export class Whitelist {
  readonly reason: string;
  private readonly expressions: readonly Expression[];
  private readonly index: FilterIndex;
  private readonly addresses: ReadonlySet<string>;
  private readonly networks: readonly IpRange[];
  private readonly listsSources: boolean;

  constructor({ reason, addresses, networks, expressions, index }: WhitelistRules) {
    this.reason = reason;
    this.expressions = expressions;
    this.index = index;
    this.addresses = new Set(addresses.map(({ text }) => text));
    // The same network twice costs twice.
    this.networks = [...new Map(networks.map((network) => [formatRange(network), network])).values()];
    this.listsSources = addresses.length + networks.length > 0;
  }

  /** Whether the event comes from a listed address or network: of an overflow, any of its sources. */
  listsSource(event: Event): boolean {
    if (!this.listsSources) return false;
    if (event.Type !== eventType.overflow) return this.lists(event.Meta.source_ip ?? '');
    for (const source in event.Overflow?.Sources) if (this.lists(source)) return true;
    return false;
  }

  /**
   * Whether an expression holds; those after it are not asked.
   * @throws ExpressionError the first that one raises.
   */
  holds(scope: Scope & { readonly evt: Event }): boolean {
    for (const position of this.index.candidates(scope.evt)) {
      if (this.expressions[position]?.evaluate(scope) === true) return true;
    }
    return false;
  }

  private lists(text: string): boolean {
    const address = text === '' ? null : parseIp(text);
    if (address === null) return false;
    if (this.addresses.has(address.text)) return true;
    for (const network of this.networks) if (rangeContains(network, address)) return true;
    return false;
  }
}

/** The event is whitelisted; of several reasons the first is kept. */
export function markWhitelisted(event: Event, reason: string): void {
  if (event.Whitelisted) return;
  event.Whitelisted = true;
  event.WhitelistReason = reason;
  if (event.Type === eventType.overflow && event.Overflow !== null) event.Overflow.Whitelisted = true;
}
