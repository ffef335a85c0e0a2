/**
 * `Notifier`: tells people about alerts. Listens to what is published, hands each alert to the channels that its profiles
 * name, and never makes anybody wait: every channel has its own bounded queue and its own pace.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { Publication } from '../exchange/publish.ts';
import { alertsView, type NotifiedAlert } from './alert-template-view.ts';
import { ChannelQueue, type ChannelStatus } from './channel-queue.ts';
import type { NotificationDocument } from './notification-documents.ts';
import type { TemplateRuntime } from './templates/render-context.ts';
import { createZones } from './templates/time-zone.ts';

export interface Notifier {
  /** For `publisher.listen`. Never throws and never waits. */
  notify(publication: Publication): void;
  /** Sends one alert at once and once, for `notifications test`. Rejects with what the channel or the template says. */
  test(name: string, alert: NotifiedAlert): Promise<void>;
  /**
   * Sends alerts again, grouped and retried like new ones, ahead of no one. Resolves when all are delivered; rejects when
   * one message was given up.
   */
  send(name: string, alerts: readonly NotifiedAlert[]): Promise<void>;
  /** What a channel's template makes of alerts. @throws GatewayError TEMPLATE_INVALID, NOTIFICATION_FAILED for an unknown name. */
  render(name: string, alerts: readonly NotifiedAlert[]): string;
  /** In the order of the documents. */
  status(): readonly ChannelStatus[];
  /** Sends what waits, without waiting for groups to fill, at most `graceMs`; the rest is counted as dropped. Safe twice. */
  close(graceMs?: number): Promise<void>;
}

export interface NotifierOptions extends Runtime {
  readonly documents: readonly NotificationDocument[];
  /** The machine of alerts that this gateway noticed itself. */
  readonly gatewayName: string;
  readonly hostname: string;
  /** The IANA name of the zone that templates call Local. */
  readonly localZone: string;
  /** Alerts that wait for one channel at most. */
  readonly maxQueued?: number;
}

/** @throws GatewayError NOTIFICATION_INVALID when a channel names a file that cannot be read. */
export function createNotifier(options: NotifierOptions): Notifier {
  const { documents, clock, random, log, hostname, localZone, gatewayName, maxQueued = 1_000 } = options;
  const runtime: TemplateRuntime = { clock, random, hostname, zones: createZones(localZone) };
  const queues = new Map<string, ChannelQueue>();
  for (const document of documents) {
    // A document can make its channel quieter than the gateway, not louder.
    const level = severity(log, document.logLevel) > severity(log, log.level) ? document.logLevel : log.level;
    const own = log.child({ notification: document.name }, { level });
    const context = { clock, random, log: own, name: document.name, hostname, timeoutMs: document.timeoutMs };
    queues.set(
      document.name,
      new ChannelQueue({
        document,
        channel: document.open(context),
        render: (alerts) => document.template.render(alertsView(alerts, gatewayName), runtime),
        maxQueued,
        clock,
        random,
        log: own,
      }),
    );
  }

  const queueOf = (name: string): ChannelQueue => {
    const queue = queues.get(name);
    if (queue !== undefined) return queue;
    const known = [...queues.keys()].join(', ');
    throw new GatewayError('NOTIFICATION_FAILED', `there is no notification ${name}`, {
      remedy: known === '' ? 'The notifications folder defines none.' : `There are: ${known}.`,
    });
  };
  /** Names that were complained about: one line each, however many alerts follow. */
  const complained = new Set<string>();

  return {
    notify({ alert, decisions, matched }) {
      // Several profiles may name one channel; people want to hear of an alert once.
      const names = new Set(matched.flatMap(({ notifications }) => notifications));
      for (const name of names) {
        const queue = queues.get(name);
        if (queue !== undefined) queue.add({ alert, decisions });
        else if (complained.size < 100 && !complained.has(name)) {
          complained.add(name);
          log.warn({ notification: name }, 'a profile names a notification that no file defines');
        }
      }
    },
    async test(name, alert) {
      await queueOf(name).deliverOnce([alert]);
    },
    async send(name, alerts) {
      await queueOf(name).resend(alerts);
    },
    render: (name, alerts) => queueOf(name).render(alerts),
    status: () => [...queues.values()].map((queue) => queue.status()),
    async close(graceMs = 5_000) {
      await Promise.all([...queues.values()].map((queue) => queue.close(graceMs)));
    },
  };
}

function severity({ levels }: Log, level: string): number {
  return levels.values[level] ?? Number.POSITIVE_INFINITY;
}
