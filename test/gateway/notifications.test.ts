/** People are told: from a request that overflows a bucket to the message that a channel delivers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { NotificationModel } from '../../gateway/admin/operator-models.ts';
import { startTestGateway } from '../support/gateway.ts';
import { controlOf, createVisitor } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

const profile = `name: told
filters: ['Alert.Remediation == true']
decisions: [{type: ban, duration: 4h}]
notifications: [hook, hok]
on_success: break
`;

async function open(t: Test) {
  const received: string[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      received.push(Buffer.concat(chunks).toString());
      response.end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'notifications-'));
  t.teardown(() => {
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { port } = receiver.address() as AddressInfo;
  const channels = join(folder, 'notifications');
  mkdirSync(channels);
  writeFileSync(join(folder, 'profiles.yaml'), profile);
  writeFileSync(
    join(channels, 'http.yaml'),
    `type: http
name: hook
url: http://127.0.0.1:${port}/
method: POST
format: |
  {{ range . }}{{ .Scenario }} {{ .Source.Value }} {{ range .Decisions }}{{ .Type }} {{ .Duration }}{{ end }}{{ end }}
`,
  );
  const opened = await startTestGateway(t, {
    origin: 'http://127.0.0.1:9',
    notifications: { folder: channels },
    remediation: { profiles: join(folder, 'profiles.yaml') },
  });
  return { ...opened, received, control: controlOf(opened.gateway.controlSocket) };
}

t.test('an alert is told once, with its decision; tests and repeats are told too', async (t) => {
  const { port, received, control, log } = await open(t);
  t.ok(
    log.some(({ msg }) => String(msg).includes('hok') && String(msg).includes('is hook meant?')),
    'a name that no file defines is told at the start',
  );
  const visitor = createVisitor(t, port, '203.0.113.50');
  for (let round = 0; round < 30; round++) {
    const { refused } = await visitor.ask('/', { userAgent: 'Nikto/2.5.0' });
    if (refused) break;
  }
  const [first] = await eventually(
    () => received,
    ({ length }) => length > 0,
  );
  t.match(first, /203\.0\.113\.50 ban 4h/);
  await control.ask('POST', '/v1/notifications/hook/test', {}, {});
  t.equal(received.length, 2);
  t.match(received[1], /192\.0\.2\.1/);
  const [alert] = await control.alerts();
  const answer = await control.ask<{ notified: string[] }>(
    'POST',
    '/v1/notifications/reinject',
    {},
    { id: String(alert?.id) },
  );
  t.same(answer.notified, ['hook']);
  await eventually(
    () => received,
    ({ length }) => length === 3,
  );
  const { notifications } = await control.ask<{ notifications: NotificationModel[] }>('GET', '/v1/notifications');
  t.match(notifications, [{ name: 'hook', type: 'http', profiles: ['told'], sent: 3, failed: 0, last_error: null }]);
  await t.rejects(control.ask('POST', '/v1/notifications/nobody/test', {}, {}), { code: 'NOT_FOUND' });
});
