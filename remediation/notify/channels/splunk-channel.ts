/** Splunk's HTTP event collector. Keys: CrowdSec's `splunk` plugin, and two about TLS, which that one never verifies. */
import * as z from 'zod';
import { channelType, DeliveryError, shownText } from './channel.ts';
import { postMessage, readTlsFiles } from './post-message.ts';
import { filePath, flag, httpUrl, lineText } from './setting-types.ts';

const settings = z.strictObject({
  url: httpUrl(),
  token: lineText(),
  skip_tls_verification: flag().default(false),
  ca_cert_path: filePath().optional(),
});

/** What the collector says about itself: code 0 is success. */
const answerSchema = z.object({ text: z.string().default(''), code: z.number() });

export const splunkChannel = channelType(
  'splunk',
  settings,
  ({ url, token, skip_tls_verification: skipVerification, ca_cert_path: caPath }) => {
    const tls = readTlsFiles({ skipVerification, caPath });
    return {
      async send(event, signal) {
        const { body } = await postMessage({
          url,
          method: 'POST',
          headers: { authorization: `Splunk ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ event }),
          tls,
          signal,
          secrets: [token],
        });
        const answer = answerSchema.safeParse(jsonOf(body));
        if (answer.success && answer.data.code === 0) return;
        throw new DeliveryError(
          `${url.origin}: Splunk did not take the event: ${shownText(body, [token])}`,
          'Check that the url is that of an HTTP event collector, and its token.',
        );
      },
    };
  },
  ({ token }) => [token],
);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
