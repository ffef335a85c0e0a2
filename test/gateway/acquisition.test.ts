/** Logs of other programs become decisions at the gateway, through the parsers and scenarios that ship with it. */
import { appendFileSync, chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startTestGateway } from '../support/gateway.ts';
import { journaldMissing, startJournald } from '../support/servers/journald.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import type { StatusModel } from '../../gateway/admin/models.ts';
import { type Control, controlOf, createVisitor, type Visitor } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

const attacker = '203.0.113.66';

function failedLogin(user: string, from = attacker): string {
  const at = new Date()
    .toString()
    .slice(4, 10)
    .replace(/ 0(\d)/, '  $1');
  const time = new Date().toTimeString().slice(0, 8);
  return `${at} ${time} shop sshd[4711]: Failed password for invalid user ${user} from ${from} port 50022 ssh2\n`;
}

async function logFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-logs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Reading {
  readonly control: Control;
  readonly sources: () => Promise<StatusModel['sources']>;
  /** Somebody at an address; the attacker unless another is named. */
  readonly visitor: (address?: string) => Visitor;
}

/** A gateway with this acquisition file, whose source has found its place. */
async function startReading(
  t: Test,
  folder: string,
  acquisition: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Reading> {
  const file = join(folder, 'acquis.yaml');
  writeFileSync(file, acquisition);
  const { origin } = await startNodeOrigin(t);
  const { port, gateway } = await startTestGateway(t, { origin, acquisition: { files: [file] }, ...settings });
  const control = controlOf(gateway.controlSocket);
  const sources = async (): Promise<StatusModel['sources']> =>
    (await control.ask<StatusModel>('GET', '/v1/status')).sources;
  await eventually(sources, (found) => found.some(({ state }) => state === 'running'));
  return { control, sources, visitor: (address = attacker) => createVisitor(t, port, address) };
}

/** Waits until the next request of the visitor is refused. */
async function refusal(visitor: Visitor): Promise<void> {
  await eventually(
    () => visitor.ask('/'),
    ({ refused }) => refused,
  );
}

t.test('failed log-ins in a file that is written to ban their address at the gateway', async (t) => {
  const folder = await logFolder(t);
  const log = join(folder, 'auth.log');
  writeFileSync(log, failedLogin('before', '203.0.113.1'));
  const reading = await startReading(t, folder, `filenames:\n  - ${folder}/*.log\nlabels:\n  type: syslog\n`);
  const { control, sources } = reading;
  const visitor = reading.visitor();
  t.equal((await visitor.ask('/')).refused, false);
  for (let attempt = 0; attempt < 12; attempt++) {
    appendFileSync(log, failedLogin(`user${attempt}`));
    // Rotated in the middle of the attack, as logrotate does it.
    if (attempt === 4) {
      renameSync(log, join(folder, 'auth.log.1'));
      writeFileSync(log, '');
    }
  }
  await refusal(visitor);
  const scenarios = (await control.alerts({ ip: attacker })).map(({ scenario }) => scenario);
  t.ok(scenarios.includes('portcullis/ssh-user-enumeration'), scenarios.join());
  t.equal(
    (await reading.visitor('203.0.113.1').ask('/')).refused,
    false,
    'lines from before the start count for nothing',
  );
  t.match(await sources(), [{ kind: 'file', dropped: 0, lines: 12 }]);
});

t.test("requests of the gateway and lines of another server's log fill one bucket", async (t) => {
  const folder = await logFolder(t);
  const log = join(folder, 'access.log');
  writeFileSync(log, '');
  const reading = await startReading(t, folder, `filename: ${log}\nlabels:\n  type: nginx\n`);
  const visitor = reading.visitor();
  for (const target of ['/.env', '/.git/config', '/wp-config.php.bak'])
    t.equal((await visitor.ask(target)).refused, false);
  const at = new Date().toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1/$2/$3:$4 +0000');
  for (const target of ['/.aws/credentials', '/dump.sql']) {
    appendFileSync(log, `${attacker} - - [${at}] "GET ${target} HTTP/1.1" 404 12 "-" "Mozilla/5.0"\n`);
  }
  await refusal(visitor);
  const [alert] = await reading.control.alerts({ ip: attacker });
  t.match(alert, { scenario: 'portcullis/http-sensitive-files', events_count: 5 });
});

t.test('a parser asks a web server about each address, and lines come in a JSON envelope', async (t) => {
  const folder = await logFolder(t);
  const asked: string[] = [];
  const register = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(request.url === `/${attacker}` ? 'known thief' : 'unknown');
  });
  await new Promise<void>((resolve) => register.listen(0, '127.0.0.1', resolve));
  t.teardown(() => register.close());
  const { port: registerPort } = register.address() as AddressInfo;
  const items = join(folder, 'items');
  mkdirSync(join(items, 'parsers', 's00-raw'), { recursive: true });
  writeFileSync(
    join(items, 'parsers', 's00-raw', 'door.yaml'),
    `name: test/door
filter: evt.Line.Labels.type == 'door'
onsuccess: next_stage
grok: {pattern: '^opened by %{IP:ip}$', apply_on: Line.Raw}
statics:
  - {meta: log_type, value: door}
  - {meta: source_ip, expression: evt.Parsed.ip}
  - {meta: register, expression: "HTTPGet('http://127.0.0.1:${registerPort}/' + evt.Parsed.ip).Body"}
`,
  );
  mkdirSync(join(items, 'scenarios'));
  writeFileSync(
    join(items, 'scenarios', 'thief.yaml'),
    `type: trigger
name: test/thief
description: who is in the register
filter: evt.Meta.log_type == 'door' && evt.Meta.register == 'known thief'
groupby: evt.Meta.source_ip
labels: {remediation: true}
`,
  );
  const log = join(folder, 'door.log');
  writeFileSync(log, '');
  const transform = 'map(JsonExtractSlice(evt.Line.Raw, "opened"), "opened by " + #)';
  const document = `filename: ${log}\ntransform: ${JSON.stringify(transform)}\nlabels: {type: door}\n`;
  const reading = await startReading(t, folder, document, {
    detection: { builtin: false, folders: [items], httpHelpers: 'any' },
  });
  const { control, sources } = reading;
  appendFileSync(log, `{"opened": ["192.0.2.7", "${attacker}", "192.0.2.7"]}\n`);
  await refusal(reading.visitor());
  t.match(await control.alerts({ ip: attacker }), [{ scenario: 'test/thief' }]);
  t.equal((await reading.visitor('192.0.2.7').ask('/')).refused, false);
  t.same(asked.toSorted(), ['/192.0.2.7', `/${attacker}`]);
  t.match(await sources(), [{ lines: 3, dropped: 0 }]);
});

t.test('without the setting, an item that asks a web server is refused, and says what to do', async (t) => {
  const folder = await logFolder(t);
  mkdirSync(join(folder, 'parsers', 's00-raw'), { recursive: true });
  writeFileSync(
    join(folder, 'parsers', 's00-raw', 'asks.yaml'),
    "name: test/asks\nfilter: HTTPGet('http://192.0.2.1/').StatusCode == 200\nstatics: [{meta: a, value: b}]\n",
  );
  const { origin } = await startNodeOrigin(t);
  // Parsers are compiled where lines will reach them.
  const acquis = join(folder, 'acquis.yaml');
  writeFileSync(acquis, `filename: ${folder}/none.log\nlabels:\n  type: none\n`);
  const { log } = await startTestGateway(t, {
    origin,
    detection: { folders: [join(folder, 'parsers')] },
    acquisition: { files: [acquis] },
  });
  const faults = log.filter(({ code }) => code === 'ITEM_INVALID');
  t.match(faults, [{ msg: /asks\.yaml:2:.*HTTPGet cannot be used here.*`detection.httpHelpers` is `off`/s }]);
});

const missing = journaldMissing();

t.test('failed log-ins in a real journal ban their address at the gateway', { skip: missing }, async (t) => {
  const journald = await startJournald(t);
  const folder = await logFolder(t);
  // The gateway runs `journalctl` by its name; this one looks into the journal of the test.
  const journalctl = join(folder, 'journalctl');
  writeFileSync(journalctl, `#!/bin/sh\nexec nsenter --mount=/proc/${journald.pid}/ns/mnt /usr/bin/journalctl "$@"\n`);
  chmodSync(journalctl, 0o755);
  const { PATH } = process.env;
  process.env.PATH = `${folder}:${PATH}`;
  t.teardown(() => {
    process.env.PATH = PATH;
  });
  const document = 'source: journalctl\njournalctl_filter: ["SYSLOG_IDENTIFIER=sshd"]\nlabels:\n  type: syslog\n';
  const reading = await startReading(t, folder, document);
  const { control, sources } = reading;
  const visitor = reading.visitor();
  t.equal((await visitor.ask('/')).refused, false);
  for (let attempt = 0; attempt < 12; attempt++) {
    await journald.write({
      PRIORITY: '6',
      SYSLOG_IDENTIFIER: 'sshd',
      SYSLOG_PID: '4711',
      MESSAGE: `Failed password for root from ${attacker} port ${50_000 + attempt} ssh2`,
    });
  }
  await refusal(visitor);
  const scenarios = (await control.alerts({ ip: attacker })).map(({ scenario }) => scenario);
  t.ok(scenarios.includes('portcullis/ssh-bruteforce'), scenarios.join());
  t.match(await sources(), [{ kind: 'journalctl', state: 'running', dropped: 0 }]);
});
