/** The command line against a gateway that has just been attacked: from a refusal page to its cause, and back out of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type {
  AlertModel,
  DoctorModel,
  ExplainModel,
  StatusModel,
  WhyAddress,
  WhyRequest,
} from '../../gateway/admin/models.ts';
import { type Ran, run } from '../cli/run.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startNodeOrigin } from '../support/servers/node-origin.ts';
import { temporaryFolder } from '../support/servers/process.ts';
import { askAll, controlOf, createVisitor, type Visitor } from './visitors.ts';
import { eventually } from '../support/eventually.ts';

const address = '198.51.100.99';
const secrets = ['/.env', '/.git/config', '/.aws/credentials', '/wp-config.php.bak', '/.htpasswd', '/'];

interface Attacked {
  readonly attacker: Visitor;
  /** Of the requests that were refused, in order. */
  readonly refusedIds: readonly string[];
  readonly logPath: string;
  readonly cli: (...line: string[]) => Promise<Ran>;
  /** The answer as JSON; fails the test when the verb fails. */
  readonly json: <Answer>(...line: string[]) => Promise<Answer>;
}

async function attackedGateway(t: Test): Promise<Attacked> {
  const origin = await startNodeOrigin(t);
  const logPath = join(await temporaryFolder(t, 'log'), 'combined.log');
  const { gateway, port } = await startTestGateway(t, {
    origin: origin.origin,
    store: { type: 'embedded' },
    accessLog: { format: 'combined', path: logPath },
  });
  const attacker = createVisitor(t, port, address);
  const answers = await askAll(
    attacker,
    secrets.map((target) => ({ target })),
  );
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 403, 403],
  );
  const control = controlOf(gateway.controlSocket);
  await eventually(
    () => control.refusals({ ip: address }),
    (found) => found.length === 2,
  );
  const cli = (...line: string[]): Promise<Ran> => run([...line, '--socket', gateway.controlSocket], { columns: 160 });
  return {
    attacker,
    refusedIds: answers.filter(({ refused }) => refused).map(({ requestId }) => requestId),
    logPath,
    cli,
    async json<Answer>(...line: string[]) {
      const { status, stdout, stderr } = await cli(...line, '--json');
      if (status !== 0) t.fail(`${line.join(' ')}: ${stderr}`);
      return JSON.parse(stdout) as Answer;
    },
  };
}

t.test('from the number on the refusal page to the requests that led to it', async (t) => {
  const { refusedIds, json, cli } = await attackedGateway(t);
  for (const id of refusedIds) {
    const why = await json<WhyRequest>('why', id);
    t.match(why, {
      kind: 'request',
      refusal: {
        request_id: id,
        client_ip: address,
        client_from: 'x-forwarded-for',
        peer_ip: '127.0.0.1',
        status: 403,
      },
      decision: { value: address, scenario: 'portcullis/http-sensitive-files', active: true },
      alert: { events_count: 5 },
      now: { outcome: 'refused' },
    });
    t.same(
      why.alert?.events.map(({ meta }) => meta.find(({ key }) => key === 'http_path')?.value),
      secrets.slice(0, 5),
      'the requests behind the alert',
    );
  }
  const [alert] = await json<AlertModel[]>('alerts', 'list');
  const inspected = await cli('alerts', 'inspect', String(alert?.id));
  t.equal(inspected.status, 0, inspected.stderr);
  for (const target of secrets.slice(0, 5)) t.match(inspected.stdout, target);
  const unknown = await cli('why', '0123456789abcdef');
  t.not(unknown.status, 0);
  t.match(unknown.stderr, '0123456789abcdef');
});

t.test('an address: what would become of it, what it did, and how it gets out', async (t) => {
  const { attacker, cli, json } = await attackedGateway(t);
  const why = await json<WhyAddress>('why', address);
  t.match(why, { kind: 'address', address, now: { outcome: 'refused' } });
  t.equal(why.decisions.length, 1);
  t.equal(why.alerts.length, 1);
  t.equal(why.refusals.length, 2);

  const [listed] = await json<AlertModel[]>('decisions', 'list', '--ip', address);
  const [decision] = listed?.decisions ?? [];
  const raw = await cli('decisions', 'list', '-o', 'raw');
  t.match(raw.stdout, address);
  const lifted = await cli('decisions', 'delete', '--id', String(decision?.id));
  t.equal(lifted.status, 0, lifted.stderr);
  t.equal((await attacker.ask('/')).status, 200);
  t.match(await json('why', address), { now: { outcome: 'passed' } });
  t.same(await json('decisions', 'list'), []);
});

t.test('explain reads the line of the access log as the request that it was', async (t) => {
  const { logPath, json } = await attackedGateway(t);
  const lines = await eventually(
    () => readFileSync(logPath, 'utf8').split('\n').filter(Boolean),
    (found) => found.length === 6,
  );
  const explained = await json<ExplainModel>('explain', lines[1] ?? '');
  t.match(explained.request, { method: 'GET', target: '/.git/config', client_ip: address, status: 200 });
  t.match(explained.client, { outcome: 'refused' });
  const matched = JSON.stringify(explained.scenarios.filter(({ name }) => name === 'portcullis/http-sensitive-files'));
  t.match(matched, 'portcullis/http-sensitive-files');
});

t.test('status counts what happened, and the doctor finds nothing wrong', async (t) => {
  const { json } = await attackedGateway(t);
  t.match(await json<StatusModel>('status'), {
    state: 'ok',
    decisions: { total: 1, by_scope: { ip: 1 } },
    requests: { passed: 4, refused: 2 },
    alerts_raised: 1,
    store: { name: 'embedded', ok: true },
  });
  const { checks } = await json<DoctorModel>('doctor');
  t.ok(checks.length > 5, `${checks.length} checks`);
  t.same(
    checks.filter(({ status }) => status === 'fail'),
    [],
  );
});
