import { createHmac } from 'node:crypto';
import t from 'tap';
import { channelOf, issuesOf, never, webhook } from '../support.ts';

t.test('slack: the text and who says it', async (t) => {
  const hook = await webhook(t);
  const url = `${hook.url}/services/T000/B000/SECRET`;
  await channelOf('slack', { webhook: url }).send('*ban* <https://x|y>', never);
  await channelOf('slack', {
    webhook: url,
    channel: '#sec',
    username: 'gw',
    icon_emoji: ':x:',
    icon_url: 'http://i',
  }).send('é', never);
  t.strictSame(
    hook.received.map(({ body }) => JSON.parse(body) as unknown),
    [
      { text: '*ban* <https://x|y>' },
      { text: 'é', channel: '#sec', username: 'gw', icon_emoji: ':x:', icon_url: 'http://i' },
    ],
  );
  t.equal(hook.received[0]?.headers['content-type'], 'application/json');
});

t.test('slack: a refusal does not show the webhook', async (t) => {
  const hook = await webhook(t, ({ url }, response) => {
    response.statusCode = 404;
    response.end(`no_service ${url}`);
  });
  const fault = await channelOf('slack', { webhook: `${hook.url}/services/SECRET` })
    .send('x', never)
    .catch((thrown: unknown) => thrown);
  t.match(fault, { message: `${hook.url}: answered 404: no_service /[redacted]` });
  t.strictSame(issuesOf('slack', { webhook: 'SECRET' }), [
    'webhook: expected a URL that begins with http:// or https://',
  ]);
});

t.test('splunk: an event with the token, and its own word for success', async (t) => {
  let answer = '{"text":"Success","code":0}';
  const hook = await webhook(t, (_, response) => void response.end(answer));
  const channel = channelOf('splunk', { url: `${hook.url}/services/collector`, token: 'aaaa-bbbb' });
  await channel.send('[{"a":1}]', never);
  t.match(hook.received[0], {
    url: '/services/collector',
    headers: { authorization: 'Splunk aaaa-bbbb' },
    body: '{"event":"[{\\"a\\":1}]"}',
  });
  answer = '{"text":"Invalid token aaaa-bbbb","code":4}';
  await t.rejects(channel.send('x', never), {
    message: `${hook.url}: Splunk did not take the event: {"text":"Invalid token [redacted]","code":4}`,
  });
  answer = '<html>';
  await t.rejects(channel.send('x', never), { message: /did not take the event: <html>/, remedy: /event collector/ });
});

t.test('sentinel: signed with the shared key', async (t) => {
  const hook = await webhook(t);
  const key = Buffer.from('the key of a workspace').toString('base64');
  const body = '[{"é":1}]';
  await channelOf('sentinel', { customer_id: 'ab-12', shared_key: key, log_type: 'portcullis', url: hook.url }).send(
    body,
    never,
  );
  const [request] = hook.received;
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
  const signature = createHmac('sha256', 'the key of a workspace')
    .update(`POST\n10\napplication/json\nx-ms-date:${date}\n/api/logs`)
    .digest('base64');
  t.match(request, {
    method: 'POST',
    url: '/api/logs?api-version=2016-04-01',
    body,
    headers: {
      authorization: `SharedKey ab-12:${signature}`,
      'x-ms-date': date,
      'log-type': 'portcullis',
      'content-type': 'application/json',
    },
  });
  t.strictSame(issuesOf('sentinel', { customer_id: 'a/b', shared_key: '%', log_type: 'a-b' }), [
    'customer_id: expected the id of a workspace',
    'shared_key: expected a key in base64',
    'log_type: expected letters, digits and _',
  ]);
});
