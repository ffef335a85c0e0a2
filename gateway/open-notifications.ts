/** Whom alerts are told, put together from the notifications folder and the profiles that name what it defines. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Runtime } from '../core/runtime.ts';
import { checkNotificationNames } from '../remediation/notify/check-notification-names.ts';
import type { ChannelStatus } from '../remediation/notify/channel-queue.ts';
import { loadNotificationDocuments } from '../remediation/notify/notification-documents.ts';
import { createNotifier } from '../remediation/notify/notifier.ts';
import type { ProfileDocument } from '../remediation/decider/profile-documents.ts';
import type { Profiles } from '../remediation/decider/profiles.ts';
import type { Publisher } from '../remediation/exchange/publish.ts';
import type { NotificationDesk } from './admin/dependencies.ts';
import type { NotificationModel } from './admin/operator-models.ts';
import type { Settings } from './settings.ts';

export interface OpenedNotifications {
  /** Null: no file defines a notification. */
  readonly desk: NotificationDesk | null;
  /** Sends what waits. */
  close(): Promise<void>;
}

export interface NotificationParts extends Runtime {
  readonly publisher: Pick<Publisher, 'listen'>;
  readonly profiles: Pick<Profiles, 'evaluate'>;
  readonly profileDocuments: readonly ProfileDocument[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly gatewayName: string;
}

/** @throws GatewayError NOTIFICATION_INVALID with every mistake in the folder. */
export async function openNotifications(
  { notifications, dataDir }: Pick<Settings, 'notifications' | 'dataDir'>,
  parts: NotificationParts,
): Promise<OpenedNotifications> {
  const { publisher, profiles, profileDocuments, env, log } = parts;
  const documents = await loadNotificationDocuments(notifications.folder ?? join(dataDir, 'notifications'), env);
  const unknown = checkNotificationNames(profileDocuments, documents);
  if (unknown !== null) log.warn({}, unknown);
  if (documents.length === 0) return { desk: null, close: () => Promise.resolve() };
  const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const notifier = createNotifier({ ...parts, documents, hostname: hostname(), localZone });
  const unlisten = publisher.listen((publication) => notifier.notify(publication));
  return {
    desk: {
      status: () => notifier.status().map((status) => modelOf(status, profileDocuments)),
      test: (name, alert, decisions) => notifier.test(name, { alert, decisions }),
      reinject(alert, decisions) {
        const { matched } = profiles.evaluate(alert);
        notifier.notify({ alert, decisions, matched });
        const named = new Set(matched.flatMap(({ notifications }) => notifications));
        return documents.map(({ name }) => name).filter((name) => named.has(name));
      },
    },
    async close() {
      unlisten();
      await notifier.close();
    },
  };
}

function modelOf(status: ChannelStatus, profiles: readonly ProfileDocument[]): NotificationModel {
  const { name, type, queued, sent, failed, dropped, lastError } = status;
  return {
    name,
    type,
    profiles: profiles.filter(({ notifications }) => notifications?.includes(name)).map((profile) => profile.name),
    waiting: queued,
    sent,
    failed: failed + dropped,
    last_error: lastError,
  };
}
