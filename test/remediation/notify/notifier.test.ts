import fc from 'fast-check';
import t from 'tap';
import type { NotifiedAlert } from '../../../remediation/notify/alert-template-view.ts';
import { type Channel, DeliveryError } from '../../../remediation/notify/channels/channel.ts';
import type { NotificationDocument } from '../../../remediation/notify/notification-documents.ts';
import { createNotifier, type Notifier } from '../../../remediation/notify/notifier.ts';
import { retryDelay } from '../../../remediation/notify/retry-pace.ts';
import { sampleAlert } from '../../../remediation/notify/sample-alert.ts';
import { compileTemplate } from '../../../remediation/notify/templates/template.ts';
import type { Publication } from '../../../remediation/exchange/publish.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { alertOf, collectedLog, decisionOf, type LogLine, settle } from '../support.ts';
import { webhook } from './support.ts';
import { readNotificationText } from '../../../remediation/notify/notification-documents.ts';
import { systemClock } from '../../../core/clock.ts';
import { countingRandom } from './templates/support.ts';

type Answer = (text: string, signal: AbortSignal) => Promise<void>;

function document(
  over: Partial<NotificationDocument> & { readonly send: Answer; readonly format?: string },
): NotificationDocument {
  const { send, format = '{{range .}}{{.Source.IP}} {{end}}', name = 'ops', ...rest } = over;
  const channel: Channel = { send };
  return {
    type: 'http',
    name,
    file: 'n.yaml',
    logLevel: 'info',
    groupWaitMs: 0,
    groupThreshold: 0,
    maxRetry: 0,
    timeoutMs: 5_000,
    template: compileTemplate(name, format),
    secrets: [],
    open: () => channel,
    ...rest,
  };
}

interface Bench {
  readonly notifier: Notifier;
  readonly clock: ManualClock;
  readonly lines: LogLine[];
  readonly alert: (ip: string, ...notifications: string[]) => void;
}

function bench(documents: readonly NotificationDocument[], maxQueued?: number): Bench {
  const clock = createManualClock();
  const { log, lines } = collectedLog();
  const notifier = createNotifier({
    documents,
    clock,
    random: countingRandom(),
    log,
    gatewayName: 'portcullis',
    hostname: 'gw.example',
    localZone: 'UTC',
    ...(maxQueued !== undefined && { maxQueued }),
  });
  return {
    notifier,
    clock,
    lines,
    alert: (ip, ...notifications) =>
      notifier.notify(publication(ip, notifications.length === 0 ? ['ops'] : notifications)),
  };
}

function publication(ip: string, ...profiles: readonly (readonly string[])[]): Publication {
  const alert = alertOf({ ip });
  return {
    alert,
    decisions: [decisionOf({ value: ip })],
    matched: profiles.map((notifications, index) => ({ profile: `p${index}`, notifications })),
  };
}

function notified(ip: string): NotifiedAlert {
  return { alert: alertOf({ ip }), decisions: [decisionOf({ value: ip })] };
}

/** Keeps the texts that it gets. */
function collector(): { readonly texts: string[]; readonly send: Answer } {
  const texts: string[] = [];
  return {
    texts,
    send: async (text) => {
      texts.push(text.trim());
    },
  };
}

t.test('without grouping every alert is a message of its own, within a second', async (t) => {
  const { texts, send } = collector();
  const { clock, alert, notifier } = bench([document({ send })]);
  alert('192.0.2.1');
  alert('192.0.2.2');
  await settle();
  clock.advance(999);
  await settle();
  t.strictSame(texts, []);
  t.equal(notifier.status()[0]?.queued, 2);
  clock.advance(1);
  await settle();
  t.strictSame(texts, ['192.0.2.1', '192.0.2.2']);
  t.match(notifier.status(), [
    {
      name: 'ops',
      type: 'http',
      queued: 0,
      sent: 2,
      failed: 0,
      dropped: 0,
      failures: 0,
      lastSuccessAt: clock.now(),
      lastError: null,
    },
  ]);
});

t.test('grouping: by number, by time, by both', async (t) => {
  const run = async (over: Partial<NotificationDocument>, alerts: number, ms: number): Promise<string[]> => {
    const { texts, send } = collector();
    const { clock, alert } = bench([document({ ...over, send, format: '{{len .}}' })]);
    for (let index = 0; index < alerts; index++) alert(`192.0.2.${index}`);
    await settle();
    const before = texts.length;
    clock.advance(ms);
    await settle();
    return [`${before} at once`, ...texts];
  };
  const rows: readonly (readonly [Partial<NotificationDocument>, number, number, readonly string[]])[] = [
    [{ groupThreshold: 3 }, 2, 86_400_000, ['0 at once']],
    [{ groupThreshold: 3 }, 3, 0, ['1 at once', '3']],
    [{ groupThreshold: 3 }, 7, 86_400_000, ['2 at once', '3', '3']],
    [{ groupWaitMs: 30_000 }, 3, 29_999, ['0 at once']],
    [{ groupWaitMs: 30_000 }, 3, 30_000, ['0 at once', '1', '1', '1']],
    [{ groupWaitMs: 30_000, groupThreshold: 4 }, 3, 30_000, ['0 at once', '3']],
    [{ groupWaitMs: 30_000, groupThreshold: 4 }, 4, 0, ['1 at once', '4']],
    [{ groupWaitMs: 30_000, groupThreshold: 4 }, 9, 30_000, ['2 at once', '4', '4', '1']],
  ];
  for (const [over, alerts, ms, texts] of rows)
    t.strictSame(await run(over, alerts, ms), texts, JSON.stringify([over, alerts, ms]));
  t.equal(rows.length, 8);
});

t.test('the time of a group begins with its first alert', async (t) => {
  const { texts, send } = collector();
  const { clock, alert } = bench([document({ send, groupWaitMs: 10_000, groupThreshold: 100, format: '{{len .}}' })]);
  alert('192.0.2.1');
  clock.advance(9_000);
  alert('192.0.2.2');
  clock.advance(1_000);
  await settle();
  t.strictSame(texts, ['2']);
  clock.advance(60_000);
  alert('192.0.2.3');
  clock.advance(9_999);
  await settle();
  t.strictSame(texts, ['2']);
  clock.advance(1);
  await settle();
  t.strictSame(texts, ['2', '1']);
});

t.test('an alert goes to the channels that its profiles name, once to each', async (t) => {
  const [one, two, none] = [collector(), collector(), collector()];
  const { clock, notifier, lines } = bench([
    document({ name: 'one', send: one.send }),
    document({ name: 'two', send: two.send }),
    document({ name: 'none', send: none.send }),
  ]);
  notifier.notify(publication('192.0.2.1', ['one', 'two'], ['one', 'gone'], []));
  notifier.notify(publication('192.0.2.2', ['gone']));
  notifier.notify(publication('192.0.2.3'));
  clock.advance(1_000);
  await settle();
  t.strictSame([one.texts, two.texts, none.texts], [['192.0.2.1'], ['192.0.2.1'], []]);
  t.strictSame(
    lines.filter(({ msg }) => /no file defines/.test(String(msg))).map(({ notification }) => notification),
    ['gone'],
  );
});

t.test('a message is tried again after 1 s, doubled, up to 30 s, for five minutes', async (t) => {
  const attempts: number[] = [];
  const { clock, alert, notifier, lines } = bench([
    document({
      send: async () => {
        attempts.push(clock.now());
        throw new DeliveryError('http://h: answered 500', 'Wait.');
      },
    }),
  ]);
  alert('192.0.2.1');
  clock.advance(1_000);
  for (let second = 0; second < 400; second++) {
    await settle(3);
    clock.advance(1_000);
  }
  // A fraction of 0.5 is no deviation at all.
  const gaps = attempts.slice(1).map((at, index) => (at - (attempts[index] ?? 0)) / 1_000);
  t.strictSame(gaps.slice(0, 6), [1, 2, 4, 8, 16, 30]);
  t.ok(gaps.slice(6).every((gap) => gap === 30));
  const lasted = ((attempts.at(-1) ?? 0) - (attempts[0] ?? 0)) / 1_000;
  t.ok(lasted > 270 && lasted <= 300, `${lasted} s`);
  t.match(notifier.status()[0], {
    sent: 0,
    failed: 1,
    queued: 0,
    failures: attempts.length,
    lastError: 'http://h: answered 500',
  });
  t.match(lines.at(-1), {
    msg: 'a notification is given up',
    code: 'NOTIFICATION_FAILED',
    remedy: 'Wait.',
    attempts: attempts.length,
  });
});

t.test('max_retry counts the attempts; a success ends them', async (t) => {
  for (const [maxRetry, failing, expected] of [
    [3, 9, 3],
    [1, 9, 1],
    [5, 2, 3],
    [0, 2, 3],
  ] as const) {
    let attempts = 0;
    const { clock, alert, notifier } = bench([
      document({
        maxRetry,
        send: async () => {
          attempts++;
          if (attempts <= failing) throw new Error('no');
        },
      }),
    ]);
    alert('192.0.2.1');
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000);
      await settle(3);
    }
    t.equal(attempts, expected);
    t.match(
      notifier.status()[0],
      expected > failing ? { sent: 1, failed: 0, lastError: null } : { sent: 0, failed: 1 },
    );
  }
});

t.test('who asks for a pause gets it', async (t) => {
  const attempts: number[] = [];
  const { clock, alert } = bench([
    document({
      send: async () => {
        attempts.push(clock.now());
        if (attempts.length === 1) throw new DeliveryError('429', 'Wait.', 45_000);
      },
    }),
  ]);
  alert('192.0.2.1');
  for (let second = 0; second < 60; second++) {
    clock.advance(1_000);
    await settle(3);
  }
  t.strictSame(
    attempts.map((at) => at - (attempts[0] ?? 0)),
    [0, 45_000],
  );
});

t.test('an attempt is ended when its time is up', async (t) => {
  let aborted = 0;
  const { clock, alert, notifier } = bench([
    document({
      timeoutMs: 2_000,
      maxRetry: 1,
      send: (_, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted++;
            reject(new Error('no answer in time'));
          });
        }),
    }),
  ]);
  alert('192.0.2.1');
  clock.advance(1_000);
  await settle();
  clock.advance(1_999);
  await settle();
  t.equal(aborted, 0);
  clock.advance(1);
  await settle();
  t.equal(aborted, 1);
  t.match(notifier.status()[0], { failed: 1, lastError: 'notification ops: no answer in time' });
});

t.test('a slow channel fills its own queue and delays nobody', async (t) => {
  const fast = collector();
  const { clock, notifier, lines } = bench(
    [document({ name: 'slow', send: () => new Promise(() => undefined) }), document({ name: 'fast', send: fast.send })],
    10,
  );
  for (let index = 0; index < 25; index++) {
    notifier.notify(publication(`192.0.2.${index}`, ['slow', 'fast']));
    clock.advance(1_000);
    await settle(4);
  }
  t.equal(fast.texts.length, 25);
  t.match(notifier.status(), [
    { name: 'slow', queued: 10, dropped: 15, sent: 0 },
    { name: 'fast', queued: 0, dropped: 0, sent: 25 },
  ]);
  const complaints = lines.filter(({ msg }) => msg === 'alerts are not notified');
  t.ok(complaints.length >= 1 && complaints.length <= 3, 'said now and then, not for each');
});

t.test('a template that fails costs its message only', async (t) => {
  const { texts, send } = collector();
  const format = '{{range .}}{{if eq .Source.IP "192.0.2.1"}}{{fail "no"}}{{end}}{{.Source.IP}}{{end}}';
  const { clock, alert, notifier, lines } = bench([document({ send, format })]);
  alert('192.0.2.1');
  alert('192.0.2.2');
  clock.advance(1_000);
  await settle();
  t.strictSame(texts, ['192.0.2.2']);
  t.match(notifier.status()[0], { sent: 1, failed: 1 });
  t.match(
    lines.find(({ code }) => code === 'TEMPLATE_INVALID'),
    { msg: 'the template of a notification failed', reason: /error calling fail: no/ },
  );
});

t.test('test: one attempt, now, with the error', async (t) => {
  const { texts, send } = collector();
  const { notifier, clock } = bench([
    document({ send, groupWaitMs: 60_000 }),
    document({ name: 'bad', send: async () => Promise.reject(new DeliveryError('h: answered 404', 'Check.')) }),
    document({ name: 'wrong', send, format: '{{index . 7}}' }),
  ]);
  await notifier.test('ops', sampleAlert({ clock, random: countingRandom() }));
  t.strictSame(texts, ['192.0.2.1']);
  await t.rejects(notifier.test('bad', notified('192.0.2.1')), { message: 'h: answered 404', remedy: 'Check.' });
  await t.rejects(notifier.test('wrong', notified('192.0.2.1')), { code: 'TEMPLATE_INVALID' });
  await t.rejects(notifier.test('nope', notified('192.0.2.1')), {
    code: 'NOTIFICATION_FAILED',
    message: 'there is no notification nope',
    remedy: 'There are: ops, bad, wrong.',
  });
  t.equal(notifier.render('ops', [notified('192.0.2.9')]), '192.0.2.9 ');
});

t.test('send: in chunks, retried, and told how it went', async (t) => {
  const { texts, send } = collector();
  let failing = 1;
  const { notifier, clock } = bench(
    [
      document({
        send: async (text, signal) => (failing-- > 0 ? Promise.reject(new Error('no')) : send(text, signal)),
        groupThreshold: 2,
        format: '{{len .}}',
      }),
      document({ name: 'bad', maxRetry: 1, send: async () => Promise.reject(new Error('no')) }),
    ],
    5,
  );
  const sending = notifier.send('ops', ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(notified));
  await settle();
  clock.advance(1_000);
  await sending;
  t.strictSame(texts, ['2', '1']);
  await t.rejects(notifier.send('bad', [notified('192.0.2.1'), notified('192.0.2.2')]), {
    message: 'notification bad: no',
  });
  await t.rejects(
    notifier.send(
      'ops',
      Array.from({ length: 6 }, () => notified('192.0.2.1')),
    ),
    { message: /too many alerts: 5/ },
  );
  await t.rejects(notifier.send('nope', []), { code: 'NOTIFICATION_FAILED' });
});

t.test('closing sends what waits, within its grace', async (t) => {
  const { texts, send } = collector();
  const { notifier, alert } = bench([
    document({ send, groupWaitMs: 3_600_000, groupThreshold: 10, format: '{{len .}}' }),
  ]);
  alert('192.0.2.1');
  alert('192.0.2.2');
  await notifier.close(1_000);
  t.strictSame(texts, ['2']);
  alert('192.0.2.3');
  await notifier.close();
  t.match(notifier.status()[0], { sent: 1, dropped: 1, queued: 0 });

  const stuck = bench([
    document({
      send: (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended')))),
    }),
  ]);
  stuck.alert('192.0.2.1');
  stuck.alert('192.0.2.2');
  const closing = stuck.notifier.close(1_000);
  await settle();
  stuck.clock.advance(1_000);
  await closing;
  t.match(stuck.notifier.status()[0], { sent: 0, dropped: 2, queued: 0, failed: 0 });
  await t.rejects(stuck.notifier.send('ops', [notified('192.0.2.1')]), { message: /closing/ });
});

t.test('property: every alert is sent, failed, dropped or waits, and messages keep the order', async (t) => {
  const steps = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('alert' as const) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 40_000 }) },
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 0, max: 5 }),
      fc.constantFrom(0, 5_000),
      fc.integer({ min: 0, max: 3 }),
      async (script, groupThreshold, groupWaitMs, failEvery) => {
        const delivered: number[] = [];
        let attempts = 0;
        const { clock, notifier, alert } = bench(
          [
            document({
              groupThreshold,
              groupWaitMs,
              maxRetry: 2,
              format: '{{range .}}{{.Source.IP}},{{end}}',
              send: async (text) => {
                attempts++;
                if (failEvery > 0 && attempts % (failEvery + 1) === 0) throw new Error('no');
                delivered.push(
                  ...text
                    .split(',')
                    .filter(Boolean)
                    .map((each) => Number(each.split('.')[3])),
                );
              },
            }),
          ],
          7,
        );
        let added = 0;
        for (const step of script) {
          if (step === 'alert') alert(`192.0.2.${added++}`);
          else clock.advance(step);
          await settle(2);
        }
        const closing = notifier.close(60_000);
        for (let second = 0; second < 61; second++) {
          await settle(2);
          clock.advance(1_000);
        }
        await closing;
        const status = notifier.status()[0];
        const size = Math.max(1, groupThreshold);
        const missing = added - delivered.length - (status?.dropped ?? 0);
        const sorted = delivered.toSorted((left, right) => left - right);
        return (
          status?.queued === 0 &&
          missing >= 0 &&
          missing <= (status?.failed ?? 0) * size &&
          String(sorted) === String(delivered)
        );
      },
    ),
    { seed: 11, numRuns: 60 },
  );
  t.pass('held');
});

t.test('delays are one second, doubled, ±30 %, never above thirty seconds', async (t) => {
  const at = (attempt: number, fraction: number): number => retryDelay(attempt, { fraction: () => fraction });
  t.strictSame(
    [1, 2, 3, 4, 5, 6, 50].map((attempt) => at(attempt, 0.5)),
    [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
  );
  t.strictSame([at(1, 0), at(6, 0), at(6, 0.999)], [700, 21_000, 30_000]);
  t.ok(Math.abs(at(1, 1) - 1_300) < 1e-6);
});

t.test('from a file to a webhook: real time, real server', async (t) => {
  const hook = await webhook(t);
  const text = `type: http\nname: http_default\nformat: |\n  {{.|toJson}}\nurl: ${hook.url}/in\n`;
  const { documents, faults } = readNotificationText(text, 'http.yaml', {});
  t.strictSame(faults, []);
  const { log } = collectedLog();
  const notifier = createNotifier({
    documents,
    clock: systemClock,
    random: countingRandom(),
    log,
    gatewayName: 'gw',
    hostname: 'h',
    localZone: 'UTC',
  });
  notifier.notify(publication('192.0.2.77', ['http_default']));
  await notifier.close();
  const [alert] = JSON.parse(hook.received[0]?.body ?? '[]') as Record<string, unknown>[];
  t.match(alert, { machine_id: 'gw', source: { ip: '192.0.2.77' }, decisions: [{ type: 'ban', duration: '4h' }] });
});
