/** A Slack webhook. Keys: CrowdSec's `slack` plugin. The webhook's path is its secret. */
import * as z from 'zod';
import { channelType } from './channel.ts';
import { postMessage, readTlsFiles } from './post-message.ts';
import { httpUrl, lineText } from './setting-types.ts';

const settings = z.strictObject({
  webhook: httpUrl(),
  channel: lineText().optional(),
  username: lineText().optional(),
  icon_emoji: lineText().optional(),
  icon_url: lineText().optional(),
});

export const slackChannel = channelType(
  'slack',
  settings,
  ({ webhook, channel, username, icon_emoji: iconEmoji, icon_url: iconUrl }) => {
    const tls = readTlsFiles({ skipVerification: false });
    return {
      async send(text, signal) {
        await postMessage({
          url: webhook,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          // Absent ones are left out by JSON.
          body: JSON.stringify({ text, channel, username, icon_emoji: iconEmoji, icon_url: iconUrl }),
          tls,
          signal,
          secrets: [webhook.pathname.slice(1)],
        });
      },
    };
  },
  ({ webhook }) => [webhook.pathname.slice(1)],
);
