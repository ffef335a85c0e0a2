/**
 * A bouncer that reads the stream from the start again and again, as a child process of the lowest priority: it stands for another
 * machine, so what it costs here must not delay those who measure. Arguments: port and key. Tells its parent of each whole answer.
 */
import { setPriority } from 'node:os';
import { KeepAliveClient, requestOf } from './keep-alive-client.ts';

const lowest = 19;

const [port = '', key = ''] = process.argv.slice(2);
setPriority(lowest);
process.once('disconnect', () => process.exit());
const client = await KeepAliveClient.open(Number(port));
const headers = { 'X-Api-Key': key, 'User-Agent': 'crowdsec-firewall-bouncer/v0.0.34' };
for (;;) {
  const { status, ids } = await client.ask(requestOf('GET', '/v1/decisions/stream?startup=true', headers));
  if (status !== 200) throw new Error(`the stream was answered ${status}`);
  process.send?.(ids);
}
