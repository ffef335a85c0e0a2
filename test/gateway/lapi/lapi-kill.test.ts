/**
 * The Local API of a gateway that is killed (SIGKILL) in the middle of bursts of alerts and of an import: what was acknowledged is
 * there, and a bouncer that asks for changes only holds exactly what one that starts anew is given. `KILL_ROUNDS` asks for more
 * kills than a usual run has time for.
 */
import t, { type Test } from 'tap';
import { createControlClient } from '../../../cli/control-client.ts';
import type { ImportModel } from '../../../gateway/admin/models.ts';
import { agentAlert, manualAlert } from '../../real/lapi/samples.ts';
import { temporaryFolder } from '../../support/servers/process.ts';
import { type ChildGateway, startChildGateway } from '../child-gateway.ts';
import {
  addBouncer,
  addMachine,
  createBouncer,
  lapiUrlOf,
  logIn,
  type Machine,
  type MirroringBouncer,
} from './lapi-client.ts';
import { seeded } from '../../support/seeded.ts';

const rounds = Number(process.env.KILL_ROUNDS ?? 4);
/** Kills of gateways on the same file, which grows. */
const roundsPerFile = 20;
const seed = Number(process.env.KILL_SEED ?? 20_260_105);
const importLength = 2_500;

const settings = {
  origin: 'http://127.0.0.1:9',
  lapi: { listen: '127.0.0.1:0' },
  store: { type: 'embedded', retention: { alerts: { maxRows: 1_000_000 } } },
};

/** What an alert that was acknowledged has to bring: its number, and the addresses that are refused for it. */
interface Acknowledged {
  readonly id: string;
  readonly values: readonly string[];
}

t.setTimeout(0);

t.test(`${rounds} kills lose nothing that the Local API acknowledged`, { timeout: 0 }, async (t) => {
  const random = seeded(seed);
  let acknowledged = 0;
  for (let round = 0; round < rounds; round += roundsPerFile) {
    acknowledged += await killOften(t, Math.min(roundsPerFile, rounds - round), random);
  }
  t.ok(acknowledged > rounds, `${acknowledged} alerts were acknowledged`);
  t.comment(`${rounds} kills, ${acknowledged} alerts acknowledged`);
});

/** The number of alerts that were acknowledged. */
async function killOften(t: Test, times: number, random: () => number): Promise<number> {
  const folder = await temporaryFolder(t, 'lapi-kill');
  const truth: Truth = { alerts: [], imports: [], nextAddress: 0, nextImport: 0 };
  let gateway = await startChildGateway(t, settings, folder);
  const keys = [await addBouncer(gateway.control, 'steady'), await addBouncer(gateway.control, 'fresh')] as const;
  await addMachine(gateway.control, 'web-1');
  const steady = createBouncer(await lapiUrlOf(gateway.control), keys[0]);
  await steady.poll(true);
  for (let round = 0; round < times; round++) {
    const [fromAlerts, fromImports] = [truth.alerts.length, truth.imports.length];
    await burstUntilKilled(gateway, steady, truth, random);
    gateway = await startChildGateway(t, settings, folder);
    const url = await lapiUrlOf(gateway.control);
    const machine = await logIn(url, 'web-1');
    t.same(await missingAlerts(machine, truth.alerts.slice(fromAlerts)), [], 'alerts are there');
    t.same(
      await missingAlerts(
        machine,
        truth.alerts.filter(() => random() < 0.01),
      ),
      [],
      'older ones too',
    );

    await steady.poll(false, url);
    const fresh = createBouncer(url, keys[1]);
    await fresh.poll(true);
    const wanted = truth.alerts.flatMap(({ values }) => values).concat(truth.imports.slice(fromImports).flat());
    t.same(lacking(fresh.held, wanted), [], 'decisions are there');
    t.same(lacking(steady.held, wanted), [], 'and reach the bouncer that only hears of changes');
    t.same(lacking(steady.held, [...fresh.held]), [], 'with those that were not acknowledged but kept');
    t.same(lacking(fresh.held, [...steady.held]), [], 'and it was not told of what is gone');
  }
  await gateway.process.stop();
  return truth.alerts.length;
}

interface Truth {
  readonly alerts: Acknowledged[];
  readonly imports: string[][];
  nextAddress: number;
  nextImport: number;
}

/** Several posts at a time, an import beside them and polls in between, until the gateway is gone. */
async function burstUntilKilled(
  gateway: ChildGateway,
  steady: MirroringBouncer,
  truth: Truth,
  random: () => number,
): Promise<void> {
  const url = await lapiUrlOf(gateway.control);
  const machine = await logIn(url, 'web-1');
  const killAfter = Math.floor(random() * 60);
  const kill = Promise.withResolvers<void>();
  let answers = 0;
  const answered = (): void => {
    if (++answers > killAfter) kill.resolve();
  };
  const posting = async (): Promise<void> => {
    for (;;) {
      const alerts = someAlerts(truth, random);
      const ids = await machine.post(alerts.map(({ body }) => body));
      for (const [index, id] of ids.entries()) truth.alerts.push({ id, values: alerts[index]?.values ?? [] });
      answered();
    }
  };
  const importing = async (): Promise<void> => {
    for (;;) {
      const index = truth.nextImport++;
      const values = Array.from(
        { length: importLength },
        (_, place) => `46.${addressOf(index * importLength + place)}`,
      );
      await importList(gateway.folder, values);
      truth.imports.push(values.map((value) => `Ip:${value}`));
      answered();
    }
  };
  const polling = async (): Promise<void> => {
    for (;;) {
      await steady.poll(false, url);
      answered();
    }
  };
  const work = Promise.allSettled([posting(), posting(), posting(), importing(), polling()]);
  await kill.promise;
  await gateway.process.stop('SIGKILL');
  await work;
}

function someAlerts(truth: Truth, random: () => number): { readonly body: object; readonly values: string[] }[] {
  const now = Date.now();
  return Array.from({ length: 1 + Math.floor(random() * 8) }, () => {
    const address = (): string => `45.${addressOf(truth.nextAddress++)}`;
    if (random() < 0.5) {
      const value = address();
      return { body: agentAlert(value, now), values: [`Ip:${value}`] };
    }
    const values = Array.from({ length: 1 + Math.floor(random() * 4) }, address);
    const body = manualAlert(
      values.map((value) => ({ value })),
      now,
    );
    return { body, values: values.map((value) => `Ip:${value}`) };
  });
}

function addressOf(index: number): string {
  return `${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
}

/** As `decisions import` sends it. Resolves when the whole list is acknowledged. */
async function importList(folder: string, values: readonly string[]): Promise<void> {
  const client = createControlClient(`${folder}/admin.sock`);
  async function* rows(): AsyncGenerator<string> {
    for (let at = 0; at < values.length; at += 1_000) {
      yield JSON.stringify(values.slice(at, at + 1_000).map((value, index) => [at + index + 1, value]));
    }
  }
  const { imported } = await client.send<ImportModel>('/v1/decisions/import', { title: 'import list' }, rows());
  if (imported !== values.length) throw new Error(`${imported} of ${values.length} were imported`);
}

/** Those that are not there, or lack a decision. */
async function missingAlerts(machine: Machine, alerts: readonly Acknowledged[]): Promise<string[]> {
  const missing: string[] = [];
  for (const { id, values } of alerts) {
    const { status, text } = await machine.ask('GET', `/v1/alerts/${id}`);
    const { decisions } =
      status === 200
        ? (JSON.parse(text) as { decisions: { scope: string; value: string }[] | null })
        : { decisions: [] };
    const found = new Set((decisions ?? []).map(({ scope, value }) => `${scope}:${value}`));
    if (status !== 200 || lacking(found, values).length > 0) missing.push(`${id}: ${status} ${text.slice(0, 200)}`);
  }
  return missing;
}

function lacking(held: ReadonlySet<string>, wanted: readonly string[]): string[] {
  return wanted.filter((value) => !held.has(value));
}
