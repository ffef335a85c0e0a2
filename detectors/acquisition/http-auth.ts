/** Who may send logs over HTTP. Secrets are compared by their digests, so that the time it takes tells nothing of them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { HttpAuth } from './acquisition-document.ts';

/** A test for requests. `mtls` needs none here: without a certificate there is no connection. */
export function createAuthorizer(auth: HttpAuth): (headers: IncomingHttpHeaders) => boolean {
  switch (auth.type) {
    case 'mtls':
      return () => true;
    case 'basic_auth': {
      const expected = digest(Buffer.from(`${auth.username}:${auth.password}`));
      return ({ authorization = '' }) => {
        const encoded = /^basic +([A-Za-z0-9+/=_-]{1,4096})$/i.exec(authorization)?.[1] ?? '';
        return timingSafeEqual(digest(Buffer.from(encoded, 'base64')), expected);
      };
    }
    case 'headers': {
      const expected = Object.entries(auth.headers).map(
        ([name, value]) => [name.toLowerCase(), digest(Buffer.from(value))] as const,
      );
      return (headers) => {
        let isRight = true;
        for (const [name, value] of expected) {
          const given = headers[name];
          const text = Array.isArray(given) ? given.join(', ') : (given ?? '');
          // All are compared, whatever the first said.
          isRight = timingSafeEqual(digest(Buffer.from(text, 'latin1')), value) && isRight;
        }
        return isRight;
      };
    }
    default:
      return auth satisfies never;
  }
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
