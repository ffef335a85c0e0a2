/** Whether the channels that profiles name exist: a misspelt one would stay silent at the first attack. */
import { closest } from '../../config/closest.ts';
import type { ProfileDocument } from '../decider/profile-documents.ts';
import type { NotificationDocument } from './notification-documents.ts';

/** One sentence for all names that are unknown, or null when there are none. */
export function checkNotificationNames(
  profiles: readonly Pick<ProfileDocument, 'name' | 'notifications'>[],
  documents: readonly Pick<NotificationDocument, 'name'>[],
): string | null {
  const known = documents.map(({ name }) => name);
  const unknown = new Map<string, string[]>();
  for (const { name: profile, notifications } of profiles) {
    for (const name of new Set(notifications ?? [])) {
      if (!known.includes(name)) unknown.set(name, [...(unknown.get(name) ?? []), profile]);
    }
  }
  if (unknown.size === 0) return null;
  const each = [...unknown].map(([name, names]) => {
    const near = closest(name, known);
    return `${name} (profile ${names.join(', ')}${near === null ? '' : `; is ${near} meant?`})`;
  });
  return `profiles name notifications that no file of the notifications folder defines: ${each.join(', ')}`;
}
