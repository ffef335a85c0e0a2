/**
 * Connections to Redis for the store: how the settings become options of ioredis, what its failures mean, and a client that
 * fails at once instead of queueing while Redis is away. ioredis is loaded here, when a store is made, and nowhere else.
 */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import type { Redis, RedisOptions } from 'ioredis';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { RedisStoreOptions } from './options.ts';
import { storeKeys, type RedisScript } from './redis-script.ts';

/** As the constructor takes them: with `replyMapping` it cannot tell which types replies have. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

const firstReconnectMs = 50;
const longestReconnectMs = 5_000;
/** How long a follower waits for news before it looks whether the history is still the same. */
const blockMs = 1_000;
/** Commands that may wait for their answers at once. */
const maxUnderWay = 1_000;

export interface RedisConnectionEvents {
  onReady(): void;
  onFault(error: GatewayError): void;
}

export class RedisConnection {
  readonly #options: RedisStoreOptions;
  readonly #runtime: Runtime;
  readonly #redis: Redis;
  readonly #keys: string[];
  readonly #events: RedisConnectionEvents;
  #underWay = 0;
  #reachedOnce = false;

  constructor(redis: Redis, options: RedisStoreOptions, runtime: Runtime, events: RedisConnectionEvents) {
    this.#redis = redis;
    this.#options = options;
    this.#runtime = runtime;
    this.#events = events;
    this.#keys = storeKeys(options.prefix);
    redis.on('ready', () => {
      this.#reachedOnce = true;
      events.onReady();
      void this.#warnOfEviction();
    });
    // ioredis tells why a connection failed here, and reconnects by itself.
    redis.on('error', (error: unknown) => events.onFault(this.#errorOf(error)));
    redis.on('close', () => {
      if (this.#reachedOnce) events.onFault(this.#away('the connection to Redis was closed'));
    });
  }

  get ready(): boolean {
    return this.#redis.status === 'ready';
  }

  /** Runs a script; rejects with a GatewayError, at once while Redis is away. */
  async run(script: RedisScript, args: readonly (string | number)[]): Promise<unknown> {
    if (!this.ready) throw this.#away('Redis does not answer');
    if (this.#underWay >= maxUnderWay) throw this.#away(`Redis is ${maxUnderWay} commands behind`);
    this.#underWay += 1;
    try {
      return await this.#evaluate(script, args);
    } catch (error) {
      const fault = this.#errorOf(error);
      this.#events.onFault(fault);
      throw fault;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** A connection of its own, since waiting for news occupies one. Free it with `close`. */
  waiter(): RedisWaiter {
    // A follower's connection connects when it first waits, and its errors are those of the main one.
    const redis = this.#redis.duplicate({ blockingTimeout: blockMs + this.#options.commandTimeout, lazyConnect: true });
    redis.on('error', () => undefined);
    return new RedisWaiter(redis, this.#runtime, this.#options.commandTimeout);
  }

  /** Resolves when Redis answers or the first attempt failed, whichever is first. */
  async connect(): Promise<void> {
    try {
      await this.#redis.connect();
    } catch {
      // Reported by the `error` event; ioredis goes on trying.
    }
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #evaluate(script: RedisScript, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(script.sha, this.#keys.length, ...this.#keys, ...args);
    } catch (error) {
      if (messageOf(error).startsWith('NOSCRIPT')) {
        return await this.#redis.eval(script.lua, this.#keys.length, ...this.#keys, ...args);
      }
      // Later answers on a connection that stalls would only pile up; a new one is quicker than TCP giving up.
      if (messageOf(error) === 'Command timed out') this.#redis.disconnect(true);
      throw error;
    }
  }

  /** Redis evicts whole keys, and ours hold all decisions each. */
  async #warnOfEviction(): Promise<void> {
    try {
      const policy = /^maxmemory_policy:(\S+)/m.exec(await this.#redis.info('memory'))?.[1] ?? '';
      if (!policy.startsWith('allkeys')) return;
      this.#runtime.log.warn(
        { policy },
        'redis evicts keys when memory is short and may forget decisions: use noeviction',
      );
    } catch {
      // A user that may not ask for INFO, or a connection that broke at once.
    }
  }

  #away(message: string, cause?: unknown): GatewayError {
    return new GatewayError('STORE_UNAVAILABLE', message, {
      remedy: 'Check that Redis runs and store.redis is right. The last known decisions go on being enforced.',
      cause,
    });
  }

  #errorOf(error: unknown): GatewayError {
    const text = messageOf(error);
    if (text.startsWith('OOM ') || text.startsWith('MISCONF ')) {
      const remedy = 'Give Redis more memory or disk, or shorten store.retention.';
      return new GatewayError('STORE_FULL', 'Redis refuses to store more', { remedy, cause: error });
    }
    if (/^(?:WRONGPASS|NOAUTH|NOPERM|ERR AUTH)\b/.test(text)) {
      const remedy = 'Check store.redis.username, store.redis.password and the ACL of the user.';
      return new GatewayError('STORE_UNAVAILABLE', 'Redis refuses the user or the password', { remedy, cause: error });
    }
    if (text === 'Command timed out')
      return this.#away(`Redis did not answer within ${this.#options.commandTimeout} ms`, error);
    return this.#away('Redis does not answer', error);
  }
}

/** Waits for news in the stream. */
export class RedisWaiter {
  readonly #redis: Redis;
  readonly #runtime: Runtime;
  readonly #graceMs: number;

  constructor(redis: Redis, runtime: Runtime, graceMs: number) {
    this.#redis = redis;
    this.#runtime = runtime;
    this.#graceMs = graceMs;
  }

  /** Resolves when an entry follows `after`, after about a second without one, or when Redis is away. Never rejects. */
  async wait(key: string, after: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#runtime;
    const startedAt = clock.monotonic();
    try {
      if (this.#redis.status === 'wait') await this.#redis.connect();
      await this.#redis.xread('COUNT', 1, 'BLOCK', blockMs, 'STREAMS', key, `${after}-0`);
    } catch {
      await clock.sleep(firstReconnectMs, signal);
      return;
    }
    // No answer although Redis promised one: the connection is as good as dead.
    if (clock.monotonic() - startedAt > blockMs + this.#graceMs) this.#redis.disconnect(true);
  }

  close(): void {
    this.#redis.disconnect();
  }
}

/** Makes the client. Throws SETTINGS_INVALID or SETTINGS_UNREADABLE; that Redis is away is no error. */
export async function openRedis(
  options: RedisStoreOptions,
  runtime: Runtime,
  events: RedisConnectionEvents,
): Promise<RedisConnection> {
  const clientOptions = await redisClientOptions(options, runtime);
  const { Redis } = await import('ioredis');
  const connection = new RedisConnection(new Redis(clientOptions), options, runtime, events);
  await connection.connect();
  return connection;
}

async function redisClientOptions(options: RedisStoreOptions, runtime: Runtime): Promise<ClientOptions> {
  const { random } = runtime;
  return {
    ...(await addressOf(options)),
    lazyConnect: true,
    // RESP2: every server and proxy speaks it.
    protocol: 2,
    connectionName: 'portcullis',
    enableOfflineQueue: false,
    // A write that was sent when the connection broke may have happened: it is for the caller to repeat it.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: options.connectTimeout,
    commandTimeout: options.commandTimeout,
    retryStrategy: (times) =>
      Math.min(firstReconnectMs * 2 ** Math.min(times, 20), longestReconnectMs) * (0.5 + random.fraction() / 2),
  };
}

/** Where and as whom. The URL may hold a password, so it is never part of a message. */
async function addressOf(options: RedisStoreOptions): Promise<RedisOptions> {
  const explicit = {
    ...(options.username !== undefined && { username: options.username }),
    ...(options.password !== undefined && { password: options.password }),
  };
  if (options.url.startsWith('unix:')) return { path: options.url.slice('unix:'.length), ...explicit };
  const url = URL.parse(options.url);
  const db = /^\/?(\d{0,5})$/.exec(url?.pathname ?? '');
  const [username, password] = [decoded(url?.username), decoded(url?.password)];
  if (
    !url ||
    !/^rediss?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !db ||
    username === null ||
    password === null
  ) {
    throw new GatewayError('SETTINGS_INVALID', 'store.redis.url is not the address of a Redis server', {
      remedy: 'Write it as redis://host:6379/0, rediss://host:6380 (TLS) or unix:/run/redis.sock.',
    });
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(db[1] ?? 0),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...explicit,
    ...(url.protocol === 'rediss:' && { tls: await tlsOf(options.tls) }),
  };
}

/** Null when the text has a percent sign that begins no code. */
function decoded(text = ''): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

async function tlsOf(tls: RedisStoreOptions['tls']): Promise<ConnectionOptions> {
  const read = async (path: string): Promise<string> => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw new GatewayError('SETTINGS_UNREADABLE', `${path} of store.redis.tls cannot be read: ${messageOf(error)}`, {
        remedy: 'Check the path and its permissions.',
        cause: error,
      });
    }
  };
  return {
    ...(tls.caFile !== undefined && { ca: await read(tls.caFile) }),
    ...(tls.certFile !== undefined && { cert: await read(tls.certFile) }),
    ...(tls.keyFile !== undefined && { key: await read(tls.keyFile) }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  };
}
