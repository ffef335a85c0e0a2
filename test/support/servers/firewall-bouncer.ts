/**
 * The real `crowdsec-firewall-bouncer` 0.0.25 with nftables, in a network namespace of its own: its sets are what the kernel of
 * this machine would drop packets by, and nothing outside the namespace is touched.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientFiles } from '../certificate-authority.ts';
import { tlsSettings } from './crowdsec-folder.ts';
import { createNetworkNamespace, type NetworkNamespace } from './network-namespace.ts';
import { temporaryFolder, type ServerProcess } from './process.ts';
import { rootOfProgram } from './real-programs.ts';
import { tellOnFailure, type Telling } from './tell-on-failure.ts';

export interface FirewallBouncerOptions {
  /** `http://127.0.0.1:<port>` */
  readonly lapiUrl: string;
  /** Null: its certificate is enough. */
  readonly apiKey: string | null;
  /** Over https. */
  readonly tls?: ClientFiles;
  /** Further settings of its file, for example `origins` or `scenarios_containing`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface FirewallBouncer {
  readonly namespace: NetworkNamespace;
  /** What is in its sets, both families, sorted. Empty when its tables are not there. */
  readonly nftSet: () => Promise<readonly NftElement[]>;
  /** The addresses of these alone. */
  readonly addresses: () => Promise<readonly string[]>;
  /** Sends one datagram inside the namespace as if it came from `address`, and answers whether the firewall dropped it. */
  readonly drops: (address: string) => Promise<boolean>;
  output(): string;
  /** It removes its tables. */
  stop(): Promise<void>;
}

export interface NftElement {
  readonly value: string;
  /** Of the set: it lets go of the address after that many seconds. */
  readonly timeoutSeconds: number;
  readonly expiresSeconds: number;
}

/** Starts it and waits until it has asked for the decisions the first time. Rejects with what it logged. */
export async function startFirewallBouncer(t: Telling, options: FirewallBouncerOptions): Promise<FirewallBouncer> {
  const namespace = await createNetworkNamespace(t);
  await namespace.bringIn(Number(new URL(options.lapiUrl).port));
  const folder = await temporaryFolder(t, 'firewall-bouncer');
  const file = join(folder, 'bouncer.yaml');
  await writeFile(file, JSON.stringify(configuration(folder, options)));
  const running: ServerProcess = await namespace.start(t, {
    command: join(rootOfProgram('crowdsec-firewall-bouncer'), 'usr/bin/crowdsec-firewall-bouncer'),
    args: ['-c', file],
    cwd: folder,
    // With a certificate it tells of its exchanges in other words.
    ready: /resp-api: http|Response: HTTP/,
  });
  tellOnFailure(t, 'the firewall bouncer', () => running.output());
  const ruleset = async (): Promise<NftRuleset> =>
    JSON.parse(await namespace.run('nft', '--json', 'list', 'ruleset')) as NftRuleset;
  const nftSet = async (): Promise<readonly NftElement[]> => elementsOf(await ruleset());
  return {
    namespace,
    nftSet,
    addresses: async () => (await nftSet()).map(({ value }) => value),
    async drops(address) {
      const before = droppedPackets(await ruleset());
      await namespace.run('ip', 'address', 'replace', address, 'dev', 'lo');
      await namespace.run(process.execPath, '-e', datagramFrom(address));
      return droppedPackets(await ruleset()) > before;
    },
    output: () => running.output(),
    stop: () => running.stop(),
  };
}

/** As Debian's file has it, in the foreground and asking five times a second. JSON is YAML. */
function configuration(folder: string, { lapiUrl, apiKey, tls, settings }: FirewallBouncerOptions): object {
  return {
    mode: 'nftables',
    pid_dir: folder,
    update_frequency: '200ms',
    daemonize: false,
    log_mode: 'stdout',
    log_level: 'debug',
    api_url: `${lapiUrl}/`,
    ...(apiKey !== null && { api_key: apiKey }),
    ...tlsSettings(tls),
    disable_ipv6: false,
    deny_action: 'DROP',
    deny_log: false,
    supported_decisions_types: ['ban'],
    blacklists_ipv4: 'crowdsec-blacklists',
    blacklists_ipv6: 'crowdsec6-blacklists',
    nftables: {
      ipv4: { enabled: true, 'set-only': false, table: 'crowdsec', chain: 'crowdsec-chain' },
      ipv6: { enabled: true, 'set-only': false, table: 'crowdsec6', chain: 'crowdsec6-chain' },
    },
    prometheus: { enabled: false },
    ...settings,
  };
}

/** The parts of libnftables-json(5) that are read here. */
interface NftRuleset {
  readonly nftables: readonly {
    readonly set?: { readonly elem?: readonly NftSetElement[] };
    readonly rule?: { readonly expr: readonly { readonly counter?: { readonly packets: number } }[] };
  }[];
}

type NftSetElement =
  | string
  | { readonly elem: { readonly val: string; readonly timeout?: number; readonly expires?: number } };

function elementsOf(ruleset: NftRuleset): NftElement[] {
  return ruleset.nftables
    .flatMap(({ set }) => set?.elem ?? [])
    .map((element) => (typeof element === 'string' ? { val: element } : element.elem))
    .map(({ val, timeout = 0, expires = 0 }: { val: string; timeout?: number; expires?: number }) => ({
      value: val,
      timeoutSeconds: timeout,
      expiresSeconds: expires,
    }))
    .toSorted((one, other) => (one.value < other.value ? -1 : 1));
}

/** Every rule of the bouncer counts, then drops. */
function droppedPackets(ruleset: NftRuleset): number {
  return ruleset.nftables
    .flatMap(({ rule }) => rule?.expr ?? [])
    .reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0);
}

/** A program that ends when the datagram has been through the firewall: on the loopback, sending is receiving. */
function datagramFrom(address: string): string {
  const [family, to] = address.includes(':') ? ['udp6', '::1'] : ['udp4', '127.0.0.1'];
  return `const socket = require('node:dgram').createSocket(${JSON.stringify(family)});
    socket.bind({ address: ${JSON.stringify(address)} }, () => socket.send('x', 9, ${JSON.stringify(to)}, () => socket.close()));`;
}
