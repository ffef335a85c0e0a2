/** The settings of notifications. The channels themselves stand in files of CrowdSec's form, one or several in each. */
import * as z from 'zod';
import { path } from '../../core/options.ts';

export const notificationOptions = z
  .strictObject({
    folder: path()
      .nullable()
      .prefault(null)
      .describe(
        "Where CrowdSec's notification files (`slack.yaml`, `http.yaml`…) are; profiles name what they define. Without it: `notifications` in `dataDir`, if that exists.",
      ),
  })
  .prefault({})
  .describe('Whom to tell about alerts.');
