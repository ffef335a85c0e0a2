/** `bouncers inspect` */
import type { BouncerModel, UsageModel } from '../../gateway/admin/operator-models.ts';
import type { Call, Command } from '../command.ts';
import { safeText } from '../output/safe-text.ts';
import { absoluteTime } from '../output/times.ts';
import { showUsage } from '../usage-table.ts';

export const bouncersInspect: Command = {
  name: 'bouncers inspect',
  aliases: ['bouncer inspect'],
  summary: 'show one bouncer and what it reported last',
  usage: '<name>',
  examples: [['portcullis bouncers inspect nginx-edge', 'when it asked, what it dropped']],
  options: {},
  positionals: { least: 1, most: 1, missing: 'no bouncer was named' },
  run,
};

async function run({ output, given, gateway, clock }: Call): Promise<number> {
  const path = `/v1/bouncers/${encodeURIComponent(given.positionals[0] ?? '')}`;
  const { bouncer, usage } = await (await gateway()).ask<{ bouncer: BouncerModel; usage: UsageModel | null }>(
    'GET',
    path,
  );
  switch (output.format) {
    case 'json':
      output.json({ ...bouncer, usage });
      break;
    case 'raw':
      output.csv(
        ['name', 'created_at', 'ip', 'last_pull', 'type', 'version', 'auth_type', 'auto_created', 'os'],
        [
          [
            bouncer.name,
            bouncer.created_at,
            bouncer.ip_address,
            bouncer.last_pull ?? '',
            bouncer.type,
            bouncer.version,
            bouncer.auth_type,
            bouncer.auto_created,
            usage?.os ?? '',
          ],
        ],
      );
      break;
    case 'human': {
      const now = clock.now();
      output.heading(safeText(bouncer.name));
      output.pairs([
        ['added', absoluteTime(bouncer.created_at, now)],
        ['added by', bouncer.auto_created ? 'itself, with a key that is known from another address' : ''],
        ['address', safeText(bouncer.ip_address)],
        ['asked last', bouncer.last_pull === null ? 'never' : absoluteTime(bouncer.last_pull, now)],
        ['type', safeText(bouncer.type)],
        ['version', safeText(bouncer.version)],
        ['known by', bouncer.auth_type === 'tls' ? 'its certificate' : 'its key'],
      ]);
      showUsage(output, usage, now);
      break;
    }
    default:
      return output.format satisfies never;
  }
  return 0;
}
