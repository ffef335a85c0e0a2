/**
 * `selftest`: proves the whole path on the running gateway. A few requests speak for 192.0.2.1 (nobody's address) and do what
 * scanners do, through the listener that clients use; then it looks whether the gateway noticed, decided, refused and kept
 * the origin out of it, and lifts what was made.
 */
import type { Clock } from '../../core/clock.ts';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import { selftestHeader } from '../../gateway/header-kind.ts';
import type { SelftestLifted, SelftestModel, SelftestProgress } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import type { ControlClient } from '../control-client.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

export const selftest: Command = {
  name: 'selftest',
  summary: 'prove on the running gateway that it detects and blocks',
  usage: '',
  examples: [['portcullis selftest', 'exits 1 with the reason when a step fails; nothing is left behind']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

async function run({ output, gateway, clock }: Call): Promise<number> {
  const client = await gateway();
  const test = await client.ask<SelftestModel>('POST', '/v1/selftests');
  const path = `/v1/selftests/${test.token}`;
  const steps: Step[] = [];
  const report = (step: Step): void => {
    steps.push(step);
    if (output.format === 'human') showStep(output, step);
  };
  if (output.format === 'human') {
    output.heading('Self-test');
    output.line(
      output.paint(
        'dim',
        `${test.listen_socket ?? test.url} as ${test.address}, expecting ${safeText(test.plan.scenario)}`,
      ),
    );
    output.line();
  }
  const stop = new AbortController();
  const interrupted = (): void => stop.abort();
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    await prove({ test, client, path, clock, report, signal: stop.signal });
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    await client.ask<SelftestLifted>('DELETE', path);
  }
  const ok = steps.every((step) => step.ok);
  if (output.format === 'json') output.json({ ok, mode: test.mode, scenario: test.plan.scenario, steps });
  if (output.format === 'raw')
    output.csv(
      ['step', 'ok', 'detail'],
      steps.map((step) => [step.name, step.ok, step.detail]),
    );
  const failed = steps.find((step) => !step.ok);
  if (failed !== undefined) {
    throw new GatewayError('SELFTEST_FAILED', `${failed.name}: ${failed.detail}`, {
      remedy: '`portcullis doctor` may know why.',
    });
  }
  if (output.format === 'human') {
    output.line();
    const observing = test.mode === 'observe' ? ' In observe mode nobody is refused.' : '';
    output.line(
      output.paint(
        'green',
        `The gateway notices attacks${test.mode === 'block' ? ' and refuses the attacker' : ''}.${observing}`,
      ),
    );
  }
  return exitStatus.ok;
}

function showStep(output: Output, { name, ok, detail }: Step): void {
  output.line(
    `  ${ok ? output.paint('green', '✓') : output.paint('red', '✗')} ${name.padEnd(nameWidth)}  ${output.paint('dim', safeText(detail))}`,
  );
}

const nameWidth = 16;

interface Proof {
  readonly test: SelftestModel;
  readonly client: ControlClient;
  readonly path: string;
  readonly clock: Clock;
  readonly report: (step: Step) => void;
  readonly signal: AbortSignal;
}

/** Each step is only worth taking when the one before it went well. */
async function prove(proof: Proof): Promise<void> {
  const { test, client, path, report } = proof;
  const before = await send(proof, '/');
  report({
    name: 'ordinary request',
    ok: before !== 403 && before !== 429,
    detail: `answered ${before} before the attack`,
  });
  if (before === 403 || before === 429) return;

  const sent = await attack(proof);
  const seen = await awaitVerdict(proof);
  const { alert, decision } = seen;
  report({
    name: 'alert',
    ok: alert !== null,
    detail:
      alert === null ? `none after ${plural(sent, 'request')}` : `${plural(alert.events_count, 'event')} were enough`,
  });
  if (alert === null) return;
  const known = alert.scenario === test.plan.scenario || test.plan.others.includes(alert.scenario);
  report({
    name: 'scenario',
    ok: known,
    detail: known ? alert.scenario : `${alert.scenario}, where ${test.plan.scenario} was expected`,
  });
  const ban =
    decision === null
      ? 'none: the profiles made nothing of the alert'
      : `${decision.type} on ${decision.value} for ${decision.duration}`;
  report({ name: 'decision', ok: decision !== null, detail: ban });
  if (decision === null) return;

  if (test.mode === 'block') await proveRefusal(proof);
  else await proveObserved(proof);

  const { lifted } = await client.ask<SelftestLifted>('POST', `${path}/lift`);
  report({ name: 'lifting', ok: lifted > 0, detail: `${plural(lifted, 'decision')} lifted` });
  const after = await send(proof, '/');
  report({ name: 'passes again', ok: after === before, detail: `answered ${after}` });
}

/** Beyond those that are needed, in case that the bucket leaks on the way. */
const spareProbes = 4;

/** Sends the planned requests until one is refused, in observe mode as many as are needed. Returns how many. */
async function attack(proof: Proof): Promise<number> {
  const { probes, needed } = proof.test.plan;
  let sent = 0;
  for (const target of probes.slice(0, needed + spareProbes)) {
    sent++;
    const status = await send(proof, target);
    if (status === 403 || status === 429) return sent;
  }
  return sent;
}

const patienceMs = 5_000;
const pollMs = 50;

/** The store is written after the index: what is enforced at once may be listed a moment later. */
async function awaitVerdict({ client, path, clock }: Proof): Promise<SelftestProgress> {
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const progress = await client.ask<SelftestProgress>('GET', path);
    if ((progress.alert !== null && progress.decision !== null) || waitedMs >= patienceMs) return progress;
    await clock.sleep(pollMs);
  }
}

async function proveRefusal(proof: Proof): Promise<void> {
  const { client, path, report } = proof;
  const before = await client.ask<SelftestProgress>('GET', path);
  const status = await send(proof, '/');
  const second = await send(proof, proof.test.plan.probes[0] ?? '/');
  const refused = status === 403 || status === 429;
  report({ name: 'refusal', ok: refused, detail: `an ordinary request is answered ${status}` });
  if (!refused) return;
  const after = await settled(proof, before.refused + 2);
  const silent = after.forwarded === before.forwarded && second !== 200;
  const heard = after.forwarded - before.forwarded;
  report({
    name: 'origin',
    ok: silent,
    detail: silent ? 'heard nothing after the decision' : `got ${plural(heard, 'request')} after the decision`,
  });
}

/** Counters move when a response is closed, which is a moment after its last byte was read here. */
async function settled({ client, path, clock }: Proof, refused: number): Promise<SelftestProgress> {
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const progress = await client.ask<SelftestProgress>('GET', path);
    if (progress.refused >= refused || waitedMs >= patienceMs) return progress;
    await clock.sleep(pollMs);
  }
}

async function proveObserved(proof: Proof): Promise<void> {
  const { client, path, report, clock } = proof;
  const before = await client.ask<SelftestProgress>('GET', path);
  const status = await send(proof, '/');
  let after = await client.ask<SelftestProgress>('GET', path);
  for (let waitedMs = 0; after.observed <= before.observed && waitedMs < patienceMs; waitedMs += pollMs) {
    await clock.sleep(pollMs);
    after = await client.ask<SelftestProgress>('GET', path);
  }
  const noticed = after.observed > before.observed;
  const detail = noticed
    ? `passed with ${status}; block mode would have refused it`
    : 'an ordinary request passed unnoticed';
  report({ name: 'observed', ok: noticed, detail });
}

async function send({ test, signal }: Proof, target: string): Promise<number> {
  const { sendProbe } = await import('../probe.ts');
  return sendProbe({
    url: test.url,
    socketPath: test.listen_socket,
    target,
    headers: { host: test.host, [selftestHeader]: test.token, 'user-agent': 'portcullis-selftest' },
    signal,
  });
}
