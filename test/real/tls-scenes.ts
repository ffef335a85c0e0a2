/** Two Local APIs over TLS, CrowdSec's and ours, with the same authority around them, for the same scenes. */
import type { Test } from 'tap';
import type { CertificateAuthority } from '../support/certificate-authority.ts';
import { successful, type MachineCredentials } from '../support/servers/crowdsec-folder.ts';
import { startCrowdsecLapi, type CrowdsecLapi, type CrowdsecLapiOptions } from '../support/servers/crowdsec-lapi.ts';
import { startGatewayPeer } from './gateway-peer.ts';

export interface TlsPeer {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  readonly authority: CertificateAuthority;
  /** Answers its key. */
  addBouncer(name: string): Promise<string>;
  addMachine(machineId: string): Promise<MachineCredentials>;
  /** As its administrator: `machines list` and `bouncers list` are the same with both. */
  admin(...line: readonly string[]): Promise<string>;
}

/** Who is known, as `name how`, sorted. */
export interface Callers {
  readonly machines: readonly string[];
  readonly bouncers: readonly string[];
}

export async function startCrowdsecOverTls(t: Test, authority: CertificateAuthority): Promise<TlsPeer & CrowdsecLapi> {
  const lapi = await startCrowdsecLapi(t, { tls: servedWith(authority) });
  return { ...lapi, authority, admin: async (...line) => successful(await lapi.cscli(...line)) };
}

export async function startOwnOverTls(t: Test, authority: CertificateAuthority): Promise<TlsPeer> {
  const settings = { lapi: { listen: '127.0.0.1:0', tls: servedWith(authority) } };
  const gateway = await startGatewayPeer(t, settings);
  const tls = { caFile: authority.caFile };
  return {
    url: gateway.url,
    authority,
    admin: (...line) => gateway.cli(...line),
    addBouncer: (name) => gateway.addBouncer(name),
    addMachine: async (machineId) => ({ ...(await gateway.addMachine(machineId)), tls }),
  };
}

/** The names of these settings are ours. */
function servedWith(authority: CertificateAuthority): NonNullable<CrowdsecLapiOptions['tls']> {
  return {
    ...authority.server('server'),
    crlFile: authority.crlFile,
    agentsAllowedOu: ['agents'],
    bouncersAllowedOu: ['bouncers'],
  };
}

export async function callersOf(lapi: TlsPeer): Promise<Callers> {
  const list = async (what: string): Promise<Readonly<Record<string, string>>[]> =>
    JSON.parse(await lapi.admin(what, 'list', '-o', 'json')) as Readonly<Record<string, string>>[];
  return {
    machines: (await list('machines')).map(({ machineId, auth_type }) => `${machineId} ${auth_type}`).toSorted(),
    bouncers: (await list('bouncers')).map(({ name, auth_type }) => `${name} ${auth_type}`).toSorted(),
  };
}
