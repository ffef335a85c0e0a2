/** The origin of a site that another web server serves: requests for it are judged and never passed on. */
import { type OriginClient, OriginError } from './origin-client.ts';

export function createNoOrigin(): OriginClient {
  return {
    dispatch(_request, sink) {
      sink.onError(new OriginError('unreachable', 'this site has no origin here: another web server serves it'));
      return { pause() {}, resume() {}, abort() {} };
    },
    close: () => Promise.resolve(),
  };
}
