/**
 * Writes small MaxMind databases for tests: https://maxmind.github.io/MaxMind-DB/, format 2.0 with 24-bit records. Data are
 * maps, texts, booleans, unsigned integers and doubles (any number with a fraction); no pointers, so equal records repeat.
 */
import { parseRange } from '../../core/ip.ts';

export type MmdbValue = string | number | boolean | { readonly [key: string]: MmdbValue };

export interface MmdbOptions {
  readonly databaseType: string;
  /** 4 holds IPv4 networks only; 6 holds both, IPv4 in the first 2^32 addresses. */
  readonly ipVersion: 4 | 6;
  /** CIDR text to record. A network inside another must come after it. */
  readonly networks: Readonly<Record<string, MmdbValue>>;
}

/** A record of the tree: another node, the offset of data, or nothing. */
type TreeRecord = { readonly node: TreeNode } | { readonly data: number } | null;
type TreeNode = [TreeRecord, TreeRecord];

export function writeMmdb({ databaseType, ipVersion, networks }: MmdbOptions): Buffer {
  const root: TreeNode = [null, null];
  const data: Buffer[] = [];
  let dataBytes = 0;
  for (const [cidr, value] of Object.entries(networks)) {
    insert(root, networkBits(cidr, ipVersion), dataBytes);
    const encoded = encode(value);
    data.push(encoded);
    dataBytes += encoded.length;
  }
  const nodes: TreeNode[] = [];
  const numbers = new Map<TreeNode, number>();
  collect(root, nodes, numbers);
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [index, node] of nodes.entries()) {
    for (const side of [0, 1] as const) {
      const record = node[side];
      let value = nodes.length;
      if (record !== null) value = 'node' in record ? (numbers.get(record.node) ?? 0) : nodes.length + 16 + record.data;
      tree.writeUIntBE(value, index * 6 + side * 3, 3);
    }
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_767_225_600,
    database_type: databaseType,
    description: { en: 'test' },
    ip_version: ipVersion,
    node_count: nodes.length,
    record_size: 24,
  });
  const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com', 'latin1')]);
  return Buffer.concat([tree, Buffer.alloc(16), ...data, marker, metadata]);
}

/** The leading bits of a network as its place in the tree. */
function networkBits(cidr: string, ipVersion: 4 | 6): number[] {
  const range = parseRange(cidr);
  if (range === null) throw new Error(`${cidr} is not a network`);
  const { version, w0, w1, w2, w3 } = range.address;
  const words = version === 4 ? [w0] : [w0, w1, w2, w3];
  if (version === 6 && ipVersion === 4) throw new Error(`${cidr} does not fit an IPv4 database`);
  const bits = words.flatMap((word) => Array.from({ length: 32 }, (_, index) => (word >>> (31 - index)) & 1));
  const lead = version === 4 && ipVersion === 6 ? Array.from({ length: 96 }, () => 0) : [];
  return [...lead, ...bits.slice(0, range.prefix)];
}

function insert(root: TreeNode, bits: readonly number[], data: number): void {
  let node = root;
  for (const [index, bit] of bits.entries()) {
    const side = bit === 0 ? 0 : 1;
    if (index === bits.length - 1) {
      node[side] = { data };
      return;
    }
    const record = node[side];
    if (record !== null && 'node' in record) node = record.node;
    else {
      // A wider network is split: both halves keep its record until one is overwritten.
      const child: TreeNode = [record, record];
      node[side] = { node: child };
      node = child;
    }
  }
}

function collect(node: TreeNode, nodes: TreeNode[], numbers: Map<TreeNode, number>): void {
  numbers.set(node, nodes.length);
  nodes.push(node);
  for (const record of node) if (record !== null && 'node' in record) collect(record.node, nodes, numbers);
}

const typeNumber = { string: 2, double: 3, uint32: 6, map: 7, boolean: 14 } as const;

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value, 'utf8');
    return Buffer.concat([control(typeNumber.string, text.length), text]);
  }
  if (typeof value === 'boolean') return control(typeNumber.boolean, value ? 1 : 0);
  if (typeof value === 'number') return encodeNumber(value);
  const parts = Object.entries(value).flatMap(([key, member]) => [encode(key), encode(member)]);
  return Buffer.concat([control(typeNumber.map, parts.length / 2), ...parts]);
}

function encodeNumber(value: number): Buffer {
  if (Number.isInteger(value) && value >= 0) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(typeNumber.uint32, 4), bytes]);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Buffer.concat([control(typeNumber.double, 8), bytes]);
}

/** The control byte, with the extended type and the longer sizes where they are needed. */
function control(type: number, size: number): Buffer {
  const extended = type > 7;
  const head = extended ? 0 : type << 5;
  const tail = extended ? [type - 7] : [];
  if (size < 29) return Buffer.from([head | size, ...tail]);
  if (size < 285) return Buffer.from([head | 29, ...tail, size - 29]);
  if (size < 65_821) return Buffer.from([head | 30, ...tail, (size - 285) >> 8, (size - 285) & 255]);
  throw new Error('a value of a test database is longer than 65 820 bytes');
}
