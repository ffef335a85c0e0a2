import t from 'tap';
import { certificates, channelOf, issuesOf, never } from '../support.ts';
import { smtpServer } from './smtp-server.ts';

function document(port: number, over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    smtp_host: '127.0.0.1',
    smtp_port: String(port),
    encryption_type: 'none',
    auth_type: 'none',
    sender_name: 'Wächter',
    sender_email: 'gw@example.com',
    receiver_emails: ['ops@example.com', 'sec@example.com'],
    email_subject: 'Bans: é',
    ...over,
  };
}

t.test('one message in HTML goes to all receivers', async (t) => {
  const server = await smtpServer(t);
  await channelOf('email', document(server.port, { helo_host: 'gw.example.com' })).send('<p>banned é</p>\n.\n', never);
  const [message] = server.messages;
  t.match(message, { from: 'gw@example.com', to: ['ops@example.com', 'sec@example.com'], secured: false });
  t.match(message?.data, /^Content-Type: text\/html; charset=utf-8/m);
  t.match(message?.data, /^From: =\?UTF-8\?.*<gw@example\.com>/m);
  t.match(message?.data, /^Subject: =\?UTF-8\?Q\?Bans=3A_=C3=A9\?=/m);
  t.equal(server.commands[0], 'EHLO gw.example.com');
  const body = (message?.data ?? '').split('\r\n\r\n').slice(1).join('\r\n\r\n');
  t.match(body, /<p>banned =C3=A9<\/p>/);
});

t.test('each way to log in', async (t) => {
  const credentials = { user: 'me', password: 'pässword' };
  const rows = [
    ['login', 'LOGIN'],
    ['plain', 'PLAIN'],
    ['crammd5', 'CRAM-MD5'],
  ] as const;
  for (const [type, mechanism] of rows) {
    const server = await smtpServer(t, { ...credentials, auth: ['PLAIN', 'LOGIN', 'CRAM-MD5'] });
    const login = { auth_type: type, smtp_username: 'me', smtp_password: 'pässword' };
    await channelOf('email', document(server.port, login)).send('x', never);
    t.equal(server.messages[0]?.user, 'me', type);
    t.ok(
      server.commands.some((each) => each.startsWith(`AUTH ${mechanism}`)),
      mechanism,
    );
  }
  t.equal(rows.length, 3);
  const open = await smtpServer(t, { auth: ['LOGIN'] });
  await channelOf('email', document(open.port, { auth_type: 'login' })).send('x', never);
  t.equal(open.messages[0]?.user, '', 'without a user name nobody logs in');
});

t.test('a wrong password is said without saying it', async (t) => {
  const server = await smtpServer(t, { user: 'me', password: 'right-one', auth: ['LOGIN'] });
  const channel = channelOf(
    'email',
    document(server.port, { auth_type: 'login', smtp_username: 'me', smtp_password: 'wrong-one' }),
  );
  await t.rejects(channel.send('x', never), { code: 'NOTIFICATION_FAILED', message: /535/, remedy: /smtp_password/ });
  const echo = await smtpServer(t, { user: 'other', password: 'wrong-one', auth: ['LOGIN'] });
  const second = channelOf(
    'email',
    document(echo.port, { auth_type: 'login', smtp_username: 'me', smtp_password: 'wrong-one' }),
  );
  const fault = (await second.send('x', never).catch((thrown: unknown) => thrown)) as Error;
  t.match(fault.message, /535 wrong password \[redacted\]/);
});

t.test('encryption from the start, or by STARTTLS, verified', async (t) => {
  const made = certificates(t.testdir({}));
  const implicit = await smtpServer(t, { tls: made.server, implicit: true });
  await t.rejects(channelOf('email', document(implicit.port, { encryption_type: 'ssltls' })).send('x', never), {
    message: /self-signed|unable to verify|certificate/i,
    remedy: /encryption_type/,
  });
  t.equal(implicit.messages.length, 0);
  const starttls = await smtpServer(t, { tls: made.server });
  await t.rejects(channelOf('email', document(starttls.port, { encryption_type: 'starttls' })).send('x', never), {
    code: 'NOTIFICATION_FAILED',
    message: /certificate/i,
    remedy: /encryption_type/,
  });
  t.ok(starttls.commands.includes('STARTTLS'));
  const trusted = { ca_cert_path: `${made.folder}/ca.pem`, smtp_host: 'localhost' };
  await channelOf('email', document(implicit.port, { encryption_type: 'ssltls', ...trusted })).send('x', never);
  await channelOf('email', document(starttls.port, { encryption_type: 'starttls', ...trusted })).send('x', never);
  t.strictSame([implicit.messages[0]?.secured, starttls.messages[0]?.secured], [true, true]);
  const plain = await smtpServer(t);
  await t.rejects(channelOf('email', document(plain.port, { encryption_type: 'starttls' })).send('x', never), {
    message: /STARTTLS|502/,
  });
  t.equal(plain.messages.length, 0, 'nothing is sent in the clear');
});

t.test('a server that says nothing costs one attempt, a refused receiver is an error', async (t) => {
  for (const silentAfter of ['EHLO', 'MAIL', 'DATA']) {
    const stop = new AbortController();
    const server = await smtpServer(t, { silentAfter });
    server.onCommand((command) => {
      if (command.startsWith(silentAfter)) setImmediate(() => stop.abort());
    });
    await t.rejects(channelOf('email', document(server.port)).send('x', stop.signal), {
      message: /no answer in time|closed|abort/i,
    });
    t.equal(server.messages.length, 0);
  }
  const partly = await smtpServer(t, { refuses: ['sec@example.com'] });
  await t.rejects(channelOf('email', document(partly.port)).send('x', never), { message: /not for sec@example\.com/ });
  const wholly = await smtpServer(t, { refuses: ['ops@example.com', 'sec@example.com'] });
  await t.rejects(channelOf('email', document(wholly.port)).send('x', never), {
    message: /550/,
    remedy: /receiver_emails/,
  });
});

t.test('wrong keys are named', async (t) => {
  t.strictSame(issuesOf('email', {}), ['smtp_host: is missing', 'receiver_emails: expected a list of addresses']);
  t.strictSame(
    issuesOf(
      'email',
      document(25, {
        smtp_port: '0',
        encryption_type: 'tls',
        auth_type: 'md5',
        receiver_emails: ['a@b\r\nBcc: x@y'],
        email_subject: 'a\nb',
      }),
    ),
    [
      'smtp_port: expected a whole number from 1 to 65535',
      'auth_type: expected none, login, plain or crammd5',
      'encryption_type: expected none, ssltls or starttls',
      'receiver_emails.0: holds a line end or another control character',
      'receiver_emails.0: expected an address such as ops@example.com',
      'email_subject: holds a line end or another control character',
    ],
  );
});
