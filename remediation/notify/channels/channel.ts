/**
 * `Channel`: one way to deliver the text of a notification. A channel type brings the keys of its documents; whatever it
 * says about a failure is shown to people, so secrets stay out of it.
 */
import type * as z from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime.ts';

export interface Channel {
  /** Resolves when the other side has accepted the text. Rejects with a `GatewayError` NOTIFICATION_FAILED. */
  send(text: string, signal: AbortSignal): Promise<void>;
}

export interface ChannelContext extends Runtime {
  /** The document's name, for messages. */
  readonly name: string;
  readonly hostname: string;
  readonly timeoutMs: number;
}

export interface ChannelIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export type ReadChannel =
  | { readonly open: (context: ChannelContext) => Channel; readonly secrets: readonly string[] }
  | { readonly issues: readonly ChannelIssue[] };

export interface ChannelType {
  /** What `type:` of a document says. */
  readonly type: string;
  /** The keys of its own, besides those that every document has. */
  readonly keys: readonly string[];
  /** Reads the keys of its own. Scalars are texts as written. */
  read(values: Readonly<Record<string, unknown>>): ReadChannel;
}

/** `secretsOf` names the settings that no message may repeat. */
export function channelType<Settings extends z.ZodObject>(
  type: string,
  settings: Settings,
  open: (settings: z.output<Settings>, context: ChannelContext) => Channel,
  secretsOf: (settings: z.output<Settings>) => readonly string[] = () => [],
): ChannelType {
  return {
    type,
    keys: Object.keys(settings.shape),
    read(values) {
      const parsed = settings.safeParse(values);
      if (!parsed.success) return { issues: parsed.error.issues };
      return { open: (context) => open(parsed.data, context), secrets: secretsOf(parsed.data) };
    },
  };
}

export class DeliveryError extends GatewayError {
  /** How long the other side asks to wait before the next attempt, or null. */
  readonly retryAfterMs: number | null;

  constructor(message: string, remedy: string, retryAfterMs: number | null = null) {
    super('NOTIFICATION_FAILED', message, { remedy });
    this.name = 'DeliveryError';
    this.retryAfterMs = retryAfterMs;
  }
}

/** Shorter ones would be found in every word. */
const shortestSecret = 4;

/** The text without what must not be repeated, short enough for a line. */
export function shownText(text: string, secrets: readonly string[]): string {
  const clean = secrets
    .filter((secret) => secret.length >= shortestSecret)
    .reduce((out, secret) => out.replaceAll(secret, '[redacted]'), text);
  const line = clean.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
