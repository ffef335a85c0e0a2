/** Posts the text to any URL. Keys: CrowdSec's `http` plugin. */
import * as z from 'zod';
import { channelType } from './channel.ts';
import { postMessage, readTlsFiles } from './post-message.ts';
import { filePath, flag, headers, httpUrl, lineText } from './setting-types.ts';

const settings = z
  .strictObject({
    url: httpUrl(),
    method: lineText(20)
      .regex(/^[A-Za-z]+$/, { error: 'expected a method such as POST' })
      .default('POST'),
    headers: headers().default({}),
    skip_tls_verification: flag().default(false),
    unix_socket: filePath().optional(),
    cert_path: filePath().optional(),
    key_path: filePath().optional(),
    ca_cert_path: filePath().optional(),
  })
  .refine((each) => (each.cert_path === undefined) === (each.key_path === undefined), {
    path: ['cert_path'],
    error: 'cert_path and key_path stand together',
  });

export const httpChannel = channelType(
  'http',
  settings,
  (options) => {
    const tls = readTlsFiles({
      skipVerification: options.skip_tls_verification,
      certPath: options.cert_path,
      keyPath: options.key_path,
      caPath: options.ca_cert_path,
    });
    const secrets = secretsOf(options);
    return {
      async send(body, signal) {
        const { url, headers, unix_socket: socketPath } = options;
        await postMessage({
          url,
          method: options.method.toUpperCase(),
          headers,
          body,
          tls,
          socketPath,
          signal,
          secrets,
        });
      },
    };
  },
  secretsOf,
);

/** A token also without the word before it, as in `Bearer …`; of a URL the path, where webhooks have their keys. */
function secretsOf({ url, headers }: z.output<typeof settings>): readonly string[] {
  const values = Object.values(headers);
  const tokens = values.map((value) => value.slice(value.lastIndexOf(' ') + 1));
  return [...values, ...tokens, url.search.slice(1), url.password, url.pathname.slice(1)];
}
