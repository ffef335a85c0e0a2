/**
 * The whole schema, from the fragments that each floor brings, and the one way to load it. Checks that concern several keys
 * are here; they run even when single keys are wrong, so that all mistakes show at once.
 */
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { loadSettings } from '../config/load.ts';
import { redact } from '../config/redact.ts';
import { inputSchemaOf } from '../config/setting-keys.ts';
import { parseRange } from '../core/ip.ts';
import { acquisitionOptions } from '../detectors/acquisition/options.ts';
import { hubOptions } from '../detectors/hub/options.ts';
import { detectionOptions, geoipOptions } from '../detectors/options.ts';
import { wafOptions } from '../detectors/waf/options.ts';
import { agentOptions, bouncerOptions } from '../remediation/lapi/client/options.ts';
import { lapiOptions } from '../remediation/lapi/options.ts';
import { notificationOptions } from '../remediation/notify/options.ts';
import { remediationOptions } from '../remediation/options.ts';
import { storeOptions } from '../remediation/store/options.ts';
import { appsecOptions } from './appsec/options.ts';
import { forwardAuthOptions } from './forward-auth/options.ts';
import {
  accessLogOptions,
  adminOptions,
  clientOptions,
  dataDirOption,
  limitsOptions,
  listenerOptions,
  logOptions,
  upstreamOptions,
} from './options.ts';

export const settingsSchema = z
  .strictObject({
    ...listenerOptions,
    client: clientOptions,
    limits: limitsOptions,
    upstream: upstreamOptions,
    admin: adminOptions,
    dataDir: dataDirOption,
    store: storeOptions.prefault({}).describe('Where decisions and alerts are kept.'),
    detection: detectionOptions,
    acquisition: acquisitionOptions,
    hub: hubOptions,
    waf: wafOptions,
    appsec: appsecOptions,
    forwardAuth: forwardAuthOptions,
    lapi: lapiOptions,
    bouncer: bouncerOptions,
    agent: agentOptions,
    remediation: remediationOptions,
    notifications: notificationOptions,
    geoip: geoipOptions,
    accessLog: accessLogOptions,
    log: logOptions,
  })
  .superRefine(checkTogether, { when: () => true });

type SchemaSettings = z.output<typeof settingsSchema>;

/** The settings as the gateway uses them: every path that follows from `dataDir` is filled in and absolute. */
export type Settings = Omit<SchemaSettings, 'dataDir' | 'admin' | 'detection'> & {
  readonly dataDir: string;
  readonly admin: Omit<SchemaSettings['admin'], 'socket'> & { readonly socket: string };
  readonly detection: Omit<SchemaSettings['detection'], 'dataFolder'> & { readonly dataFolder: string };
};

export interface SettingsRequest {
  /** The value of `--config`, or null: then `PORTCULLIS_CONFIG`, else `portcullis.yaml` if it is there. */
  readonly configFile: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Runs from `build/`, not from a checkout: data is kept in `/var/lib/portcullis`. */
  readonly installed: boolean;
  readonly readFile: (path: string) => string;
}

export interface ReadSettings {
  readonly settings: Settings;
  /** The settings file, absolute; it need not exist. */
  readonly file: string;
  /** Where each key was set that is not at its default. */
  readonly sources: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/** Raises a `SettingsError` that holds every mistake. */
export function readSettings({ configFile, env, cwd, installed, readFile }: SettingsRequest): ReadSettings {
  const named = configFile ?? (env.PORTCULLIS_CONFIG || null);
  const file = named ?? 'portcullis.yaml';
  const { settings, sources, warnings } = loadSettings(settingsSchema, {
    file,
    required: named !== null,
    env,
    readFile: (path) => readFile(resolve(cwd, path)),
    base: resolve(cwd, file, '..'),
    aliases: { ORIGIN: 'PORTCULLIS_ORIGIN', CS_LAPI_SECRET: 'PORTCULLIS_LAPI_SECRET' },
    reserved: ['PORTCULLIS_CONFIG', 'PORTCULLIS_SUITES'],
  });
  const dataDir = settings.dataDir ?? (installed ? '/var/lib/portcullis' : resolve(cwd, 'data'));
  const { admin, detection, store } = settings;
  const complete: Settings = {
    ...settings,
    dataDir,
    admin: Object.freeze({ ...admin, socket: admin.socket ?? join(dataDir, 'admin.sock') }),
    detection: Object.freeze({ ...detection, dataFolder: detection.dataFolder ?? join(dataDir, 'scenario-data') }),
    store: sources.has('store.file') ? store : Object.freeze({ ...store, file: join(dataDir, 'store.db') }),
  };
  return {
    settings: Object.freeze(complete),
    file: resolve(cwd, file),
    sources,
    warnings: [...warnings, ...cautions(complete)],
  };
}

/** Settings for a screen or a support bundle: secrets are replaced. */
export function redactedSettings(settings: object): unknown {
  return redact(settings, inputSchemaOf(settingsSchema)).value;
}

/** The secrets themselves, for whoever must keep them out of other texts. */
export function secretsOf(settings: object): readonly string[] {
  return redact(settings, inputSchemaOf(settingsSchema)).secrets;
}

/** What is allowed and yet probably not meant. */
function cautions({ client, lapi, mode, origin, unknownHost, sites }: Settings): string[] {
  const everyone = client.trustedProxies.filter((text) => parseRange(text)?.prefix === 0);
  const warnings = everyone.map((text) => `client.trustedProxies holds ${text}: every client can claim any address`);
  if (lapi.trustedProxies.some((text) => parseRange(text)?.prefix === 0)) {
    warnings.push(
      'lapi.trustedProxies holds every address: every client of the Local API can claim to be any, and delete alerts',
    );
  }
  if (mode === 'observe') warnings.push('mode is observe: nothing is blocked');
  if (origin === null && sites.length > 0 && unknownHost === 'default') {
    warnings.push('origin is not set: a Host that no site claims is answered 421');
  }
  return warnings;
}

type Context = z.core.$RefinementCtx;

/** Sees settings in which single keys may still be wrong, so it takes nothing for granted. */
function checkTogether(settings: unknown, context: Context): void {
  if (!isRecord(settings)) return;
  const sites = Array.isArray(settings.sites) ? settings.sites : [];
  const serves = [settings.forwardAuth, settings.appsec, settings.lapi].some(
    (part) => isRecord(part) && (part.listen ?? null) !== null,
  );
  const concerned = context.issues.some(({ path }) => path?.[0] === 'origin' || path?.[0] === 'sites');
  if ((settings.origin ?? null) === null && sites.length === 0 && !concerned && !serves) {
    fault(
      context,
      ['origin'],
      'nothing to protect: set `origin: http://127.0.0.1:3000`, the variable ORIGIN, or `sites`',
    );
  }
  checkHosts(sites, context);
  checkListeners(settings, context);
}

/** Places that may listen, in the order in which they claim a port. */
const listeners = [
  ['listen'],
  ['admin', 'listen'],
  ['appsec', 'listen'],
  ['forwardAuth', 'listen'],
  ['lapi', 'listen'],
] as const;

function checkListeners(settings: Readonly<Record<string, unknown>>, context: Context): void {
  const claimed: { readonly key: string; readonly listen: Readonly<Record<string, unknown>> }[] = [];
  for (const path of listeners) {
    const listen = path.reduce<unknown>((value, step) => (isRecord(value) ? value[step] : null), settings);
    if (!isRecord(listen)) continue;
    const other = claimed.find((earlier) => overlap(earlier.listen, listen));
    if (other !== undefined) fault(context, [...path], `\`${other.key}\` has the same port: choose another`);
    claimed.push({ key: path.join('.'), listen });
  }
}

function checkHosts(sites: readonly unknown[], context: Context): void {
  const claimed = new Map<string, number>();
  for (const [siteIndex, site] of sites.entries()) {
    const hosts: readonly unknown[] = isRecord(site) && Array.isArray(site.hosts) ? site.hosts : [];
    for (const [hostIndex, host] of hosts.entries()) {
      if (typeof host !== 'string') continue;
      const earlier = claimed.get(host);
      if (earlier === undefined) claimed.set(host, siteIndex);
      else fault(context, ['sites', siteIndex, 'hosts', hostIndex], `${host} is already a host of sites[${earlier}]`);
    }
  }
}

function fault(context: Context, path: PropertyKey[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

function overlap(left: Readonly<Record<string, unknown>>, right: Readonly<Record<string, unknown>>): boolean {
  if (left.socketPath !== undefined) return left.socketPath === right.socketPath;
  const sameHost = left.host === right.host || left.host === null || right.host === null;
  return left.port === right.port && left.port !== 0 && sameHost;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
