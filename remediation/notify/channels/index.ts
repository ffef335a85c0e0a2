/** The channels that there are. A new one is a file in this folder and a line here. */
import type { ChannelType } from './channel.ts';
import { emailChannel } from './email-channel.ts';
import { fileChannel } from './file-channel.ts';
import { httpChannel } from './http-channel.ts';
import { sentinelChannel } from './sentinel-channel.ts';
import { slackChannel } from './slack-channel.ts';
import { splunkChannel } from './splunk-channel.ts';
import { syslogChannel } from './syslog-channel.ts';

export const channelTypes: readonly ChannelType[] = [
  emailChannel,
  fileChannel,
  httpChannel,
  sentinelChannel,
  slackChannel,
  splunkChannel,
  syslogChannel,
];
