/**
 * Microsoft Sentinel: the data collector of a Log Analytics workspace, signed with its shared key. Keys: CrowdSec's
 * `sentinel` plugin, and `url` for the clouds of other countries and for proxies.
 */
import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { channelType } from './channel.ts';
import { postMessage, readTlsFiles } from './post-message.ts';
import { httpUrl, lineText } from './setting-types.ts';

const settings = z.strictObject({
  customer_id: lineText(128).regex(/^[0-9A-Za-z-]+$/, { error: 'expected the id of a workspace' }),
  shared_key: lineText().regex(/^[A-Za-z0-9+/]+={0,2}$/, { error: 'expected a key in base64' }),
  log_type: lineText(100).regex(/^[A-Za-z0-9_]+$/, { error: 'expected letters, digits and _' }),
  url: httpUrl().optional(),
});

const resource = '/api/logs';

export const sentinelChannel = channelType(
  'sentinel',
  settings,
  ({ customer_id: id, shared_key: key, log_type: logType, url }, { clock }) => {
    const tls = readTlsFiles({ skipVerification: false });
    const target = new URL(`${resource}?api-version=2016-04-01`, url ?? `https://${id}.ods.opinsights.azure.com`);
    return {
      async send(body, signal) {
        const date = new Date(clock.now()).toUTCString();
        const signed = `POST\n${Buffer.byteLength(body)}\napplication/json\nx-ms-date:${date}\n${resource}`;
        const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(signed, 'utf8').digest('base64');
        await postMessage({
          url: target,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'log-type': logType,
            authorization: `SharedKey ${id}:${signature}`,
            'x-ms-date': date,
          },
          body,
          tls,
          signal,
          secrets: [key, signature],
        });
      },
    };
  },
  ({ shared_key: key }) => [key],
);
