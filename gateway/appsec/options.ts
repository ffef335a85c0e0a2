/** Settings of the AppSec endpoint. */
import * as z from 'zod';
import { bytes, duration, listenAddressOrOff } from '../../core/options.ts';

export const appsecOptions = z
  .strictObject({
    listen: listenAddressOrOff()
      .prefault('off')
      .describe(
        'Where bouncers of other web servers have their requests judged, CrowdSec’s AppSec protocol: `127.0.0.1:7422` is its usual place. Each needs a key: `portcullis bouncers add`.',
      ),
    bodyBytes: bytes({ min: 1024, max: 128 * 1024 ** 2 })
      .prefault('10MiB')
      .describe('The largest body that is read.'),
    bodyOver: z
      .enum(['drop', 'partial', 'allow'])
      .prefault('drop')
      .describe(
        'A larger body: `drop` refuses the request, `partial` judges its beginning, `allow` lets it pass without a look at its body.',
      ),
    bodyDeadline: duration({ min: '10ms', max: '1m' })
      .prefault('1s')
      .describe('How long a body may take to arrive; what is there by then is judged.'),
  })
  .prefault({})
  .describe('The AppSec endpoint for bouncers of other web servers.');

export type AppsecOptions = z.output<typeof appsecOptions>;
