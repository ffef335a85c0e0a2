/**
 * Where another Local API is and who we are there: the settings of one, with the files that they name read. Read once at
 * start, so that a missing file is a mistake of the settings and not an outage hours later.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { GatewayError, messageOf } from '../../../core/errors.ts';

export type LapiCredentials =
  /** Of one who registers. */
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly key: string }
  /** By the client certificate alone, as a bouncer. */
  | { readonly kind: 'certificate' }
  /** A machine: with id and password, or by its certificate where these are "". */
  | { readonly kind: 'machine'; readonly machineId: string; readonly password: string };

export interface LapiTls {
  /** PEM; null for the authorities that Node knows. */
  readonly ca: string | null;
  /** PEM of the client certificate and its key, or null. */
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
  readonly isVerified: boolean;
}

export interface LapiTarget {
  /** What logs and status call it. */
  readonly name: string;
  readonly address: LapiAddress;
  readonly credentials: LapiCredentials;
  readonly tls: LapiTls;
}

export type LapiAddress =
  | { readonly kind: 'http' /** Ends with a slash. */; readonly url: string }
  | { readonly kind: 'unix'; readonly socketPath: string };

/** The settings that both sides share; see `options.ts`. */
export interface LapiTargetSettings {
  readonly name: string;
  readonly url: LapiAddress;
  readonly tls: {
    readonly caFile?: string | undefined;
    readonly certFile?: string | undefined;
    readonly keyFile?: string | undefined;
    readonly serverName?: string | undefined;
    readonly verify: boolean;
  };
}

export interface BouncerTargetSettings extends LapiTargetSettings {
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface MachineTargetSettings extends LapiTargetSettings {
  readonly machineId?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** Throws SETTINGS_UNREADABLE when a file cannot be read or is empty. */
export async function bouncerTarget(settings: BouncerTargetSettings): Promise<LapiTarget> {
  const key = settings.key ?? (await secretIn(settings.keyFile));
  const credentials: LapiCredentials = key === null ? { kind: 'certificate' } : { kind: 'key', key };
  return { name: settings.name, address: settings.url, credentials, tls: await tlsOf(settings.tls) };
}

/** Throws SETTINGS_UNREADABLE when a file cannot be read or is empty. */
export async function machineTarget(settings: MachineTargetSettings): Promise<LapiTarget> {
  const password = settings.password ?? (await secretIn(settings.passwordFile)) ?? '';
  const credentials = { kind: 'machine' as const, machineId: settings.machineId ?? '', password };
  return { name: settings.name, address: settings.url, credentials, tls: await tlsOf(settings.tls) };
}

/** What people call the place: never holds a secret. */
export function addressText(address: LapiAddress): string {
  return address.kind === 'http' ? address.url : `unix:${address.socketPath}`;
}

/** Whether keys and passwords travel in the clear over a network. */
export function isExposed(address: LapiAddress): boolean {
  if (address.kind === 'unix') return false;
  const { protocol, hostname } = new URL(address.url);
  return protocol === 'http:' && hostname !== 'localhost' && hostname !== '[::1]' && !hostname.startsWith('127.');
}

async function tlsOf(tls: LapiTargetSettings['tls']): Promise<LapiTls> {
  const [ca, cert, key] = await Promise.all([textIn(tls.caFile), textIn(tls.certFile), textIn(tls.keyFile)]);
  if (ca !== null) usable(`${tls.caFile}`, () => new X509Certificate(ca));
  if (cert !== null && key !== null) {
    usable(`${tls.certFile} with ${tls.keyFile}`, () => createSecureContext({ cert, key }));
  }
  return { ca, cert, key, serverName: tls.serverName ?? null, isVerified: tls.verify };
}

function usable(files: string, tryIt: () => unknown): void {
  try {
    tryIt();
  } catch (thrown) {
    throw new GatewayError('SETTINGS_UNREADABLE', `${files} cannot be used for TLS: ${messageOf(thrown)}`, {
      remedy: 'Certificates and keys are PEM files, and a key belongs to its certificate.',
      cause: thrown,
    });
  }
}

/** The first and only line of a file. */
async function secretIn(path: string | undefined): Promise<string | null> {
  const text = await textIn(path);
  if (text === null) return null;
  const secret = text.trim();
  if (secret !== '') return secret;
  throw new GatewayError('SETTINGS_UNREADABLE', `${path} is empty`, { remedy: 'Write the key or password into it.' });
}

async function textIn(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw new GatewayError('SETTINGS_UNREADABLE', `${path} cannot be read: ${messageOf(thrown)}`, {
      remedy: 'Check the path and that the gateway may read the file.',
      cause: thrown,
    });
  }
}
