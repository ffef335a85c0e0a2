/** `@ipMatch` and `@ipMatchFromFile`: addresses and networks of both families. ModSecurity Reference Manual, "Operators". */
import { GatewayError } from '../../../core/errors.ts';
import { type IpAddress, type IpRange, parseIp, parseRange, rangeOf } from '../../../core/ip.ts';
import { anyText, type OperatorFactory, type OperatorPlan } from './operator.ts';
import { linesOf, missingFile } from './phrases.ts';

export const ipMatch: OperatorFactory = (argument) => planOf(argument.split(',').map((part) => part.trim()));

export const ipMatchFromFile: OperatorFactory = (argument, { folder }, { readData }) => {
  const text = readData(argument, folder);
  if (text === null) throw missingFile(argument);
  return planOf(linesOf(text));
};

function planOf(written: readonly string[]): OperatorPlan {
  const ranges = new RangeTable(written.filter((part) => part !== '').map(rangeIn));
  return {
    need: { ...anyText, shortest: 2 },
    test: (text) => {
      const address = parseIp(text.value);
      return address !== null && ranges.has(address);
    },
  };
}

function rangeIn(written: string): IpRange {
  const range = parseRange(written);
  if (range !== null) return range;
  throw new GatewayError('RULES_INVALID', `${JSON.stringify(written.slice(0, 60))} is no address and no network`, {
    remedy: 'Write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32.',
  });
}

/** Networks by family and length: one look-up for each length that occurs. */
class RangeTable {
  readonly #networks = new Map<
    string,
    { readonly prefix: number; readonly version: 4 | 6; readonly texts: Set<string> }
  >();

  constructor(ranges: readonly IpRange[]) {
    for (const { address, prefix } of ranges) {
      const key = `${address.version}/${prefix}`;
      let same = this.#networks.get(key);
      if (same === undefined) {
        same = { prefix, version: address.version, texts: new Set() };
        this.#networks.set(key, same);
      }
      same.texts.add(address.text);
    }
  }

  has(address: IpAddress): boolean {
    for (const { prefix, version, texts } of this.#networks.values()) {
      if (version === address.version && texts.has(rangeOf(address, prefix).address.text)) return true;
    }
    return false;
  }
}
